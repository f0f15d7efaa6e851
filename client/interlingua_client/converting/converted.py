"""A document as it was found in a file, before it is a line of a corpus.

file --a reader--> Converted, one or many --line--> {"id", "language", "title", "text", and its metadata}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

from interlingua.base.errors import InputError
from interlingua.base.json_row import LANGUAGE_NAMES
from interlingua_client.storable_text import storable

_RESERVED = frozenset(
    {"id", "_id", "title", "text", "contents", "content", "body", "metadata", "path", *LANGUAGE_NAMES}
)
_BLANK_LINES = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)


class Converted(NamedTuple):
    """What a file says of one document.

    Attributes:
        text: headings in it are Markdown's (`## ...`).
        language: as the file writes it, "" where it says nothing.
        metadata: further fields; one that would take the place of the document's own is called `source_...`.
        id: "" for the only document of its file, which is called by its path.
    """

    title: str
    text: str
    language: str = ""
    metadata: Mapping[str, object] = {}
    id: str = ""

    def fields(self) -> dict[str, object]:
        """The line's fields but for id and language, clean of what cannot be stored."""
        further = {
            self._called(name): plain_value(value)
            for name, value in self.metadata.items()
            if value not in (None, "", [])
        }
        return {"title": " ".join(clean(self.title).split()), "text": clean(self.text), **further}

    def _called(self, name: str) -> str:
        """A further field's name in the line."""
        called = f"source_{name}" if name in _RESERVED else name
        while called != name and called in self.metadata:
            called = f"source_{called}"
        return storable(called)


class UnreadableFileError(InputError):
    """A file, or a part of one, of which no document can be made."""


def clean(text: str) -> str:
    """Without NUL characters, halves of surrogate pairs, blanks at the ends of lines and more than one blank line."""
    text = storable(text.replace("\r\n", "\n").replace("\r", "\n"))
    return _BLANK_LINES.sub("\n\n", _TRAILING.sub("", text)).strip()


def plain_value(value: object) -> object:
    """A value as JSON has it: dates in ISO 8601, what else JSON does not know as text that can be stored."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {storable(f"{key}"): plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain_value(item) for item in value]
    return storable(f"{value}")
