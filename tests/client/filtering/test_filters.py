"""Which documents pass a filter."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua_client.filtering.document_fields import DocumentFields
from interlingua_client.filtering.evaluation import mask_of, require_fields
from interlingua_client.filtering.filter_parsing import parse
from tests.client.filtering.brute_force import passes, random_document, random_filter

ARTICLES: list[dict[str, Any]] = [
    {"tenant": "acme", "date": "2024-01-31", "tags": ["mail", "web"], "price": 3},
    {"tenant": "acme", "date": "2024-01-31T23:30:00-01:00", "tags": ["mail"], "price": "three"},
    {"tenant": "Acme", "date": "in spring", "url": "https://x/a", "price": 3.5, "by": {"name": "Ann", "age": 40}},
    {"tenant": None, "url": "https://y/a", "by": [{"name": "Bo"}, {"name": "Cy"}], "a.b": 1},
]


def fields_of(documents: Sequence[dict[str, Any]]) -> DocumentFields:
    """Documents of the numbers 10, 20, ..., as a store gives them."""
    numbers = np.arange(1, len(documents) + 1) * 10
    return DocumentFields(
        numbers,
        lambda: ((int(number), document) for number, document in zip(numbers, documents, strict=True)),
        lambda: ((int(number), f"d{row}", "de" if row % 2 else "en") for row, number in enumerate(numbers)),
    )


def found(wanted: dict[str, Any], documents: Sequence[dict[str, Any]] = ARTICLES) -> list[int]:
    return [int(row) for row in np.flatnonzero(mask_of(parse(wanted), fields_of(documents)))]


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        ({}, [0, 1, 2, 3]),
        ({"tenant": "acme"}, [0, 1]),
        ({"tenant": ["Acme", "x"]}, [2]),
        ({"tenant": []}, []),
        ({"tags": "mail"}, [0, 1]),
        ({"tenant": "acme", "tags": ["web"]}, [0]),
        ({"date": {"lte": "2024-01-31"}}, [0]),
        ({"date": {"gt": "2024-01-31"}}, [1]),
        ({"date": {"gte": "2024-01", "lt": "2024-02"}}, [0]),
        ({"date": {"gte": "2024-02-01T01:30+01:00", "lte": "2024-02-01T00:30Z"}}, [1]),
        ({"price": {"gte": 3}}, [0, 2]),
        ({"price": {"gt": 3, "lt": 4}}, [2]),
        ({"price": "three"}, [1]),
        ({"url": {"prefix": "https://x/"}}, [2]),
        ({"by.name": "Cy"}, [3]),
        ({"by.age": {"lt": 41}}, [2]),
        ({"by": {"exists": True}}, [2, 3]),
        ({"a.b": 1}, [3]),
        ({"tenant": {"exists": False}}, [3]),
        ({"not": {"tenant": "acme"}}, [2, 3]),
        ({"or": [{"tenant": "Acme"}, {"price": 3}]}, [0, 2]),
        ({"and": [{"tenant": "acme"}, {"not": {"tags": "web"}}]}, [1]),
        ({"language": "de"}, [1, 3]),
        ({"id": ["d0", "d3"]}, [0, 3]),
    ],
    ids=json.dumps,
)
def test_what_passes(wanted: dict[str, Any], rows: list[int]) -> None:
    assert found(wanted) == rows


def test_one_value_has_to_pass_all_bounds_of_a_field() -> None:
    assert found({"n": {"gt": 2, "lt": 8}}, [{"n": [1, 9]}, {"n": [1, 5]}]) == [1]


def test_kinds_are_never_taken_for_each_other() -> None:
    documents: list[dict[str, Any]] = [{"x": 1}, {"x": "1"}, {"x": True}, {"x": 1.0}, {"x": 2**53 + 1}, {"x": 2.0**53}]
    assert found({"x": 1}, documents) == [0, 3]
    assert found({"x": "1"}, documents) == [1]
    assert found({"x": True}, documents) == [2]
    assert found({"x": 2**53 + 1}, documents) == [4]
    assert found({"x": {"gt": 2**53}}, documents) == [4]


def test_random_filters_agree_with_a_reading_document_by_document() -> None:
    chance = random.Random(7)
    documents = [random_document(chance) for _ in range(120)]
    fields = fields_of(documents)
    sizes = set()
    for _ in range(600):
        wanted = random_filter(chance)
        mask = mask_of(parse(wanted), fields)
        assert mask.tolist() == [passes(document, wanted) for document in documents], wanted
        sizes.add(int(mask.sum()))
    assert len(sizes) > 60  # no test of filters that pass all or none


def test_canonical_spellings_do_not_depend_on_the_order() -> None:
    one = parse({"a": ["x", "y"], "b": {"gte": 1, "lt": 2}, "or": [{"c": 1}, {"d": 2}]})
    other = parse({"or": [{"d": 2}, {"c": 1}], "b": {"lt": 2, "gte": 1}, "a": ["y", "x"]})
    assert one.canonical == other.canonical
    assert parse({"a": 1}).canonical != parse({"a": "1"}).canonical != parse({"a": True}).canonical


def test_unknown_fields_are_named_with_the_nearest_and_those_there_are() -> None:
    with pytest.raises(InputError) as caught:
        require_fields(parse({"tennant": "acme", "by.nam": "x"}), fields_of(ARTICLES))
    message = str(caught.value)
    assert "'by.nam', did you mean 'by.name'?" in message
    assert "'tennant', did you mean 'tenant'?" in message
    assert "there are a.b, by, by.age, by.name, date, id, language, price, tags, tenant, url" in message


def test_names_that_no_document_has_cost_neither_passes_nor_memory() -> None:
    passes = 0
    numbers = np.arange(len(ARTICLES))

    def rows() -> Iterator[tuple[int, dict[str, Any]]]:
        nonlocal passes
        passes += 1
        yield from enumerate(ARTICLES)

    fields = DocumentFields(numbers, rows, lambda: ())
    for one in range(50):
        assert not mask_of(parse({f"unknown{one}": "x", "by.unknown": one, "tenant": "acme"}), fields).any()
        with pytest.raises(InputError, match="no document has a field"):
            require_fields(parse({f"unknown{one}": "x"}), fields, np.array([True, False, False, False]))
    assert passes == 2  # what there is at all, and the names within
    assert mask_of(parse({"by.name": "Cy"}), fields).tolist() == [False, False, False, True]
    assert fields._columns.keys() == {"tenant", "by.name"}


def test_of_many_unknown_fields_some_are_named() -> None:
    with pytest.raises(InputError) as caught:
        require_fields(parse({f"f{row:05}": 1 for row in range(20_000)}), fields_of(ARTICLES))
    assert "'f00009'" in str(caught.value)
    assert "no document has 19990 more of its fields; there are a.b, by" in str(caught.value)
    assert len(str(caught.value)) < 1500


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"tags": 5}, "filter.tags asks for numbers, and the field holds texts"),
        ({"by.age": {"gte": "2024"}}, "filter.by.age asks for texts, and the field holds numbers"),
        ({"by.age": {"prefix": "4"}}, "filter.by.age asks for texts, and the field holds numbers"),
        ({"url": {"gte": "2024"}}, "filter.url.gte asks for dates, and the field holds none"),
    ],
    ids=json.dumps,
)
def test_values_of_a_kind_that_no_document_has(wanted: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        require_fields(parse(wanted), fields_of(ARTICLES))


def test_mixed_fields_and_lists_of_two_kinds_are_no_mistake() -> None:
    require_fields(parse({"price": 3, "date": {"gte": "2024"}, "tags": ["mail", 5]}), fields_of(ARTICLES))


@pytest.mark.parametrize(
    "wanted",
    [{"url": "https://y/a"}, {"by.name": "Bo"}, {"a.b": 1}, {"price": "three"}],
    ids=json.dumps,
)
def test_what_is_not_within_is_as_if_it_were_not_there(wanted: dict[str, Any]) -> None:
    within = np.array([True, False, False, False])
    with pytest.raises(InputError) as caught:
        require_fields(parse(wanted), fields_of(ARTICLES), within)
    alone = fields_of(ARTICLES[:1])
    with pytest.raises(InputError) as said_alone:
        require_fields(parse(wanted), alone)
    assert str(caught.value) == str(said_alone.value)


def test_where_there_is_no_document_there_is_no_mistake() -> None:
    require_fields(parse({"x": 1}), fields_of([]))
    require_fields(parse({"x": 1}), fields_of(ARTICLES), np.zeros(4, bool))
