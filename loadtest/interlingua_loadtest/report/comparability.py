"""In what two runs differ besides their figures: whoever compares them has to know.

RecordedRun, RecordedRun --environment, settings, traffic as it came--> a sentence each
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua_loadtest.run.environment import changes

if TYPE_CHECKING:
    from interlingua_loadtest.record.request_columns import Requests, Strings
    from interlingua_loadtest.report.recorded_run import RecordedRun

# What says where a run lies and how it was called, or follows from the others.
_UNLIKE = frozenset({"record", "command", "scheduled", "mode", "slo", "services", "server"})
_POINTS, _SHARE = 0.05, 0.10
_SHOWN = 6


def differences(before: RecordedRun, after: RecordedRun) -> list[str]:
    """In the order of their weight; none where the two are alike."""
    return [
        *_states(before, after),
        *_modes(before, after),
        *_settings(before, after),
        *_environments(before, after),
        *_traffic(before.measured, after.measured),
    ]


def _states(before: RecordedRun, after: RecordedRun) -> Iterator[str]:
    for run in (before, after):
        if run.state != "valid":
            yield f"{run.name} is {run.state}: {'; '.join(run.validity.reasons)}"


def _modes(before: RecordedRun, after: RecordedRun) -> Iterator[str]:
    if before.mode != after.mode:
        yield f"the mode differs: {before.mode}, now {after.mode}: their latencies do not mean the same"


def _settings(before: RecordedRun, after: RecordedRun) -> Iterator[str]:
    one, other = before.settings, after.settings
    names = [name for name in {**one, **other} if name not in _UNLIKE and one.get(name) != other.get(name)]
    said = [f"{name} {_shown(one.get(name))}, now {_shown(other.get(name))}" for name in names]
    if said:
        yield f"settings differ: {'; '.join(said)}"
    if one.get("services") != other.get("services"):
        yield "the services differ (model, precision or weights)"


def _environments(before: RecordedRun, after: RecordedRun) -> Iterator[str]:
    one, other = before.environment, after.environment
    if one.get("digest") == other.get("digest"):
        return
    names = changes(one, other)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    yield f"the environment differs: {', '.join(names[:_SHOWN]) or 'its digest'}{more}"


def _traffic(before: Requests, after: Requests) -> Iterator[str]:
    """What came, whatever the settings say: a mix that is drawn comes out a little differently each time."""
    for what, one, other in (
        ("kinds", before.kind, after.kind),
        ("languages", before.language, after.language),
        ("rerank depths", before.depth.astype(np.str_), after.depth.astype(np.str_)),
    ):
        shares = [_shares(one), _shares(other)]
        far = {
            word: gap
            for word in {**shares[0], **shares[1]}
            if (gap := abs(shares[0].get(word, 0.0) - shares[1].get(word, 0.0))) > _POINTS
        }
        if far:
            word = max(far, key=lambda key: far[key])
            share = f"{shares[0].get(word, 0.0):.0%}, now {shares[1].get(word, 0.0):.0%}"
            yield f"the traffic differs in its {what}: {word or 'unknown'} was {share}"
    means = [_mean_tokens(requests) for requests in (before, after)]
    if abs(means[1] - means[0]) > _SHARE * max(means):
        yield f"the traffic differs in length: {means[0]:.1f} tokens on average, now {means[1]:.1f}"


def _shares(words: Strings) -> dict[str, float]:
    found, counts = np.unique(words, return_counts=True)
    return {str(word): count / len(words) for word, count in zip(found.tolist(), counts.tolist(), strict=True)}


def _mean_tokens(requests: Requests) -> float:
    known = requests.tokens[requests.tokens >= 0]
    return float(known.mean()) if len(known) else 0.0


def _shown(value: Any) -> str:
    return "unset" if value in (None, "") else str(value)
