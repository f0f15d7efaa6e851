"""Documents as a program gives them: records, or mappings as a corpus's lines.

Document or {"id": ..., "text": ...} --GivenDocuments--> Document, its language detected where it has none
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from interlingua.base.errors import InputError
from interlingua.base.json_row import JsonRow
from interlingua_client.corpus import document_of
from interlingua_client.document import Document, require_document
from interlingua_client.language_tag import detected_as, normalize_tag

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
                document = self._document(one)
            except (ValueError, InputError) as error:
                raise InputError(f"document {place}: {str(error).removeprefix('document ')}") from None
            yield document

    def tagged(self, document: Document) -> Document:
        """With a language, detected where it has none."""
        if document.language == "":
            return document._replace(language=self._called("", document.title, document.text))
        return document

    def _document(self, one: GivenDocument) -> Document:
        if isinstance(one, Mapping):
            require_names(one)
            one = document_of(JsonRow(one), self._called)
        require_document(one)
        tagged = self.tagged(one)
        return tagged._replace(language=normalize_tag(tagged.language))

    def _called(self, said: str, title: str, text: str) -> str:
        if said:
            return said
        found = self._detect(f"{title}\n{text}")
        return detected_as(found, self._known) or found


def require_names(given: Mapping[Any, object]) -> None:
    """Raises ValueError: a field's name is no text."""
    for name in given:
        if not isinstance(name, str):
            raise ValueError(f"a field is called {name!r:.80}, it must be a text")
