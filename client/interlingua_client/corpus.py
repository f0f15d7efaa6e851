"""Documents from JSON lines.

    file, .gz or standard input -> lines -> objects -> documents
                                                  \\-> bad lines, with number and reason

A line is `{"id" or "_id", "text", "title"?, "language" or "lang"?}`; the language may also stand in `metadata` (BEIR's
place for it). Where there is none it is detected, and counted; a language is called as the corpus calls it.
A text may be called `contents`, `content` or `body`; one that is called otherwise is a bad line, rather than a document
without text. Every further field, and what an object called `metadata` holds, is the document's metadata.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from interlingua.base.counted import counted
from interlingua.base.errors import InputError
from interlingua.base.json_row import LANGUAGE_NAMES, JsonRow
from interlingua.base.json_value import JsonValue, json_value
from interlingua.base.numbered_lines import STANDARD_INPUT, name_of, numbered_lines
from interlingua.served.text.normal_form import normal_form
from interlingua_client.document import Document
from interlingua_client.language_tag import detected_as, is_registered, normalize_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_MAX_BAD_LINES_SHOWN = 10
_SAID = re.compile(rb'"(?:%b)"\s*:\s*"([^"\\]+)"' % "|".join(LANGUAGE_NAMES).encode())
TEXT_NAMES = ("contents", "content", "body")
_KNOWN = frozenset({"id", "_id", "title", *LANGUAGE_NAMES, "group", "metadata", "url", *TEXT_NAMES})
OWN_FIELDS = frozenset({"id", "_id", "title", "text", *LANGUAGE_NAMES})  # of a line, beside the metadata


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
                document = self._document(JsonRow.parse(line, number), number)
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

    def _document(self, row: JsonRow, number: int) -> Document:
        id_ = row.id()
        if id_ in self.lines_by_id:
            raise ValueError(f"id {id_!r} was already used by line {self.lines_by_id[id_]}")
        document = document_of(row, self._called)
        self.lines_by_id[id_] = number
        return document

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


def document_of(row: JsonRow, called: Callable[[str, str, str], str]) -> Document:
    """The document of a line.

    Args:
        called: its language, from the tag that it says ("" where it says none), its title and its text.

    Raises:
        ValueError: a field is of the wrong kind, or what a document must have is missing.
    """
    id_, title, (text, field) = row.id(), row.text("title") or "", _passage(row)
    metadata = _metadata(row, field)
    if not Document(id_, "", title, text).passage:
        raise ValueError("there is no text: `text` and `title` are missing or empty")
    language = called(normalize_tag(said) if (said := row.language()) else "", title, text)
    return Document(id_, language, title, text, metadata)


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


class GroupedCorpus(Corpus):
    """A corpus whose lines may name a group: translations share it."""

    @cached_property
    def groups(self) -> dict[str, str]:
        """Groups by document id, of the lines that name one; filled while reading."""
        return {}

    def _document(self, row: JsonRow, number: int) -> Document:
        group = row.name("group")
        document = super()._document(row, number)
        if group is not None:
            self.groups[document.id] = group
        return document


def _passage(row: JsonRow) -> tuple[str, str]:
    """The text, and the field that it is in: `text`, or without it what other collections call it.

    Never "" beside another field that looks like the text.
    """
    text = row.text("text")
    if text and normal_form(text).strip():
        return text, "text"
    named = {name: said for name in TEXT_NAMES if (said := row.text(name)) and said.strip()}
    if len(named) > 1:
        raise ValueError(f"there is no `text`, but {_listed(named)}: call one of them `text`")
    if not named and (others := list(row.texts_beside(_KNOWN))):
        raise ValueError(f"there is no `text`, but {_listed(others)}: call it `text`, or put it into `metadata`")
    return next(((said, name) for name, said in named.items()), (text or "", "text"))


def _metadata(row: JsonRow, text_name: str) -> dict[str, JsonValue]:
    """Every field that is no part of the document itself. Raises ValueError: one cannot be kept, or is there twice."""
    inner = row.fields.get("metadata")
    nested = inner if isinstance(inner, Mapping) else {}
    left_out = OWN_FIELDS | {text_name} | ({"metadata"} if inner is None or isinstance(inner, Mapping) else set())
    of_language = row.language_in_metadata()
    own = {name: json_value(value, name) for name, value in row.fields.items() if name not in left_out}
    kept = {name: json_value(value, f"metadata.{name}") for name, value in nested.items() if name != of_language}
    if differing := [name for name in kept if name in own and kept[name] != own[name]]:
        raise ValueError(f"{_listed(differing)} is there twice: in the line and, with another value, in `metadata`")
    return {**kept, **own}


def _listed(names: Iterable[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _explain(name: str, bad_lines: list[BadLine]) -> str:
    shown = [f"  line {bad.number}: {bad.reason}" for bad in bad_lines[:_MAX_BAD_LINES_SHOWN]]
    if len(bad_lines) > len(shown):
        shown.append(f"  ... and {len(bad_lines) - len(shown)} more")
    return "\n".join([f"{name} has {counted(len(bad_lines), 'bad line')} (--skip-bad leaves them out):", *shown])
