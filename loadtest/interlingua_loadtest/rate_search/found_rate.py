"""What a search for the highest rate comes to, at any time of it.

Try, ... + verdicts of rates -> FoundRate -> search.json, one JSON object, lines for a terminal
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from interlingua.base.plain import saved
from interlingua.base.record_file import read_record, write_record
from interlingua.display.figures import number, share
from interlingua_loadtest.rate_search.rate_interval import limit_interval
from interlingua_loadtest.rate_search.rate_try import Try, Verdict

INTERRUPTED = "interrupted"
_SHOWN_WITHOUT_NAME = ("ok",)


@saved
@dataclass(frozen=True, kw_only=True)
class FoundRate:
    """A search's result.

    Attributes:
        slo, goodput: the objective.
        rate: the highest that held in most of its tries, requests a second; None where none did.
        low, high: 95% interval of the rate up to which the server holds the objective; None where all tries that
            count held, or none.
        stopped: why the search ended before it knew; None where it did not.
        tries: every run, in its order.
    """

    slo: str
    goodput: float
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    stopped: str | None = None
    tries: tuple[Try, ...] = ()

    def with_rates(self, rates: Mapping[float, Verdict], stopped: str | None) -> FoundRate:
        """The same tries, and what they say with these verdicts of rates."""
        rate = max((rate for rate, verdict in rates.items() if verdict == "held"), default=None)
        decided = [made for made in self.tries if not made.lone and made.verdict in ("held", "missed")]
        interval = limit_interval([made.rate for made in decided], [made.verdict == "held" for made in decided])
        low, high = interval or (None, None)
        if rate is not None and low is not None and high is not None:
            low, high = min(low, rate), max(high, rate)
        return replace(self, rate=rate, low=low, high=high, stopped=stopped)

    def write(self, file: Path) -> None:
        """Writes it as JSON, whole or not at all. Raises InputError: it cannot be written."""
        write_record(file, self)

    @classmethod
    def read(cls, file: Path) -> FoundRate:
        """Raises InputError: there is none, or it cannot be read."""
        return read_record(cls, file, what="search for the highest rate", remedy="make it with `interlingua loadtest`")

    def lines(self) -> list[str]:
        """What it came to, for a person; why it stopped is left out."""
        objective = f"{self.slo}, goodput {self.goodput:g}"
        if self.rate is None:
            return [f"no rate was found that holds {objective}"]
        tries = [made for made in self.tries if made.rate == self.rate and made.verdict in ("held", "missed")]
        held = sum(made.verdict == "held" for made in tries)
        found = f"highest rate within {objective}: {self.rate:g}/s, held in {held} of {len(tries)} tries"
        if self.low is None or self.high is None:
            return [f"{found}; its limit was not reached"]
        return [f"{found}; 95% interval {self.low:.4g} to {self.high:.4g}/s"]


def line(made: Try) -> str:
    """A run of a search, on one line."""
    what = f"{made.rate:>8.4g}/s {'lone' if made.lone else f'{made.seconds:.0f} s'}"
    others = [f"{status} {count}" for status, count in made.statuses.items() if status not in _SHOWN_WITHOUT_NAME]
    p50, p99 = (number(seconds and 1e3 * seconds, 2) for seconds in (made.p50_s, made.p99_s))
    figures = f"p50 {p50:>8} ms  p99 {p99:>8} ms  goodput {share(made.goodput, 2):>7}"
    return "  ".join([f"{what:<16}", figures, *others, _said(made)])


def _said(made: Try) -> str:
    """The verdict, and the faults of a run that is not just held or missed."""
    if made.lone and (made.held or made.verdict != "void"):
        return "in time" if made.held else "not all in time"
    return f"{made.verdict} ({', '.join(made.kinds)})" if made.kinds else made.verdict
