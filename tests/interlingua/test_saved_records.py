"""Every record that is written and read again comes back equal, whatever is in it.

The strategies below draw a record by the types of its fields; floats have six decimals, which is what reports keep.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlingua.base.plain import SAVED, build, plain
from interlingua_client.index.derived_file import DerivedHeader
from interlingua_client.index.index_root import IndexPointer
from interlingua_client.index.passages.passage_plan import PassagePlan
from interlingua_evaluation.report.model import DECIMALS, Report
from interlingua_evaluation.systems.candidate_lists import Pair
from interlingua_loadtest.capacity.index.index_cost import IndexCost
from interlingua_loadtest.capacity.plan.records import Plan
from interlingua_loadtest.capacity.profile.hardware_profile import HardwareProfile
from interlingua_loadtest.capacity.profile.server_layout import TextCost
from interlingua_loadtest.rate_search.found_rate import FoundRate
from interlingua_loadtest.record.slo import Slo
from interlingua_loadtest.record.validity import Validity
from interlingua_loadtest.record.worker_note import WorkerNote
from interlingua_loadtest.report.model import LoadReport
from interlingua_loadtest.tradeoff.records import Tradeoff
from interlingua_server.run_record import RunRecord

FILES = (
    Report,
    LoadReport,
    Plan,
    Tradeoff,
    HardwareProfile,
    IndexCost,
    FoundRate,
    Validity,
    WorkerNote,
    RunRecord,
    IndexPointer,
    DerivedHeader,
    PassagePlan,
)
_FEW = 2
_TEXTS = st.text("abc >\N{LATIN SMALL LETTER U WITH DIAERESIS}", max_size=3)
_NUMBERS = st.floats(-1e3, 1e3).map(lambda value: round(value, DECIMALS) + 0.0)
_OWN: dict[Any, st.SearchStrategy[Any]] = {
    str: _TEXTS,
    int: st.integers(0, 99),
    float: _NUMBERS,
    bool: st.booleans(),
    Any: _TEXTS,
    object: _TEXTS,
    Pair: st.sampled_from([Pair("de", "en"), Pair("en", "mixed")]),
    Slo: st.sampled_from([Slo(99, 0.3), Slo(50, 1.0, 0.5)]),
}


def _drawn(hint: Any) -> st.SearchStrategy[Any]:
    kind, inner = get_origin(hint) or hint, get_args(hint)
    if kind in _OWN:
        return _OWN[kind]
    if kind in (Union, types.UnionType):
        return st.one_of([st.none() if part is type(None) else _drawn(part) for part in inner])
    if kind is Literal:
        return st.sampled_from(inner)
    if is_dataclass(kind) or hasattr(kind, "_fields"):
        return _record(kind)
    if issubclass(kind, Mapping):
        return st.dictionaries(_drawn(inner[0]), _drawn(inner[1]), max_size=_FEW)
    if inner[-1] is Ellipsis:
        return st.lists(_drawn(inner[0]), max_size=_FEW).map(tuple)
    return st.tuples(*map(_drawn, inner))


def _record(kind: Any) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)] if is_dataclass(kind) else kind._fields
    return st.builds(kind, **{name: _drawn(hints[name]) for name in names})


def _in_json(value: Any) -> Any:
    return json.loads(json.dumps(plain(value, DECIMALS), allow_nan=False))


def test_the_files_are_marked_as_saved() -> None:
    assert set(FILES) <= set(SAVED)


@pytest.mark.parametrize("kind", FILES, ids=lambda kind: kind.__name__)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(data=st.data())
def test_a_saved_record_comes_back(kind: type, data: st.DataObject) -> None:
    record = data.draw(_record(kind))
    assert build(kind, _in_json(record)) == record


def test_what_is_not_finite_comes_back_as_null() -> None:
    record = HardwareProfile(
        name="a", origin="measured", hardware={}, networks=(), text=TextCost(), cores=1, busy=math.inf
    )
    again = build(HardwareProfile, _in_json(record))
    assert math.isnan(again.busy)
    assert _in_json(again) == _in_json(record)
