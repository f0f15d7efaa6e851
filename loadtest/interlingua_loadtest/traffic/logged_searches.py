"""A search log's lines, for load that is like what was asked before: when, in which language, and what.

    search log (search_log.py; plain or .gz) -> LoggedSearch ... -> schedule.py, request_stream.py

A line tells the moment of its answer; a search arrived as much earlier as it took. Of one that failed it is not known
how long it took, and its line's moment is taken.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from interlingua.base.errors import InputError
from interlingua.base.numbered_lines import numbered_lines
from interlingua_client.language_tag import UNDETERMINED, normalize_tag
from interlingua_evaluation.monitoring.log_records import STAGES, LogRecord, parse_line

_TOTAL = STAGES.index("total_s")


class LoggedSearch(NamedTuple):
    """One line.

    Attributes:
        line: its number in the file.
        logged_s: the moment of the answer, seconds since 1970.
        arrived_s: the moment it was asked.
        language: a normalised BCP 47 tag; "und" where it was not detected.
        query: None where the log is without texts.
    """

    line: int
    logged_s: float
    arrived_s: float
    language: str
    query: str | None


def read_logged_searches(file: Path) -> Iterator[LoggedSearch]:
    """The searches, in the file's order; half a line at the end, as a killed process leaves it, is left out.

    Raises:
        InputError: the file cannot be read, or a line is none of a search log.
    """
    for number, line in numbered_lines(file):
        yield from _search(file, number, line)


def _search(file: Path, number: int, line: bytes) -> Iterator[LoggedSearch]:
    try:
        record = parse_line(line)
    except ValueError as error:
        if not line.endswith(b"\n"):
            return
        raise InputError(f"{file}, line {number} is not of a search log: {error}") from None
    value = json.loads(line)
    tag = value["language"]["tag"]
    query = value.get("query")
    yield LoggedSearch(
        number,
        record.time,
        record.time - _seconds_taken(record),
        UNDETERMINED if tag is None else normalize_tag(tag),
        query if isinstance(query, str) and query.strip() else None,
    )


def _seconds_taken(record: LogRecord) -> float:
    taken = math.nan if record.answer is None else record.answer.times[_TOTAL]
    return 0.0 if math.isnan(taken) else taken
