"""Documents from JSON lines.

    file, .gz or standard input -> lines -> objects -> documents
                                                  \\-> bad lines, with number and reason

A line is `{"id" or "_id", "text", "title"?, "language"?}`; the language may also stand in `metadata.language`
(BEIR's place for it). Where there is none it is detected, and counted; a language is called as the corpus calls it.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from interlingua.base.errors import InputError
from interlingua.base.numbered_lines import STANDARD_INPUT, name_of, numbered_lines
from interlingua_client.document import Document
from interlingua_client.language_tag import detected_as, is_registered, normalize_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_MAX_BAD_LINES_SHOWN = 10
_SAID = re.compile(rb'"language"\s*:\s*"([^"\\]+)"')


class BadLine(NamedTuple):
    """A line that is no document, and why."""

    number: int
    reason: str


class Corpus:
    """An input that is read once, line by line, in constant memory but for the ids.

    Attributes:
        bad_lines: what was wrong, filled while reading.
        detected: documents without a language of their own, by the language that was detected.
        unregistered: documents by tags that IANA's registry does not have: likely mistakes, and languages of their own.
        lines_by_id: the line each id came from.
    """

    def __init__(
        self,
        source: str | Path,
        detect: Callable[[str], str],
        *,
        skip_bad: bool = False,
        known: Iterable[str] = (),
    ) -> None:
        """`source` is a path or "-"; `detect` names the language of a text that does not say it.

        What is detected as `pt` is called `pt-BR` where documents say so: those of the corpus (of standard input, those
        that came before), else those whose languages are `known`.
        """
        self.source = str(source)
        self.bad_lines: list[BadLine] = []
        self.detected: Counter[str] = Counter()
        self.unregistered: Counter[str] = Counter()
        self.lines_by_id: dict[str, int] = {}
        self._detect = detect
        self._skip_bad = skip_bad
        self._known = list(known)
        self._said: Counter[str] = Counter()
        self._lines: int | None = None

    def __iter__(self) -> Iterator[Document]:
        """The documents up to the first bad line, or all good ones with `skip_bad`.

        After a bad line the rest is still checked, so that one error names them all.

        Raises:
            InputError: the input cannot be read, or a line is bad.
        """
        self.count_lines()
        for number, line in numbered_lines(self.source):
            try:
                document = self._document(line, number)
            except ValueError as error:
                self.bad_lines.append(BadLine(number, str(error)))
                continue
            if self._skip_bad or not self.bad_lines:
                yield document
        if self.bad_lines and not self._skip_bad:
            raise InputError(_explain(name_of(self.source), self.bad_lines))

    def count_lines(self) -> int | None:
        """Lines that are not blank; None for standard input, which can be read only once."""
        if self.source != STANDARD_INPUT and self._lines is None:
            said: Counter[bytes] = Counter()
            self._lines = 0
            for _, line in numbered_lines(self.source):
                self._lines += 1
                said.update(_SAID.findall(line))
            for tag, count in said.items():
                self._note_said(tag.decode(errors="replace"), count)
        return self._lines

    def _document(self, line: bytes, number: int) -> Document:
        fields = _parse(line, number)
        id_ = _id(fields)
        if id_ in self.lines_by_id:
            raise ValueError(f"id {id_!r} was already used by line {self.lines_by_id[id_]}")
        title, text = _text(fields, "title"), _text(fields, "text")
        if not Document(id_, "", title, text).passage:
            raise ValueError("there is no text: `text` and `title` are missing or empty")
        language = self._called(_language(fields), title, text)
        self.lines_by_id[id_] = number
        return Document(id_, language, title, text)

    def _called(self, said: str, title: str, text: str) -> str:
        if not said:
            found = self._detect(f"{title}\n{text}")
            tags = [tag for tag, _ in self._said.most_common()]
            found = detected_as(found, tags) or detected_as(found, self._known) or found
            self.detected[found] += 1
            return found
        if self._lines is None:
            self._note_said(said, 1)
        if not is_registered(said):
            self.unregistered[said] += 1
        return said

    def _note_said(self, tag: str, count: int) -> None:
        with contextlib.suppress(ValueError):  # a bad line, which is told when it is read
            self._said[normalize_tag(tag)] += count


def tag_remarks(detected: Mapping[str, int], unregistered: Mapping[str, int]) -> list[str]:
    """What a user should know of a corpus's languages, in sentences, from how many documents each tag has."""
    remarks = []
    if detected:
        remarks.append(f"documents whose language is not said, and was detected: {_counted(detected)}")
    if unregistered:
        remarks.append(
            f"tags that are no registered language's (IANA), each taken for a language: {_counted(unregistered)}. "
            "If they are mistakes, correct them and start again"
        )
    return remarks


def _counted(tags: Mapping[str, int]) -> str:
    return ", ".join(f"{tag} {count}" for tag, count in tags.items())


def _parse(line: bytes, number: int) -> dict[str, object]:
    try:
        decoded = line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start + 1} of the line") from None
    try:
        fields = json.loads(decoded)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise ValueError("not a document: nested too deeply") from None
    if not isinstance(fields, dict):
        raise ValueError(f"a JSON object is expected, this is {_json_type(fields)}")
    return fields


def _id(fields: dict[str, object]) -> str:
    name = "id" if "id" in fields else "_id"
    value = fields.get(name)
    if value is None:
        raise ValueError("there is no `id` (or `_id`)")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"`{name}` must be a string, this is {_json_type(value)}")
    id_ = _clean(str(value), name)
    if not id_.strip():
        raise ValueError(f"`{name}` is empty")
    return id_


def _text(fields: dict[str, object], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"`{name}` must be a string, this is {_json_type(value)}")
    return _clean(value, name)


def _language(fields: dict[str, object]) -> str:
    """The normalised tag, or "" where there is none."""
    value = fields.get("language")
    metadata = fields.get("metadata")
    if value is None and isinstance(metadata, dict):
        value = metadata.get("language")
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        raise ValueError(f"`language` must be a string, this is {_json_type(value)}")
    return normalize_tag(value)


def _clean(value: str, name: str) -> str:
    if "\0" in value:
        raise ValueError(f"`{name}` holds a NUL character at position {value.index(chr(0))}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"`{name}` holds half of a surrogate pair at position {error.start}") from None
    return value


def _json_type(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _explain(name: str, bad_lines: list[BadLine]) -> str:
    shown = [f"  line {bad.number}: {bad.reason}" for bad in bad_lines[:_MAX_BAD_LINES_SHOWN]]
    if len(bad_lines) > len(shown):
        shown.append(f"  ... and {len(bad_lines) - len(shown)} more")
    lines = "1 bad line" if len(bad_lines) == 1 else f"{len(bad_lines)} bad lines"
    return "\n".join([f"{name} has {lines} (--skip-bad leaves them out):", *shown])
