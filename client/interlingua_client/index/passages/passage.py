"""What is embedded and searched: a document's passages.

Document, its spans -> SplitDocument -> passages: what is embedded, and a digest over it
stored row -> StoredPassage
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from interlingua.served.text.normal_form import normal_form
from interlingua_client.index.passages.span import Span, passage_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua.base.json_value import JsonValue
    from interlingua_client.document import Document


class Passage(NamedTuple):
    """A part of a document before it is stored.

    Attributes:
        embedded: what the network reads.
        digest: 16 bytes over language, title, heading and text in their normal form: equal digests need no new vector.
    """

    span: Span
    embedded: str
    digest: bytes


@dataclass(frozen=True, eq=False)
class SplitDocument:
    """A document and where its passages are, at least one.

    Attributes:
        plan: name of the plan that it was split by; "" where none was.
        lead: the title as it stands in front of its passages, where that is another one.
    """

    document: Document
    spans: Sequence[Span]
    plan: str = ""
    lead: str | None = None

    @classmethod
    def whole(cls, document: Document) -> SplitDocument:
        """A document that is one passage."""
        return cls(document, [Span(0, len(document.text))])

    @property
    def title(self) -> str:
        """The title as it stands in front of its passages."""
        return self.document.title if self.lead is None else self.lead

    @cached_property
    def passages(self) -> list[Passage]:
        """The passages, in the spans' order."""
        language, title = self.document.language, self.title
        found = []
        for span in self.spans:
            text = self.document.text[span.start : span.end]
            content = json.dumps(
                [language, normal_form(title), normal_form(span.heading), normal_form(text)], ensure_ascii=False
            )
            digest = hashlib.blake2b(content.encode(), digest_size=16).digest()
            found.append(Passage(span, passage_text(title, span.heading, text), digest))
        return found


class StoredPassage(NamedTuple):
    """A passage as a search finds it.

    Attributes:
        document: number of its document in the store.
        id, language, title: of its document.
        lead: the document's title as it stands in front of its passages.
        text: its own.
        metadata: of its document, as JSON.
    """

    document: int
    position: int
    span: Span
    id: str
    language: str
    title: str
    lead: str
    text: str
    metadata: str

    @property
    def embedded(self) -> str:
        """What the network read."""
        return passage_text(self.lead, self.span.heading, self.text)

    @property
    def fields(self) -> dict[str, JsonValue]:
        """The document's further fields. Raises ValueError: they are damaged."""
        fields: dict[str, JsonValue] = json.loads(self.metadata)
        return fields
