"""Records become what JSON holds, without a number that is not finite, and come back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua.base.plain import build, plain
from interlingua.base.record_file import read_record, write_record
from interlingua_evaluation.report import plain as of_reports
from interlingua_evaluation.systems.candidate_lists import Pair


class Point(NamedTuple):
    x: float
    y: float


@dataclass(frozen=True)
class Record:
    points: tuple[Point, ...]
    folder: Path
    counts: dict[int, object]


def test_a_record_of_every_kind() -> None:
    record = Record((Point(0.1234567, -math.inf),), Path("var/run"), {4: np.array([1.5, math.nan]), 5: np.int64(7)})
    expected = {"points": [{"x": 0.1234567, "y": None}], "folder": "var/run", "counts": {"4": [1.5, None], "5": 7}}
    assert plain(record) == expected
    assert json.loads(json.dumps(plain(record), allow_nan=False)) == expected


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("inf"), np.float64("nan")])
@pytest.mark.parametrize("make", [plain, of_reports.plain], ids=["shared", "reports"])
def test_what_is_not_finite_is_null(make: Any, value: float) -> None:
    assert make({"value": [value, 1.0]}) == {"value": [None, 1.0]}


def test_decimals() -> None:
    assert plain([2 / 3, True], decimals=2) == [0.67, True]


def test_reports_name_pairs_and_keep_six_decimals() -> None:
    assert of_reports.plain({Pair("de", "en"): 2 / 3}) == {"de>en": 0.666667}


@dataclass(frozen=True, kw_only=True)
class Everything:
    DERIVED: ClassVar = ("total", "label")

    pair: Pair
    by_pair: Mapping[Pair, Point]
    by_number: Mapping[float, int]
    choice: Literal["a", "b"]
    fixed: tuple[int, float]
    maybe: Point | None = None
    folder: Path = Path()

    @property
    def total(self) -> float:
        return self.fixed[0] + self.fixed[1]

    @property
    def label(self) -> str:
        return f"{self.pair}!"


EVERYTHING = Everything(
    pair=Pair("de", "en"),
    by_pair={Pair("en", "mixed"): Point(1.0, 2.0)},
    by_number={0.05: 3},
    choice="b",
    fixed=(1, 2.5),
)


def test_a_record_comes_back() -> None:
    raw = json.loads(json.dumps(plain(EVERYTHING)))
    assert (raw["pair"], raw["total"], raw["label"]) == ("de>en", 3.5, "de>en!")
    assert build(Everything, raw) == EVERYTHING


def test_null_for_a_number_is_nan() -> None:
    assert math.isnan(build(Point, {"x": None, "y": 1}).x)


def test_all_faults_are_named_at_once() -> None:
    raw = plain(EVERYTHING) | {
        "pair": "de",
        "by_pair": {"de>en": {"x": "far"}},
        "choice": "c",
        "fixed": [1],
        "maybe": 3,
        "folder": 4,
        "colour": 1,
    }
    with pytest.raises(InputError) as caught:
        build(Everything, raw)
    for fault in (
        "unknown field colour",
        "pair is 'de': ",
        "by_pair.de>en.x is 'far', not a number",
        "by_pair.de>en.y is missing",
        "choice is 'c', not one of a, b",
        "fixed has 1 entries, not 2",
        "maybe is 3, not a table",
        "folder is 4, not a path",
    ):
        assert fault in str(caught.value)


def test_what_was_derived_cannot_be_changed_by_hand() -> None:
    with pytest.raises(InputError, match="label is 'other', which the rest contradicts: it was changed by hand"):
        build(Everything, plain(EVERYTHING) | {"label": "other"})


def test_a_file_says_what_makes_it_anew(tmp_path: Path) -> None:
    file = tmp_path / "made" / "point.json"
    write_record(file, Point(1.0, 2.0), made_format=1)
    assert read_record(Point, file, what="point", remedy="draw it again", made_format=1) == Point(1.0, 2.0)
    for content, fault in (
        ('{"format": 2, "x": 1, "y": 2}', r"not a point \(it has format 2, not 1\): draw it again"),
        ('{"format": 1, "x": 1}', r"point\.json is not a point \(y is missing\): draw it again"),
        ("[]", r"not a table\): draw it again"),
        ("{", "not a readable point .*draw it again"),
    ):
        file.write_text(content)
        with pytest.raises(InputError, match=fault):
            read_record(Point, file, what="point", remedy="draw it again", made_format=1)
