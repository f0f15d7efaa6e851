"""One line of JSON from outside: a field is there or it is not, and what is there is of one kind.

    b'{"_id": 7, "title": null, "text": "olá"}' --parse--> JsonRow --id, text, name--> values
                                                                  \\-> ValueError: the field and what it must be

null is the same as not being there; "", 0 and false are something. No value becomes a text that is none, but for whole
numbers where a name is meant: an id or a group.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

LANGUAGE_NAMES = ("language", "lang", "language_code", "lang_code")
_LONG = 40  # characters: a text rather than an author, an address or a place on a shelf
_KINDS = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
_TEXTUAL = re.compile(
    "abstract|answer|article|body|chunk|contents?|description|document|html|(page|raw)_?content|paragraphs?"
    "|passages?(_text)?|plain|query|question|raw|segment|sentences?|snippet|summary|txt"
)


@dataclass(frozen=True)
class JsonRow:
    """The fields of one object."""

    fields: Mapping[str, object]

    @classmethod
    def parse(cls, line: bytes, number: int) -> JsonRow:
        """The object of a line, the first of which may begin with a byte order mark.

        Raises:
            ValueError: it is none, or has a field twice.
        """
        try:
            decoded = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"not UTF-8 at byte {error.start + 1} of the line") from None
        try:
            fields = json.loads(decoded, object_pairs_hook=_once, parse_int=_whole)
        except json.JSONDecodeError as error:
            raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from None
        except RecursionError:
            raise ValueError("not JSON that can be read: nested too deeply") from None
        except OverflowError:
            raise ValueError("not JSON that can be read: a number has too many digits") from None
        if not isinstance(fields, dict):
            raise ValueError(f"a JSON object is expected, this is {_kind(fields)}")
        return cls(fields)

    def id(self) -> str:
        """`id`, or `_id`; both may be there only if they say the same. Raises ValueError."""
        said = {name: value for name in ("id", "_id") if (value := self.name(name)) is not None}
        if not said:
            raise ValueError("there is no `id` (or `_id`)")
        if len(set(said.values())) > 1:
            raise ValueError(f"`id` is {said['id']!r} and `_id` is {said['_id']!r}: leave one out")
        return next(iter(said.values()))

    def name(self, field: str) -> str | None:
        """A string that is not blank, or a whole number; None where there is none. Raises ValueError."""
        value = self.fields.get(field)
        if type(value) is int:
            return str(value)
        text = self.text(field)
        if text is not None and not text.strip():
            raise ValueError(f"`{field}` is empty")
        return text

    def text(self, field: str) -> str | None:
        """A string, as it is; None where there is none. Raises ValueError: it is another thing, or cannot be stored."""
        value = self.fields.get(field)
        if value is None:
            return None
        if not isinstance(value, str):
            raise ValueError(f"`{field}` must be a string, this is {_kind(value)}")
        if "\0" in value:
            raise ValueError(f"`{field}` holds a NUL character at position {value.index(chr(0))}")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"`{field}` holds half of a surrogate pair at position {error.start}") from None
        return value

    def language(self) -> str:
        """What the first of LANGUAGE_NAMES says, else one in `metadata`, as it is written; "" where none says anything.

        Raises:
            ValueError: it is no string.
        """
        return next((tag for _, _, tag in self._languages()), "")

    def language_in_metadata(self) -> str:
        """The name of the field in `metadata` that `language` is read from; "" where it is not. Raises as that."""
        return next((name if is_inner else "" for is_inner, name, _ in self._languages()), "")

    def _languages(self) -> Iterator[tuple[bool, str, str]]:
        metadata = self.fields.get("metadata")
        rows = (self, JsonRow(metadata if isinstance(metadata, Mapping) else {}))
        for is_inner, row in enumerate(rows):
            for name in LANGUAGE_NAMES:
                if tag := (row.text(name) or "").strip():
                    yield bool(is_inner), name, tag

    def texts_beside(self, known: Collection[str]) -> Iterator[str]:
        """Fields that look like the text, by their name or their length, and are not among the known."""
        for field, value in self.fields.items():
            said = [text for text in _strings(value) if text.strip()]
            if field not in known and said and (_TEXTUAL.fullmatch(field.casefold()) or any(map(_is_long, said))):
                yield field


def _whole(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:  # Python's own bound, sys.get_int_max_str_digits()
        raise OverflowError from None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"`{next(name for name in names if names.count(name) > 1)}` is there twice")
    return fields


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a number")


def _strings(value: object) -> list[str]:
    """The texts in a value, however deep."""
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in items for text in _strings(item)]


def _is_long(text: str) -> bool:
    return len(text.strip()) >= _LONG and (not text.isascii() or len(text.split()) > 1)
