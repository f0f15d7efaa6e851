"""Changes of some fields, put onto the documents that are there.

{"id": ..., "date": ...} + the stored document --> the document it would be now

A name means what it does in a corpus's line; what is not named stays as it is, null among the metadata too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.base.json_row import LANGUAGE_NAMES, JsonRow
from interlingua_client.corpus import OWN_FIELDS, TEXT_NAMES
from interlingua_client.writing.given_documents import require_names

if TYPE_CHECKING:
    from typing import Any

    from interlingua_client.document import Document
    from interlingua_client.index.document_store import DocumentStore

_AT_ONCE = 512  # of which each has to be committed before the next are read


def changed_documents(changes: Iterable[Mapping[str, object]], store: DocumentStore) -> Iterator[list[Document]]:
    """The changed documents, some hundreds at a time; each lot is to be committed before the next is drawn.

    A language that was taken away is "".

    Raises:
        InputError: a change is no mapping with an id, or of a document that is not there. What came before is given out
            first.
    """
    if isinstance(changes, str | bytes | Mapping) or not isinstance(changes, Iterable):
        raise InputError(f"the changes are {changes!r:.80}, they must be several mappings")
    failures: list[Exception] = []
    source = _until_failure(changes, failures)
    while lot := list(islice(source, _AT_ONCE)):
        found = store.documents_by_id([id_ for id_, _ in lot])
        changed: dict[str, Document] = {}
        try:
            for id_, change in lot:
                changed[id_] = _put_onto(_there(id_, changed, found), change)
        except InputError as error:
            failures[:0] = [error]
        if changed:
            yield list(changed.values())
        if failures:
            break
    if failures:
        raise failures[0]


def _until_failure(
    changes: Iterable[Mapping[str, object]], failures: list[Exception]
) -> Iterator[tuple[str, Mapping[str, object]]]:
    try:
        for change in changes:
            yield _id(change), change
    except Exception as error:  # a program's own, too
        failures.append(error)


def _id(change: object) -> str:
    try:
        if isinstance(change, Mapping):
            return JsonRow(change).id()
        reason = "it is none"
    except ValueError as error:
        reason = str(error)
    wanted = "a mapping with an `id` and the fields to change is expected"
    raise InputError(f"{change!r:.80} is no change: {wanted} ({reason})") from None


def _there(id_: str, *places: Mapping[str, Document]) -> Document:
    for documents in places:
        if id_ in documents:
            return documents[id_]
    raise InputError(f"there is no document {id_!r} to update: put it in with `add`")


def _put_onto(document: Document, change: Mapping[str, object]) -> Document:
    try:
        require_names(change)
        own = _own_fields(JsonRow(change), document)
    except ValueError as error:
        raise InputError(f"document {document.id!r}: {error}") from None
    further = {name: value for name, value in change.items() if name not in OWN_FIELDS}
    if isinstance(nested := further.get("metadata"), Mapping):
        del further["metadata"]
        further = {**nested, **further}
    metadata: dict[str, Any] = {name: value for name, value in document.metadata.items() if name not in further}
    metadata.update((name, value) for name, value in further.items() if value is not None)
    return document._replace(**own, metadata=metadata)


def _own_fields(row: JsonRow, document: Document) -> dict[str, str]:
    """Title, text and language, those that are named. Raises ValueError: one is no text, or may be another field."""
    own = {name: row.text(name) or "" for name in ("title", "text") if name in row.fields}
    if said := {name: row.fields[name] for name in LANGUAGE_NAMES if name in row.fields}:
        own["language"] = JsonRow(said).language()
    if "text" not in row.fields:
        for name in TEXT_NAMES:
            if name in row.fields and name not in document.metadata:
                raise ValueError(f"`{name}` may be the text or not: call it `text`, or put it into `metadata`")
    return own
