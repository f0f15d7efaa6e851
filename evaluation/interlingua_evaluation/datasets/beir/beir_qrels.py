"""Judgments, tab-separated: BEIR's three columns, TREC's four, or columns in any order under their names.

    query-id  corpus-id  score           BEIR; the first line may name the columns, and then decides which is which
    query  0  document  grade            TREC: whitespace between them, and an iteration that is passed over

lines --> grades of 1 and more, by query and document
     \\-> how many say "not relevant" (0 and less)
     \\-> mistakes, all of them, with file and line
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from interlingua.base.errors import InputError
from interlingua.base.numbered_lines import numbered_lines
from interlingua_evaluation.measures.gains import DEFAULT, Gains, too_high

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.beir.input_faults import Faults

Qrels = dict[str, dict[str, int]]

_PREFERRED = "test.tsv"
_WHOLE = re.compile(r"([+-]?[0-9]{1,400})(\.0+)?")  # 2.0: a column of numbers that once had a gap
_EXPECTED = "expected query<TAB>document<TAB>grade, a whole number"
_NAMES: Mapping[str, frozenset[str]] = {
    "query": frozenset({"query", "queryid", "qid", "topic", "topicid"}),
    "document": frozenset({"corpus", "corpusid", "document", "documentid", "doc", "docid", "docno", "did", "pid"}),
    "grade": frozenset({"score", "grade", "relevance", "rel", "label", "judgment", "judgement", "qrel"}),
}
_SAY_NOTHING = frozenset({"iteration", "iter", "q0"})


class Judgments(NamedTuple):
    """What a file says.

    Attributes:
        not_relevant: lines with a grade of 0 or less.
        unread: columns that its first line names and that say nothing about relevance.
    """

    relevant: Qrels
    not_relevant: int
    unread: tuple[str, ...]


def qrels_file(folder: Path) -> Path:
    """`test.tsv`, or the only file with judgments; each may be gzipped.

    Raises:
        InputError: there is none, or several and no `test.tsv`.
    """
    files = sorted([*folder.glob("*.tsv"), *folder.glob("*.tsv.gz")])
    preferred = [file for file in files if file.name in (_PREFERRED, f"{_PREFERRED}.gz")]
    if not files:
        raise InputError(f"there are no judgments: {folder / _PREFERRED} is missing, and no other .tsv is beside it")
    if len(preferred) > 1 or (len(files) > 1 and not preferred):
        names = ", ".join(file.name for file in files)
        lacking = "both" if preferred else f"no {_PREFERRED}"
        raise InputError(f"{folder} has {names} and {lacking}: rename the one to measure with to {_PREFERRED}")
    return (preferred or files)[0]


def read_judgments(file: Path, faults: Faults, gains: Gains = DEFAULT) -> Judgments:
    """The judgments of the good lines; the others are added to the faults.

    Args:
        gains: that the grades will have; those whose gain is beyond the bound are faults.

    Raises:
        InputError: the file cannot be read.
    """
    reader = _Reader(gains)
    for number, line in numbered_lines(file):
        try:
            reader.read(line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n"))
        except UnicodeDecodeError as error:
            faults.found.append(f"{file}, line {number}: not UTF-8 at byte {error.start + 1} of the line")
        except ValueError as error:
            faults.found.append(f"{file}, line {number}: {error}")
    relevant: Qrels = {}
    for (query, document), grade in reader.grades.items():
        if grade > 0:
            relevant.setdefault(query, {})[document] = grade
    return Judgments(relevant, sum(grade <= 0 for grade in reader.grades.values()), reader.unread)


@dataclass
class _Reader:
    """Line by line; what the first says about the columns holds for all."""

    gains: Gains
    grades: dict[tuple[str, str], int] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    _: KW_ONLY
    _places: Mapping[str, int] | None = field(default=None, init=False)
    _width: int = field(default=0, init=False)
    _iteration: str | None = field(default=None, init=False)

    def read(self, line: str) -> None:
        """Raises ValueError: what is wrong with the line."""
        fields = line.split("\t") if "\t" in line else line.split()
        if not self._width:
            self._width = len(fields)
            if (named := _named(fields)) is not None:
                self._places = named
                rest = (name for place, name in enumerate(fields) if place not in named.values())
                self.unread = tuple(name for name in rest if _plain(name) not in _SAY_NOTHING)
                return
        query, document, grade = self._judged(fields, line)
        if self.grades.setdefault((query, document), grade) != grade:
            raise ValueError(f"{document!r} has another grade for {query!r} further up")

    def _judged(self, fields: Sequence[str], line: str) -> tuple[str, str, int]:
        if len(fields) != self._width and self._width > 2 and len(fields) > 2:
            raise ValueError(f"{_EXPECTED}; this line has {len(fields)} columns, the first has {self._width}: {line!r}")
        if self._places is not None and len(fields) == self._width:
            query, document, written = (fields[self._places[name]] for name in _NAMES)
        elif self._places is None and len(fields) == 3:
            query, document, written = fields
        elif self._places is None and len(fields) == 4:
            query, iteration, document, written = fields
            self._require_iteration(iteration, line)
        else:
            raise ValueError(f"{_EXPECTED}, got {line!r}")
        whole = _WHOLE.fullmatch(written.strip())
        if whole is None or not query.strip() or not document.strip():
            raise ValueError(f"{_EXPECTED}, got {line!r}")
        grade = int(whole[1])
        if fault := too_high(grade, self.gains):
            raise ValueError(fault)
        return query, document, grade

    def _require_iteration(self, iteration: str, line: str) -> None:
        """TREC's second column says nothing; a document's id would say something else in every line."""
        first = self._iteration = iteration if self._iteration is None else self._iteration
        if iteration != first or not (_WHOLE.fullmatch(iteration) or iteration.casefold() == "q0"):
            raise ValueError(
                f"of four columns the second is TREC's iteration, the same number in every line, got {line!r}: "
                "name the columns in a first line"
            )


def _named(fields: Sequence[str]) -> Mapping[str, int] | None:
    """The places of a first line that names columns; None where it is a judgment. Raises ValueError: half a header."""
    plain = list(map(_plain, fields))
    places = {what: [place for place, name in enumerate(plain) if name in known] for what, known in _NAMES.items()}
    found = {what: where[0] for what, where in places.items() if len(where) == 1}
    if len(found) == len(_NAMES):
        return found
    if any(_WHOLE.fullmatch(name.strip()) for name in fields) or not any(places.values()):
        return None
    unclear = " and ".join(f"the {what}" for what in _NAMES if what not in found)
    raise ValueError(
        f"the first line names columns, but not which is {unclear}; they are called query-id, corpus-id and score"
    )


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()
