"""Changes of some fields, put onto the documents that are there.

{"id": ..., "date": ...} + the stored document's line --> the line it would have now, its metadata apart
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from interlingua.base.errors import InputError
from interlingua_client.corpus import OWN_FIELDS

if TYPE_CHECKING:
    from interlingua_client.document import Document
    from interlingua_client.index.document_store import DocumentStore

_AT_ONCE = 512  # of which each has to be committed before the next are read


class _Line(NamedTuple):
    """A document's fields; what its metadata calls `title`, say, is not its title."""

    own: Mapping[str, object]
    metadata: Mapping[str, object]

    @classmethod
    def of(cls, document: Document) -> _Line:
        own = {"id": document.id, "language": document.language, "title": document.title, "text": document.text}
        return cls(own, document.metadata)

    def changed(self, change: Mapping[str, object]) -> _Line:
        inner = change.get("metadata")
        own = {name: value for name, value in change.items() if name in OWN_FIELDS}
        further = {name: value for name, value in change.items() if name not in (*OWN_FIELDS, "metadata")}
        nested = inner if isinstance(inner, Mapping) else {}
        return _Line(_without_none(self.own, own), _without_none(self.metadata, nested, further))

    def whole(self) -> Mapping[str, object]:
        return {**self.own, "metadata": self.metadata}


def changed_documents(
    changes: Iterable[Mapping[str, object]], store: DocumentStore
) -> Iterator[list[Mapping[str, object]]]:
    """Lines of the changed documents, some hundreds at a time; each lot is to be committed before the next is drawn.

    Raises:
        InputError: a change is no mapping with an id, or of a document that is not there.
    """
    if isinstance(changes, str | bytes | Mapping) or not isinstance(changes, Iterable):
        raise InputError(f"the changes are {changes!r:.80}, they must be several mappings")
    source = iter(changes)
    while lot := list(islice(source, _AT_ONCE)):
        ids = [_id(change) for change in lot]
        lines = {id_: _Line.of(document) for id_, document in store.documents_by_id(ids).items()}
        for id_, change in zip(ids, lot, strict=True):
            if id_ not in lines:
                raise InputError(f"there is no document {id_!r} to update: put it in with `add`")
            lines[id_] = lines[id_].changed(change)
        yield [line.whole() for line in lines.values()]


def _id(change: object) -> str:
    id_ = change.get("id") if isinstance(change, Mapping) else None
    if not isinstance(id_, str):
        raise InputError(f"{change!r:.80} is no change: a mapping with an `id` and the fields to change is expected")
    return id_


def _without_none(*parts: Mapping[str, object]) -> Mapping[str, object]:
    """The parts together, the later ones before the earlier ones; what is None goes."""
    fields = {name: value for part in parts for name, value in part.items()}
    return {name: value for name, value in fields.items() if value is not None}
