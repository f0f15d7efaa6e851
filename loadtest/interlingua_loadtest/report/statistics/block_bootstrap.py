"""Figures of a run as they would have come out had other stretches of time been its own.

runs of one load, cut into blocks -> draws of blocks with replacement -> p50, p90, p99, rate, goodput of every draw

See time_blocks.py for why blocks are drawn, and not requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from interlingua_loadtest.report.statistics.time_blocks import Blocks

if TYPE_CHECKING:
    from interlingua_loadtest.record.request_columns import Floats, Ints
    from interlingua_loadtest.record.slo import Slo
    from interlingua_loadtest.report.recorded_run import RecordedRun

PERCENTS = (50.0, 90.0, 99.0)

_AT_ONCE = 4_000_000  # numbers in memory


class BlockSample:
    """Runs of one load, as blocks of time.

    Attributes:
        number: of blocks.
        block_s: length of the first run's blocks.
        is_short: a run is too short for as long blocks as needed.
        answered: requests with an answer.
    """

    def __init__(self, runs: Sequence[RecordedRun], correlation_s: float, slo: Slo | None) -> None:
        cut = [Blocks.of(run, correlation_s) for run in runs]
        starts = np.cumsum([0, *(blocks.number for blocks in cut)])
        self.number = int(starts[-1])
        self.block_s = cut[0].block_s
        self.is_short = any(blocks.is_short for blocks in cut)
        self._seconds = np.concatenate([np.full(blocks.number, blocks.block_s) for blocks in cut])
        parts = list(zip(runs, cut, starts[:-1].tolist(), strict=True))
        latency = np.concatenate([run.measured.latency_s[run.measured.answered] for run in runs])
        places = np.concatenate(
            [first + blocks.places(run.measured.scheduled_s[run.measured.answered]) for run, blocks, first in parts]
        )
        order = np.argsort(latency, kind="stable")
        self._values, self._places = latency[order], places[order]
        self.answered = len(latency)
        self._due = self._counted([first + blocks.places(run.measured.scheduled_s) for run, blocks, first in parts])
        self._served = np.bincount(places, minlength=self.number)
        self._finished = self._counted([first + _finished(run, blocks) for run, blocks, first in parts])
        self._met = None
        if slo is not None:
            met = [(run.measured.scheduled_s[slo.met(run.measured)], blocks, first) for run, blocks, first in parts]
            self._met = self._counted([first + blocks.places(moments) for moments, blocks, first in met])

    def observed(self) -> dict[str, float]:
        """The figures as they are."""
        return {name: float(values[0]) for name, values in self._figures(np.ones((1, self.number))).items()}

    def drawn(self, draws: int, random: np.random.Generator) -> dict[str, Floats]:
        """The figures of so many draws, arrays [draws]."""
        chances = np.full(self.number, 1 / self.number)
        return self._figures(random.multinomial(self.number, chances, draws).astype(np.float64))

    def _counted(self, places: list[Ints]) -> Ints:
        counted: Ints = np.bincount(np.concatenate(places), minlength=self.number)
        return counted

    def _figures(self, weights: npt.NDArray[np.float64]) -> dict[str, Floats]:
        with np.errstate(invalid="ignore", divide="ignore"):
            due = weights @ self._due
            found = self._percentiles(weights)
            found["achieved rate"] = (weights @ self._finished) / (weights @ self._seconds)
            found["answered"] = (weights @ self._served) / due
            if self._met is not None:
                found["goodput"] = (weights @ self._met) / due
        return found

    def _percentiles(self, weights: npt.NDArray[np.float64]) -> dict[str, Floats]:
        values = np.full((len(PERCENTS), len(weights)), np.nan)
        step = max(_AT_ONCE // max(self.answered, 1), 1)
        for first in range(0, len(weights) if self.answered else 0, step):
            values[:, first : first + step] = self._of_draws(weights[first : first + step])
        return {f"p{percent:g}": row for percent, row in zip(PERCENTS, values, strict=True)}

    def _of_draws(self, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        upto = np.cumsum(weights[:, self._places], axis=1)
        wanted = np.ceil(np.outer(PERCENTS, upto[:, -1]) / 100 - 1e-9).clip(1)
        found = [[np.searchsorted(row, rank) for row, rank in zip(upto, ranks, strict=True)] for ranks in wanted]
        values = np.append(self._values, np.nan)
        chosen: npt.NDArray[np.float64] = values[np.array(found)]
        return chosen


def _finished(run: RecordedRun, blocks: Blocks) -> Ints:
    """The block in which each answer came; those after the end are left out, those due in the warm-up are not."""
    finished = run.requests.finished_s[run.requests.answered]
    return blocks.places(finished[(finished >= blocks.start_s) & (finished <= run.end_s)])
