"""A report's folder, read again: report.json says what was evaluated, values.npz has every list's values.

    BEFORE/ --SavedReport--\\
                            matched by query and pool --> the lists of both, with both values
    AFTER/  --SavedReport--/
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua.base.errors import InputError
from interlingua.base.record_file import read_record
from interlingua_evaluation.report.list_values import ListValues
from interlingua_evaluation.report.model import FORMAT, Report

if TYPE_CHECKING:
    from interlingua_evaluation.measures.gains import Gains
    from interlingua_evaluation.measures.relevance import Values

FILE = "report.json"
_REMEDY = "make it with `interlingua evaluate --out`"


@dataclass(frozen=True)
class SavedReport:
    """What a comparison needs of a report.

    Attributes:
        values: of every list.
    """

    folder: Path
    report: Report
    values: ListValues

    @classmethod
    def load(cls, folder: Path) -> SavedReport:
        """Read a folder that `interlingua evaluate` wrote.

        Raises:
            InputError: a file is missing, broken, or of another format.
        """
        report = read_record(Report, folder / FILE, what="report", made_format=FORMAT, remedy=_REMEDY)
        return cls(folder, report, ListValues.load(folder))

    @property
    def dataset(self) -> str:
        """The name of what was evaluated."""
        return self.report.dataset.name

    @property
    def digest(self) -> str:
        """The dataset's."""
        return self.report.dataset.digest

    @property
    def half(self) -> str:
        """Whose queries were judged."""
        return self.report.dataset.half

    @property
    def named(self) -> str:
        """The dataset, and the half where it has two."""
        return self.report.dataset.named

    @property
    def gains(self) -> Gains:
        """The gains of its nDCG."""
        return self.report.configuration.gains

    @property
    def best(self) -> str:
        """The system."""
        return self.report.best

    def values_of(self, system: str, measure: str) -> Values:
        """One value a list, [R].

        Args:
            measure: in any case.

        Raises:
            InputError: there is no such system or measure; the message says which there are.
        """
        systems = self.values.values
        if system not in systems:
            raise InputError(f"{self.folder} has no system {system!r}, it has {', '.join(systems)}")
        by_name = {name.lower(): name for name in systems[system]}
        if measure.lower() not in by_name:
            raise InputError(f"{self.folder} has no measure {measure!r}, it has {', '.join(by_name.values())}")
        return systems[system][by_name[measure.lower()]]


class Matched(NamedTuple):
    """The lists that both reports have and whose values are numbers in both.

    Attributes:
        lists: of the later report.
        before, after: their values, [R].
        shared: lists in both reports, those without a number included.
        only_before, only_after: lists that the other report lacks.
    """

    lists: ListValues
    before: Values
    after: Values
    shared: int
    only_before: int
    only_after: int

    @property
    def left_out(self) -> int:
        """Lists whose value is NaN in either report."""
        return self.shared - len(self.before)


def match(before: SavedReport, after: SavedReport, systems: tuple[str, str], measure: str) -> Matched:
    """Put the lists of two reports beside each other.

    Args:
        systems: of the earlier and of the later report.

    Raises:
        InputError: a system or the measure is not there, or no list is in both with a number.
    """
    old_values, new_values = before.values_of(systems[0], measure), after.values_of(systems[1], measure)
    old, new = _rows(before.values), _rows(after.values)
    shared = [key for key in new if key in old]
    rows = np.array([[old[key], new[key]] for key in shared], dtype=np.int64).reshape(-1, 2)
    is_number = ~np.isnan(old_values[rows[:, 0]]) & ~np.isnan(new_values[rows[:, 1]])
    rows = rows[is_number]
    if not len(rows):
        raise InputError(
            f"{before.folder} ({before.named}) and {after.folder} ({after.named}) have no list with {measure} in "
            f"common: {len(shared)} of {len(old)} and {len(new)} lists are shared"
        )
    return Matched(
        after.values.rows(rows[:, 1]),
        old_values[rows[:, 0]],
        new_values[rows[:, 1]],
        len(shared),
        len(old) - len(shared),
        len(new) - len(shared),
    )


def _rows(values: ListValues) -> dict[tuple[str, str], int]:
    keys = zip(values.query.tolist(), values.pool.tolist(), strict=True)
    return {key: row for row, key in enumerate(keys)}
