"""Judgments in BEIR's layout: `query-id<TAB>corpus-id<TAB>score`, with or without a header.

lines --> grades of 1 and more, by query and document
     \\-> how many say "not relevant" (0 and less)
     \\-> mistakes, all of them, with file and line
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from interlingua.base.errors import InputError

Qrels = dict[str, dict[str, int]]

_SHOWN = 10
_PREFERRED = "test.tsv"


class Judgments(NamedTuple):
    """What a file says.

    Attributes:
        not_relevant: lines with a grade of 0 or less.
    """

    relevant: Qrels
    not_relevant: int


@dataclass
class Faults:
    """Mistakes of one input, to be told at once."""

    where: str
    found: list[str] = field(default_factory=list)

    def raise_any(self) -> None:
        """Raises InputError with the first ten, if there are any."""
        if not self.found:
            return
        shown = [f"  {fault}" for fault in self.found[:_SHOWN]]
        if len(self.found) > _SHOWN:
            shown.append(f"  ... and {len(self.found) - _SHOWN} more")
        mistakes = "1 mistake" if len(self.found) == 1 else f"{len(self.found)} mistakes"
        raise InputError("\n".join([f"{self.where} has {mistakes}:", *shown]))


def qrels_file(folder: Path) -> Path:
    """`test.tsv`, or the only file with judgments.

    Raises:
        InputError: there is none, or several and no `test.tsv`.
    """
    files = sorted(folder.glob("*.tsv"))
    if folder / _PREFERRED in files:
        return folder / _PREFERRED
    if not files:
        raise InputError(f"there are no judgments: {folder / _PREFERRED} is missing, and no other .tsv is beside it")
    if len(files) > 1:
        names = ", ".join(file.name for file in files)
        raise InputError(f"{folder} has {names} and no {_PREFERRED}: rename the one to measure with to {_PREFERRED}")
    return files[0]


def read_qrels(file: Path) -> Qrels:
    """Judgments with a grade of 1 or more.

    Raises:
        InputError: the file cannot be read, or a line is not `query<TAB>document<TAB>whole number`.
    """
    faults = Faults(str(file))
    judgments = read_judgments(file, faults)
    faults.raise_any()
    return judgments.relevant


def read_judgments(file: Path, faults: Faults) -> Judgments:
    """The judgments of the good lines; the others are added to the faults.

    Raises:
        InputError: the file cannot be read.
    """
    grades: dict[tuple[str, str], int] = {}
    for position, (number, line) in enumerate(lines(file)):
        parsed = _parsed(line)
        if parsed is None:
            if position > 0 or line.count("\t") < 2:
                expected = "expected query<TAB>document<TAB>grade, a whole number"
                faults.found.append(f"{file}, line {number}: {expected}, got {line!r}")
            continue
        query, document, grade = parsed
        if grades.setdefault((query, document), grade) != grade:
            faults.found.append(f"{file}, line {number}: {document!r} has another grade for {query!r} further up")
    relevant: Qrels = {}
    for (query, document), grade in grades.items():
        if grade > 0:
            relevant.setdefault(query, {})[document] = grade
    return Judgments(relevant, sum(grade <= 0 for grade in grades.values()))


def lines(file: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, with their numbers.

    Raises:
        InputError: the file cannot be read, or is not UTF-8.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {file}: {error}") from error
    return ((number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())


def _parsed(line: str) -> tuple[str, str, int] | None:
    """None where the third field is no whole number: on the first line, a header."""
    try:
        query, document, grade = line.rstrip("\r").split("\t")[:3]
        return query, document, int(grade)
    except ValueError:
        return None
