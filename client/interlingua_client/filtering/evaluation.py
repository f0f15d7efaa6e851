"""A filter over documents: which pass, and whether it asks for what there is.

DocumentFilter, DocumentFields --mask_of--> bool [documents]
DocumentFilter, DocumentFields, documents within --require_fields--> InputError: unknown fields, values of another kind
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua.base.errors import InputError
from interlingua_client.filtering.document_fields import DocumentFields
from interlingua_client.filtering.filter_tree import (
    AnyOf,
    Condition,
    DocumentFilter,
    Every,
    FieldBound,
    Negated,
    Node,
    Prefix,
    Some,
)
from interlingua_client.filtering.told_faults import MOST_TOLD, told
from interlingua_client.filtering.values import Kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from interlingua_client.filtering.columns import Column, Mask


class Described(NamedTuple):
    """A document, as far as a filter looks at it."""

    id: str
    language: str
    metadata: Mapping[str, object]


def mask_of(wanted: DocumentFilter, fields: DocumentFields) -> Mask:
    """bool [documents]: those that meet the filter."""
    columns = fields.columns({condition.field for condition in wanted.conditions()})
    return _mask(wanted.root, columns, len(fields))


def _mask(node: Node, columns: Mapping[str, Column], size: int) -> Mask:
    if isinstance(node, Condition):
        return columns[node.field].passing(node.tests)
    if isinstance(node, Negated):
        return ~_mask(node.part, columns, size)
    mask = np.full(size, isinstance(node, Every))
    for part in node.parts:
        if isinstance(node, Some):
            mask |= _mask(part, columns, size)
        else:
            mask &= _mask(part, columns, size)
    return mask


def require_fields(wanted: DocumentFilter, fields: DocumentFields, within: Mask | None = None) -> None:
    """Refuse a slip in a filter: fields that are not there, kinds of values that they do not hold.

    Args:
        within: bool [documents], those that the asker may know of; the others are as if they were not there.

    Raises:
        InputError: names every mistake; no field and no kind of a document that is not within.
    """
    if not (len(fields) if within is None else within.any()):
        return
    conditions = list(wanted.conditions())
    columns = fields.columns({condition.field for condition in conditions})
    unknown = {field for field, column in columns.items() if not _some(column.known, within)}
    wrong = [fault for one in conditions if one.field not in unknown for fault in _faults(one, columns, within)]
    if unknown:
        wrong[:0] = _unknown(sorted(unknown), fields.names(within))
    if wrong:
        raise InputError(told(wrong))


def still_passing(wanted: DocumentFilter, documents: Sequence[Described]) -> list[bool]:
    """Which of these documents meet the filter as they are now."""
    fields = DocumentFields(
        np.arange(len(documents)),
        lambda: enumerate(document.metadata for document in documents),
        lambda: ((row, document.id, document.language) for row, document in enumerate(documents)),
    )
    return [bool(passes) for passes in mask_of(wanted, fields)]


def _some(mask: Mask, within: Mask | None) -> bool:
    return bool((mask if within is None else mask & within).any())


def _unknown(unknown: list[str], there: list[str]) -> Iterator[str]:
    for field in unknown[: MOST_TOLD // 2]:
        near = get_close_matches(field, there, 1)
        yield f"filter: no document has a field {field!r:.80}" + (f", did you mean {near[0]!r}?" if near else "")
    if (left := len(unknown) - MOST_TOLD // 2) > 0:
        yield f"filter: no document has {left} more of its fields"
    more = f" and {len(there) - MOST_TOLD} more" if len(there) > MOST_TOLD else ""
    yield f"there are {', '.join(there[:MOST_TOLD])}{more}"


def _faults(condition: Condition, columns: Mapping[str, Column], within: Mask | None) -> Iterator[str]:
    column = columns[condition.field]
    held = column.kinds(within)
    for test in condition.tests:
        asked: set[Kind | None] = set()
        if isinstance(test, AnyOf):
            asked = {kind_of(value) for value in test.values}
        elif isinstance(test, Prefix):
            asked = {"texts"}
        elif isinstance(test, FieldBound):
            asked = {"texts" if isinstance(test.limit, str) else "numbers"}
        if held and asked and not asked & set(held):
            names = " and ".join(sorted(str(kind) for kind in asked))
            yield f"filter.{condition.field} asks for {names}, and the field holds {' and '.join(held)}"
        elif isinstance(test, FieldBound) and isinstance(test.limit, str) and held and not column.has_dates(within):
            yield f"filter.{condition.field}.{test.name} asks for dates, and the field holds none (ISO 8601)"
