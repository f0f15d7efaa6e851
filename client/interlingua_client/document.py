"""A document as it is stored and found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple, cast

from interlingua.base.errors import InputError
from interlingua.base.json_value import JsonValue, canonical_json, json_value
from interlingua.served.text.normal_form import normal_form
from interlingua_client.storable_text import is_storable


class Document(NamedTuple):
    """One text in one language.

    Attributes:
        id: unique in its index.
        language: normalised BCP 47 tag (language_tag.py).
        title: may be "".
        text: may be "" only where there is a title.
        metadata: its further fields, by name: they are kept, and are no part of what is embedded.
    """

    id: str
    language: str
    title: str
    text: str
    metadata: Mapping[str, JsonValue] = {}

    @property
    def passage(self) -> str:
        """What is embedded and reranked of a document that is one passage: the title, a line break, the text."""
        return "\n".join(part for part in (self.title, self.text) if normal_form(part).strip())

    @property
    def digest(self) -> bytes:
        """16 bytes over everything but the id, title and text in their normal form: equal digests, nothing to do."""
        content = [self.language, normal_form(self.title), normal_form(self.text)]
        if self.metadata:
            content.append(canonical_json(self.metadata))
        return hashlib.blake2b(json.dumps(content, ensure_ascii=False).encode(), digest_size=16).digest()


def require_document(document: object) -> Document:
    """The same with a copy of its metadata, in JSON's own kinds.

    Raises:
        InputError: it is no Document of texts that can be stored, or has no id or no text.
    """
    if not isinstance(document, Document):
        raise InputError(f"{document!r:.80} is no document, it must be Document(id, language, title, text)")
    *texts, metadata = zip(document._fields, document, strict=True)
    for name, value in texts:
        if not isinstance(value, str):
            raise InputError(f"document {document.id!r}: {name} is {value!r:.80}, it must be a text")
        if not is_storable(value):
            raise InputError(f"document {document.id!r}: {name} holds a NUL character or half of a surrogate pair")
    if not document.id.strip() or not document.passage:
        raise InputError(f"document {document.id!r} has no {'text' if document.id.strip() else 'id'}")
    return document._replace(metadata=_copied(document.id, metadata[1]))


def _copied(id_: str, metadata: object) -> dict[str, JsonValue]:
    if not isinstance(metadata, Mapping):
        raise InputError(f"document {id_!r}: metadata is {metadata!r:.80}, it must be a mapping of names to values")
    try:
        return cast("dict[str, JsonValue]", json_value(metadata, "metadata"))
    except ValueError as error:
        raise InputError(f"document {id_!r}: {error}") from None


def require_ids(ids: object) -> list[str]:
    """Ids of documents. Raises InputError: they are one text, which has letters for items, or not all texts."""
    found = list(ids) if isinstance(ids, Iterable) and not isinstance(ids, str | bytes) else None
    if found is None or not all(isinstance(id_, str) for id_ in found):
        raise InputError(f"ids is {ids!r:.80}, it must be a list of texts")
    return found
