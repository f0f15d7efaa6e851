"""What is no filter, and what is said of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interlingua.base.errors import InputError
from interlingua_client.filtering.filter_parsing import parse
from interlingua_client.filtering.instants import Period


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("tenant=acme", "filter is 'tenant=acme', it must be a JSON object"),
        ({1: "x"}, "filter is {1: 'x'}, it must be a JSON object"),
        ({"and": {}}, "filter.and is {}, it must be a list of filters, one or more"),
        ({"or": []}, "filter.or is [], it must be a list of filters, one or more"),
        ({"or": [{"a": 1}, {}]}, "filter.or[1] is {}, it must be a filter with a condition"),
        ({"not": [{"a": 1}]}, "filter.not is [{'a': 1}], it must be a JSON object"),
        ({"a": None}, '{"exists": false} asks for documents without the field'),
        ({"a": [1, {}]}, "filter.a is {}, it must be a text, a number"),
        ({"a": float("nan")}, "filter.a is nan"),
        ({"a": {}}, "filter.a is {}, it must be a value"),
        ({"a": {"gte": "soon"}}, "filter.a.gte is 'soon', it must be a number, or a date"),
        ({"a": {"gte": True}}, "filter.a.gte is True"),
        ({"a": {"lt": "2024-02-30"}}, "filter.a.lt is '2024-02-30'"),
        ({"a": {"prefix": 3}}, "filter.a.prefix is 3, it must be a text"),
        ({"a": {"exists": "yes"}}, "filter.a.exists is 'yes', it must be true or false"),
        ({"a": {"prefx": "x"}}, "'prefx' is no operator, did you mean 'prefix'?"),
        ({"a": {"b": 1}}, 'a field within a field is named "outer.inner"'),
    ],
    ids=str,
)
def test_mistakes_are_told_with_their_place(given: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(given)
    assert said in str(caught.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        parse({"a": {"gte": None, "near": 1}, "or": [], "b": None})
    assert str(caught.value).count("filter.") == 4


def nested(depth: int) -> list[Any]:
    made: list[Any] = []
    for _ in range(depth):
        made = [made]
    return made


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"a": nested(2000)}, "filter.a is nested too deeply"),
        ({"a": {"prefix": nested(100_000)}}, "filter.a.prefix is nested too deeply"),
        ({"a": 10**5000}, "filter.a is a number of too many digits, it must be"),
        ({"a": [1, -(10**5000)]}, "filter.a is a number of too many digits"),
        ({"a": {"lt": 10**5000}}, "filter.a.lt is a number of too many digits"),
        ({"and": 10**5000}, "filter.and is a number of too many digits"),
    ],
    ids=["deep", "deeper", "value", "among values", "bound", "combined"],
)
def test_what_cannot_be_shown_is_told_nevertheless(given: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(given)
    assert said in str(caught.value)


def test_the_longest_numbers_are_numbers() -> None:
    assert parse({"a": 10**4300 - 1}).canonical


def test_of_many_mistakes_the_first_are_told() -> None:
    with pytest.raises(InputError) as caught:
        parse({f"f{row}": None for row in range(100_000)})
    assert str(caught.value).count("filter.") == 20
    assert str(caught.value).endswith("; and 99980 more")


def test_depth_and_length_of_a_message_are_bounded() -> None:
    deep: dict[str, Any] = {"a": 1}
    for _ in range(5000):
        deep = {"not": deep}
    with pytest.raises(InputError, match="more than 32 deep"):
        parse(deep)
    with pytest.raises(InputError) as caught:
        parse({"a": {"gte": "x" * 10_000}})
    assert len(str(caught.value)) < 300


def test_half_a_surrogate_pair_is_a_text_as_any_other() -> None:
    assert json.loads(parse({"a": "\ud800"}).canonical)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01", (0, 86_400)),
        ("1970-01-01T00:00:01.5Z", (1.5, 1.500001)),
        ("1970-01-01 01:00+01:00", (0, 0.000001)),
        ("1970-02", (31 * 86_400, 59 * 86_400)),
        ("1969", (-365 * 86_400, 0)),
        ("1969-12", (-31 * 86_400, 0)),
    ],
)
def test_dates_are_periods(text: str, seconds: tuple[float, float]) -> None:
    assert Period.read(text) == (round(seconds[0] * 1e6), round(seconds[1] * 1e6))


@pytest.mark.parametrize(
    "text", ["", "2024-13", "2024-1-1", "20240101", "2024-01-01T25:00", "\u0662\u0660\u0662\u0664", "0000"]
)
def test_what_is_no_date(text: str) -> None:
    assert Period.read(text) is None


def test_the_last_year_has_an_end() -> None:
    last = Period.read("9999")
    assert last is not None
    assert last.end > last.start
