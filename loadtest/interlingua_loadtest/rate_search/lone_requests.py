"""Whether an objective can be held at all: what requests take that never meet.

    Slo -> Offer of lone requests --a run--> Try -> why the objective is impossible, or nothing

Lone requests come evenly, with the objective's limit between them: one that is in time is done before the next comes.
The objective is called impossible where more of them miss it than chance allows at 1% (binomial), so that a first slow
answer does not end a search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua_loadtest.rate_search.rate_try import Offer

if TYPE_CHECKING:
    from interlingua_loadtest.rate_search.rate_try import Try
    from interlingua_loadtest.record.slo import Slo

_REQUESTS = 30
_MOST_RATE = 10.0
_CHANCE = 0.01


def lone_offer(slo: Slo, seed: int) -> Offer:
    """The run to make."""
    rate = min(1 / slo.limit_s, _MOST_RATE)
    return Offer(rate, seed, _REQUESTS / rate, lone=True)


def impossible(lone: Try, slo: Slo) -> str:
    """Why no rate will hold it, in words; empty where chance may have made lone requests miss."""
    unanswered = lone.requests - lone.answered
    if _beyond_chance(unanswered, lone.requests, 1 - slo.goodput):
        counted = ", ".join(f"{status} {count}" for status, count in lone.statuses.items())
        return f"{unanswered} of {lone.requests} lone requests have no answer ({counted})"
    late = lone.requests - round((lone.goodput or 0.0) * lone.requests)
    if not _beyond_chance(late, lone.requests, 1 - slo.percent / 100):
        return ""
    if lone.objective_s is None:
        return f"p{slo.percent:g} of lone requests is never answered"
    return f"p{slo.percent:g} of lone requests is {1e3 * lone.objective_s:.0f} ms already"


def _beyond_chance(misses: int, requests: int, share: float) -> bool:
    """Whether so many of the requests miss what `share` of them may, more than chance makes them."""
    from scipy.stats import binom

    return misses > 0 and bool(binom.sf(misses - 1, requests, share) < _CHANCE)
