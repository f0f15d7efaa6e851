"""The highest rate at which a server holds an objective, by measuring.

    lone requests -> possible at all? -> from half of 1 / their time: outwards by 2 until enclosed -> bisection
                                            |  each rate: tries with seeds of their own, until most agree
    every Try -> rate (the highest that held in most of its tries), interval (rate_interval.py) -> FoundRate

Where lone requests miss the objective already (lone_requests.py), or no rate held down to a twentieth of theirs, it is
called impossible.

A run lasts as long as asked, or longer, until it has requests enough to be judged. What a run says is for rate_try.py.
Two of its verdicts are not taken as they are, but asked for once again:
    void: the same run. If it is void again, the rate is taken as too high, for the generator; where no rate above the
        one that was found missed the objective by the server's fault, the generator is named as the limit.
    undecided: a run of twice the time. One that still has no steady state counts as missed: its rate is not sustained.
        One that held, and is short of requests only, counts as held.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua.base.errors import InterlinguaError
from interlingua_loadtest.rate_search.bisection import ImpossibleSloError, NotEnclosedError, bisect, enclose
from interlingua_loadtest.rate_search.found_rate import INTERRUPTED, FoundRate
from interlingua_loadtest.rate_search.lone_requests import impossible, lone_offer
from interlingua_loadtest.rate_search.rate_try import Offer, Try, Verdict

if TYPE_CHECKING:
    from interlingua_loadtest.record.slo import Slo
    from interlingua_loadtest.traffic.run_settings import SearchPlan

Runner = Callable[[Offer], Try]

_STEP = 2.0
_FLOOR = 0.05
# Validity asks for 100 requests after the warm-up, which takes half of a run at most; and an objective for two that
# may miss it.
_LEAST_REQUESTS, _LEAST_MISSES = 240, 2
# p100 may be missed by none, in however many requests.
_EXACT = 1e-6
_DIGITS = 4


class _StopError(Exception):
    """The search cannot go on; says why."""


class RateSearch:
    """One search.

    Attributes:
        found: what is known so far.
    """

    def __init__(self, run: Runner, slo: Slo, plan: SearchPlan, on_try: Callable[[FoundRate], None]) -> None:
        """`on_try` is given what is known after every run and at the end."""
        self._run, self._slo, self._plan, self._on_try = run, slo, plan, on_try
        self._rates: dict[float, Verdict] = {}
        self._seed = plan.seed
        self.found = FoundRate(slo=str(slo), goodput=slo.goodput)

    def find(self) -> FoundRate:
        """Search until the rate is known, or it cannot go on: `stopped` says why.

        Raises:
            ImpossibleSloError: no rate holds the objective.
            InterlinguaError: a run could not be made; `found` has what was known before.
        """
        try:
            self._search()
        except (_StopError, KeyboardInterrupt) as why:
            self._know(stopped=str(why) or INTERRUPTED)
        except InterlinguaError as error:
            self._know(stopped=str(error))
            raise
        else:
            self._know(stopped=self._generator_limit())
        return self.found

    def _search(self) -> None:
        lone = self._try_lone()
        start = self._plan.start_rate or 0.5 / max(lone.mean_s or 0.0, 1e-6)
        floor = min(_FLOOR * lone.rate, start)
        try:
            low, high = enclose(self._holds, start, step=_STEP, floor=floor, most_steps=self._plan.most_runs)
        except NotEnclosedError as error:
            raise self._no_rate(error.low, lone) from error
        bisect(self._holds, low, high, precision=self._plan.precision)

    def _try_lone(self) -> Try:
        offer = lone_offer(self._slo, self._plan.seed)
        lone = self._make(offer)
        # Of so few requests a single late one makes a run void: no matter, where all were in time nonetheless.
        if lone.verdict == "void" and not lone.held:
            lone = self._make(offer)
        if lone.verdict == "void" and not lone.held:
            raise _StopError(f"the generator is the limit already at {lone.rate:.3g}/s: {'; '.join(lone.reasons)}")
        if why := impossible(lone, self._slo):
            raise ImpossibleSloError(f"no rate holds {self._slo}: {why}")
        return lone

    def _no_rate(self, lowest: float, lone: Try) -> Exception:
        if limit := self._generator_limit():
            return _StopError(limit)
        took = f"p{self._slo.percent:g} of lone requests is {1e3 * (lone.objective_s or math.inf):.0f} ms"
        return ImpossibleSloError(
            f"no rate holds {self._slo}, not even {lowest:.3g}/s: it is hardly above what a lone request takes ({took})"
        )

    def _holds(self, rate: float) -> bool:
        """Ask for a rate until most of its tries agree."""
        rate = float(f"{rate:.{_DIGITS}g}")
        if rate not in self._rates:
            self._rates[rate] = self._ask(rate)
        return self._rates[rate] == "held"

    def _ask(self, rate: float) -> Verdict:
        counts: Counter[Verdict] = Counter()
        for _ in range(self._plan.tries):
            verdict = self._decide(rate)
            counts[verdict] += 1
            if verdict == "void" or counts[verdict] > self._plan.tries // 2:
                return verdict
        return "missed"

    def _decide(self, rate: float) -> Verdict:
        """One try: a run, and others where that did not tell."""
        offer = Offer(rate, self._seed, max(self._plan.seconds, float(math.ceil(self._least_requests() / rate))))
        self._seed += 1
        made = self._make(offer)
        if made.verdict == "void":
            made = self._make(offer)
        if made.verdict == "undecided":
            made = self._make(offer._replace(seconds=2 * offer.seconds), is_last=True)
        return made.verdict

    def _least_requests(self) -> int:
        may_miss = 1 - self._slo.percent / 100
        return max(_LEAST_REQUESTS, round(_LEAST_MISSES / may_miss)) if may_miss > _EXACT else _LEAST_REQUESTS

    def _make(self, offer: Offer, *, is_last: bool = False) -> Try:
        """Make a run and keep it, unless there were enough of them."""
        if len(self.found.tries) >= self._plan.most_runs:
            raise _StopError(f"{self._plan.most_runs} runs were made, which are the most that were asked for")
        made = self._run(offer)
        if made.lone and made.verdict not in ("void", "interrupted"):
            made = replace(made, verdict="held" if made.held else "missed")
        if is_last and made.verdict == "undecided":
            made = replace(made, verdict="held" if made.held and set(made.kinds) == {"short"} else "missed")
        self.found = replace(self.found, tries=(*self.found.tries, made))
        if made.verdict == "interrupted":
            raise KeyboardInterrupt
        self._know()
        return made

    def _know(self, stopped: str | None = None) -> None:
        self.found = self.found.with_rates(self._rates, stopped)
        self._on_try(self.found)

    def _generator_limit(self) -> str | None:
        held = max((rate for rate, verdict in self._rates.items() if verdict == "held"), default=0.0)
        above = {rate: verdict for rate, verdict in self._rates.items() if rate > held}
        if not above or above[min(above)] != "void":
            return None
        return f"the generator is the limit at {min(above):g}/s: use more --workers"
