"""What one field holds in all documents, as arrays: each different value once, and which documents have it.

    documents --> vocabulary: false, true | numbers, sorted | texts, sorted     codes, rows: a pair for each value held

A test is made once for each different value (`accepted`: bool [vocabulary]); one look-up makes a documents' mask of it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from interlingua_client.filtering.filter_tree import AnyOf, Exists, FieldBound, Prefix, Test
from interlingua_client.filtering.instants import Period
from interlingua_client.filtering.values import KINDS, Kind, Scalar, is_there, kind_of, scalars_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]

_NO_DATE = np.iinfo(np.int64).min


class Column:
    """One field.

    Attributes:
        known: bool [documents], who has the field, with a null too.
        there: bool [documents], who has a value in it.
    """

    def __init__(self, size: int, held: Iterable[tuple[int, object]]) -> None:
        """Takes in the values of so many documents; `held` are a document's row and a JSON value of the field there."""
        self.known: Mask = np.zeros(size, bool)
        self.there: Mask = np.zeros(size, bool)
        rows: dict[Kind, list[int]] = {kind: [] for kind in KINDS}
        values: dict[Kind, list[Scalar]] = {kind: [] for kind in KINDS}
        for row, value in held:
            self.known[row] = True
            self.there[row] |= is_there(value)
            for one in scalars_of(value):
                if kind := kind_of(one):
                    rows[kind].append(row)
                    values[kind].append(one)
        self._vocabulary: dict[Kind, list[Scalar]] = {kind: _sorted(values[kind]) for kind in KINDS}
        self._rows = {kind: np.array(rows[kind], np.int32) for kind in KINDS}
        self._codes = {kind: _codes(self._vocabulary[kind], values[kind]) for kind in KINDS}

    def kinds(self, within: Mask | None) -> list[Kind]:
        """The kinds of the values that documents hold, or those of a mask."""
        return [kind for kind in KINDS if len(self._rows[kind]) and _any(within, self._rows[kind])]

    def has_dates(self, within: Mask | None) -> bool:
        """Whether any of these documents holds a text that is a date."""
        dated = self._rows["texts"][(self._instants != _NO_DATE)[self._codes["texts"]]]
        return bool(len(dated)) and _any(within, dated)

    def passing(self, tests: Sequence[Test]) -> Mask:
        """bool [documents]: who holds one value that passes all tests."""
        asked = [test for test in tests if not isinstance(test, Exists)]
        mask = np.zeros(len(self.there), bool) if asked else np.ones(len(self.there), bool)
        if asked:
            for kind in KINDS:
                accepted = np.logical_and.reduce([self._accepted(test, kind) for test in asked])
                mask[self._rows[kind][accepted[self._codes[kind]]]] = True
        for test in tests:
            if isinstance(test, Exists):
                mask &= self.there if test.there else ~self.there
        return mask

    def _accepted(self, test: AnyOf | FieldBound | Prefix, kind: Kind) -> Mask:
        vocabulary = self._vocabulary[kind]
        accepted = np.zeros(len(vocabulary), bool)
        if isinstance(test, AnyOf):
            for value in test.values:
                place = bisect_left(vocabulary, value) if kind_of(value) == kind else len(vocabulary)
                if place < len(vocabulary) and vocabulary[place] == value:
                    accepted[place] = True
        elif isinstance(test, Prefix) and kind == "texts":
            beginning = slice(len(test.text))
            first = bisect_left(vocabulary, test.text)
            accepted[first : bisect_right(vocabulary, test.text, key=lambda text: str(text)[beginning])] = True
        elif isinstance(test, FieldBound) and isinstance(test.limit, str) and kind == "texts":
            accepted = self._on_side(test.name, Period.read(test.limit))
        elif isinstance(test, FieldBound) and not isinstance(test.limit, str) and kind == "numbers":
            find = bisect_left if test.name in ("gte", "lt") else bisect_right
            place = find(vocabulary, test.limit)
            accepted[slice(place, None) if test.name in ("gt", "gte") else slice(place)] = True
        return accepted

    def _on_side(self, name: str, period: Period | None) -> Mask:
        if period is None:
            return np.zeros(len(self._instants), bool)
        edge = period.start if name in ("gte", "lt") else period.end
        after = self._instants >= edge
        return after if name in ("gt", "gte") else ~after & (self._instants != _NO_DATE)

    @cached_property
    def _instants(self) -> npt.NDArray[np.int64]:
        read = [Period.read(str(text)) for text in self._vocabulary["texts"]]
        return np.array([_NO_DATE if period is None else period.start for period in read], np.int64)


def _sorted(values: list[Scalar]) -> list[Scalar]:
    ordered = sorted(values)
    return list(compress(ordered, [not row or one != ordered[row - 1] for row, one in enumerate(ordered)]))


def _codes(vocabulary: list[Scalar], values: list[Scalar]) -> npt.NDArray[np.int32]:
    places = {value: place for place, value in enumerate(vocabulary)}
    return np.array([places[value] for value in values], np.int32)


def _any(within: Mask | None, rows: npt.NDArray[np.int32]) -> bool:
    return within is None or bool(within[rows].any())
