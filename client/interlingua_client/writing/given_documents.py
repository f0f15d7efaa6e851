"""Documents as a program gives them: records, or mappings as a corpus's lines.

Document or {"id": ..., "text": ...} --GivenDocuments--> Document, its language detected where it has none
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from interlingua.base.errors import InputError
from interlingua.base.json_row import JsonRow
from interlingua_client.corpus import document_of
from interlingua_client.document import Document
from interlingua_client.language_tag import detected_as

if TYPE_CHECKING:
    from collections.abc import Callable

GivenDocument: TypeAlias = Document | Mapping[str, object]


class GivenDocuments:
    """Turns what was given into documents, one after the other, in constant memory."""

    def __init__(self, detect: Callable[[str], str], known: Iterable[str]) -> None:
        """`detect` names the language of a text; what it finds is called as the index's own `known` languages are."""
        self._detect = detect
        self._known = list(known)

    def read(self, given: Iterable[GivenDocument]) -> Iterator[Document]:
        """The documents. Raises InputError: one is none; it is named by its place, counted from 1."""
        if isinstance(given, str | bytes | Mapping | Document) or not isinstance(given, Iterable):
            raise InputError(f"the documents are {given!r:.80}, they must be several: Document(...) or mappings")
        for place, one in enumerate(given, start=1):
            try:
                yield self._document(one)
            except ValueError as error:
                raise InputError(f"document {place}: {error}") from None

    def _document(self, one: GivenDocument) -> Document:
        if isinstance(one, Mapping):
            return document_of(JsonRow(one), self._called)
        if isinstance(one, Document) and one.language == "":
            return one._replace(language=self._called("", one.title, one.text))
        return one

    def _called(self, said: str, title: str, text: str) -> str:
        if said:
            return said
        found = self._detect(f"{title}\n{text}")
        return detected_as(found, self._known) or found
