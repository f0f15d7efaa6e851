"""The fields of an index's documents: read when a filter first names them, and kept for this generation.

    rows(): (number, metadata) ...              --columns of the fields asked for, in one pass--> Column a field
                                                --names of all fields, in the first pass--> what is there at all
    identities(): (number, id, language) ...    --"id", "language"--> columns

What no filter names is never kept: a long text among the metadata costs nothing. Nor is what no document has, whatever
the names that callers make up: once the names are known, it is not even looked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from interlingua_client.filtering.columns import Column
from interlingua_client.filtering.values import composed, fields_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from interlingua_client.filtering.columns import Mask

OF_EVERY_DOCUMENT = ("id", "language")
_LISTS_KEPT = 16

MetadataRows = Callable[[], Iterable[tuple[int, Mapping[str, object]]]]
Identities = Callable[[], Iterable[tuple[int, str, str]]]


class DocumentFields:
    """Columns over documents in the order of their numbers; safe to use from several threads, who may read twice."""

    def __init__(self, numbers: npt.NDArray[np.int64], rows: MetadataRows, identities: Identities) -> None:
        """`numbers` are sorted int64 [documents]; rows of other documents are passed over."""
        self._numbers, self._rows, self._identities = numbers, rows, identities
        self._columns: dict[str, Column] = {}
        self._there: frozenset[str] | None = None  # every field of any document; None before the first pass
        self._names: dict[bytes, list[str]] = {}

    def __len__(self) -> int:
        """How many documents there are."""
        return len(self._numbers)

    def columns(self, fields: Collection[str]) -> dict[str, Column]:
        """The columns of these fields; of a field that no document has, an empty one."""
        missing = set(fields) - self._columns.keys()
        if own := missing & set(OF_EVERY_DOCUMENT):
            self._read_identities(own)
        named = missing - set(OF_EVERY_DOCUMENT)
        if named := named if self._there is None else named & self._there:
            self._read_metadata(named)
        return {field: self._columns.get(field, self._empty) for field in fields}

    def names(self, within: Mask | None) -> list[str]:
        """Every field that these documents have, or those of a mask; sorted."""
        key = b"" if within is None else hashlib.blake2b(within.tobytes()).digest()
        names = self._names.get(key)
        if names is None:
            names = self._read_names(within)
            self._names = {**dict(list(self._names.items())[1 - _LISTS_KEPT :]), key: names}
        return names

    def _read_names(self, within: Mask | None) -> list[str]:
        found: set[str] = set()
        places = self._places()
        for number, metadata in self._rows():
            row = places.get(number)
            if row is not None and (within is None or within[row]):
                found.update(name for name, _ in fields_of(metadata))
        return sorted({*found, *OF_EVERY_DOCUMENT})

    def _read_metadata(self, fields: set[str]) -> None:
        held: dict[str, list[tuple[int, object]]] = {}
        names: set[str] = set()
        places = self._places()
        for number, metadata in self._rows():
            row = places.get(number)
            if row is None or not metadata:
                continue
            for name, value in fields_of(metadata):
                names.add(name)
                if name in fields:
                    held.setdefault(name, []).append((row, value))
        for field, values in held.items():
            self._columns[field] = Column(len(self), values)
        self._there = frozenset(names)

    def _read_identities(self, fields: set[str]) -> None:
        held: dict[str, list[tuple[int, object]]] = {"id": [], "language": []}
        places = self._places()
        for number, id_, language in self._identities():
            row = places.get(number)
            if row is not None:
                held["id"].append((row, composed(id_)))
                held["language"].append((row, language))
        for field in fields:
            self._columns[field] = Column(len(self), held[field])

    @cached_property
    def _empty(self) -> Column:
        return Column(len(self), ())

    def _places(self) -> dict[int, int]:
        return {number: row for row, number in enumerate(self._numbers.tolist())}
