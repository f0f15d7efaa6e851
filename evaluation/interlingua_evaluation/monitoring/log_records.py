"""Search logs, line by line, in constant memory.

    files (plain or .gz) -> lines -> JSON -> LogRecord, those of the time asked for
                                \\-> bad lines: counted, the first ones kept with number and reason

Half a line at a file's end, as a killed process leaves it, is one bad line like others.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from interlingua.base.errors import InputError
from interlingua.base.numbered_lines import numbered_lines
from interlingua_client.language_tag import normalize_tag
from interlingua_client.search.results import StageTimes
from interlingua_client.search.search_log import ERROR_KINDS, FORMAT, REASON_KINDS, Setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STAGES = tuple(stage.name for stage in fields(StageTimes))
UNSURE = "(unsure)"
UNDETECTED = "(not detected)"

_BAD_LINES_KEPT = 5
_LONGEST_WORD = 128
_DENSE_MODES = ("codes", "off")  # of `words`: what the first stage finds by vectors is scored by vectors
_NAN = math.nan


class BadLogLine(NamedTuple):
    """A line that is no record, and why."""

    file: str
    number: int
    reason: str


class LogWindow(NamedTuple):
    """A time from `since` up to, not including, `until`, in seconds since 1970; open where infinite."""

    since: float = -math.inf
    until: float = math.inf


class LoggedAnswer(NamedTuple):
    """What was found; scores and times are NaN where there is none.

    Attributes:
        hit_languages: of the hits, best first.
        filtered: the hits' languages are not the first stage's choice among all documents: certain ones were asked for,
            a filter was given or pinned, or words found them.
        dense, logit: of the first hit.
        margin: the first hit's score less the second's, where both were ranked by the same kind of score.
        reason: why reranking was not complete, as interlingua_client/search/search_log.py names it.
        times: seconds, in the order of STAGES.
    """

    hit_languages: tuple[str, ...]
    filtered: bool
    dense: float
    logit: float
    margin: float
    reason: str
    truncated: bool
    times: tuple[float, ...]


class LogRecord(NamedTuple):
    """One search.

    Attributes:
        time: seconds since 1970.
        group: the query's language, or "(unsure)", or "(not detected)".
        source: of the language, as QueryLanguage has it.
        error: kind of failure; "" when there is an answer.
    """

    time: float
    setting: Setting
    group: str
    source: str
    error: str
    answer: LoggedAnswer | None


@dataclass(kw_only=True)
class LogReading:
    """Some logs, read once; counts are filled while reading.

    Attributes:
        lines: that were not blank.
        bad: lines that are no records.
        first_bad: the first of them.
        outside: records of another time than was asked for.
        first, last: time of the earliest and of the latest record in the window; NaN before there is one.
    """

    paths: Sequence[Path]
    window: LogWindow = field(default_factory=LogWindow)
    lines: int = 0
    bad: int = 0
    outside: int = 0
    first: float = _NAN
    last: float = _NAN
    first_bad: list[BadLogLine] = field(default_factory=list)

    def __iter__(self) -> Iterator[LogRecord]:
        """The records of the window.

        Raises:
            InputError: a file cannot be read, no line is a record, or none is of the time asked for.
        """
        found = 0
        for path in self.paths:
            for record in self._records(path):
                if self.window.since <= record.time < self.window.until:
                    found += 1
                    self.first, self.last = _least(self.first, record.time), -_least(-self.last, -record.time)
                    yield record
                else:
                    self.outside += 1
        if not found:
            raise InputError(self._why_nothing())

    def _records(self, path: Path) -> Iterator[LogRecord]:
        for number, line in numbered_lines(path):
            self.lines += 1
            try:
                yield parse_line(line)
            except ValueError as error:
                self.bad += 1
                if len(self.first_bad) < _BAD_LINES_KEPT:
                    reason = str(error) if line.endswith(b"\n") else "cut off by the file's end"
                    self.first_bad.append(BadLogLine(str(path), number, reason))

    def _why_nothing(self) -> str:
        names = ", ".join(map(str, self.paths))
        if self.outside:
            return f"{names}: none of {self.outside} searches is of the time asked for (--since, --until)"
        if not self.lines:
            return f"{names}: no search was logged (a search log comes from `interlingua search --log FILE`)"
        first = self.first_bad[0]
        return (
            f"{names}: none of {self.lines} lines is of a search log; {first.file} line {first.number}: {first.reason}"
        )


def parse_line(line: bytes) -> LogRecord:
    """One line; raises ValueError saying what is wrong with it."""
    try:
        value = _DECODER.decode(line.decode())
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    if value.get("format") != FORMAT:
        raise ValueError(f"its `format` is {str(value.get('format'))[:_LONGEST_WORD]!r}, this version reads {FORMAT}")
    try:
        return _record(value)
    except KeyError as error:
        raise ValueError(f"`{error.args[0]}` is missing") from None
    except (TypeError, AttributeError, OverflowError):
        raise ValueError("a field has another type than a search log's") from None


def _record(value: dict[str, Any]) -> LogRecord:
    language = value["language"]
    tag, source = language["tag"], _word(language["source"])
    group = _tag(tag) if tag is not None else UNSURE if source == "unsure" else UNDETECTED
    reranker = value["reranker"]
    setting = Setting(_word(value["embedder"]), None if reranker is None else _word(reranker), bool(value["offsets"]))
    error = value.get("error", "")
    if error:
        error = error if error in ERROR_KINDS else "other"
    return LogRecord(_time(value["time"]), setting, group, source, error, None if error else _answer(value))


def _answer(value: dict[str, Any]) -> LoggedAnswer:
    hits, times, reason = value["hits"], value["times"], value["reranking"]["reason"]
    by_words = value.get("words", "off") not in _DENSE_MODES
    first = hits[0] if hits and not by_words else {"dense_score": None, "rerank_score": None}
    return LoggedAnswer(
        tuple([_tag(hit["language"]) for hit in hits]),
        bool(value["languages"]) or _is_held(value) or by_words,
        _number(first["dense_score"]),
        _number(first["rerank_score"]),
        _NAN if by_words else _margin(hits),
        reason if reason in REASON_KINDS else "other",
        bool(value["query_truncated"]),
        tuple([_number(times.get(stage)) for stage in STAGES]),
    )


def _is_held(value: dict[str, Any]) -> bool:
    """Whether a filter was given or pinned; logs of earlier versions say nothing of either."""
    return value.get("filter") not in (None, {}) or bool(value.get("pinned"))


def _margin(hits: list[dict[str, Any]]) -> float:
    if len(hits) < 2 or (hits[0]["rerank_score"] is None) != (hits[1]["rerank_score"] is None):
        return _NAN
    return _number(hits[0]["score"]) - _number(hits[1]["score"])


def _number(value: object) -> float:
    if value is None:
        return _NAN
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _word(value: str) -> str:
    if len(value) > _LONGEST_WORD or not value.isprintable():
        raise ValueError("a name in it is not printable, or too long")
    return value


def _time(value: str) -> float:
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@lru_cache(maxsize=4096)
def _tag(raw: str) -> str:
    return normalize_tag(raw)


def _least(old: float, new: float) -> float:
    return new if math.isnan(old) else min(old, new)


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number in JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
