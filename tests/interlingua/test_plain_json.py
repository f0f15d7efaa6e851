"""Records become what JSON holds, and JSON holds no number that is not finite."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from interlingua.base.plain_json import plain
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


def test_decimals_and_types_that_are_written_otherwise() -> None:
    assert plain([2 / 3, True], decimals=2) == [0.67, True]
    assert plain({Point(1.0, 2.0): Point(1.23, 2.0)}, 1, {Point: list}) == {"[1.0, 2.0]": [1.2, 2.0]}


def test_reports_name_pairs_and_keep_six_decimals() -> None:
    assert of_reports.plain({Pair("de", "en"): 2 / 3}) == {"de>en": 0.666667}
