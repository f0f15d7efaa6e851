"""A document as it is stored and found."""

from __future__ import annotations

import hashlib
import json
from typing import NamedTuple


class Document(NamedTuple):
    """One text in one language.

    Attributes:
        id: unique in its index.
        language: normalised BCP 47 tag (language_tag.py).
        title: may be "".
        text: may be "" only where there is a title.
    """

    id: str
    language: str
    title: str
    text: str

    @property
    def passage(self) -> str:
        """What is embedded and reranked: the title, a line break, the text."""
        return "\n".join(part for part in (self.title, self.text) if part.strip())

    @property
    def digest(self) -> bytes:
        """16 bytes over everything but the id: equal digests need no new vector."""
        content = json.dumps([self.language, self.title, self.text], ensure_ascii=False)
        return hashlib.blake2b(content.encode(), digest_size=16).digest()
