"""The fields of an index's documents: read when a filter first names them, and kept for this generation.

    rows(): (number, metadata) ...              --columns of the fields asked for, in one pass--> Column a field
    identities(): (number, id, language) ...    --"id", "language"--> the same

What no filter names is never kept: a long text among the metadata costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from interlingua_client.filtering.columns import Column
from interlingua_client.filtering.values import composed, fields_of, held_by

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from interlingua_client.filtering.columns import Mask

OF_EVERY_DOCUMENT = ("id", "language")

MetadataRows = Callable[[], Iterable[tuple[int, Mapping[str, object]]]]
Identities = Callable[[], Iterable[tuple[int, str, str]]]


class DocumentFields:
    """Columns over documents in the order of their numbers; safe to use from several threads, who may read twice."""

    def __init__(self, numbers: npt.NDArray[np.int64], rows: MetadataRows, identities: Identities) -> None:
        """`numbers` are sorted int64 [documents]; rows of other documents are passed over."""
        self._numbers, self._rows, self._identities = numbers, rows, identities
        self._columns: dict[str, Column] = {}

    def __len__(self) -> int:
        """How many documents there are."""
        return len(self._numbers)

    def columns(self, fields: Collection[str]) -> dict[str, Column]:
        """The columns of these fields; of a field that no document has, an empty one."""
        missing = set(fields) - self._columns.keys()
        if own := missing & set(OF_EVERY_DOCUMENT):
            self._read_identities(own)
        if named := missing - set(OF_EVERY_DOCUMENT):
            self._read_metadata(named)
        return {field: self._columns[field] for field in fields}

    def names(self, within: Mask | None) -> list[str]:
        """Every field that these documents have, or those of a mask; sorted."""
        found: set[str] = set()
        places = self._places()
        for number, metadata in self._rows():
            row = places.get(number)
            if row is not None and (within is None or within[row]):
                found.update(fields_of(metadata))
        return sorted({*found, *OF_EVERY_DOCUMENT})

    def _read_metadata(self, fields: set[str]) -> None:
        held: dict[str, list[tuple[int, object]]] = {field: [] for field in fields}
        places = self._places()
        for number, metadata in self._rows():
            row = places.get(number)
            if row is None or not metadata:
                continue
            for field in fields:
                held[field] += [(row, value) for value in held_by(metadata, field)]
        for field in fields:
            self._columns[field] = Column(len(self), held[field])

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

    def _places(self) -> dict[int, int]:
        return {number: row for row, number in enumerate(self._numbers.tolist())}
