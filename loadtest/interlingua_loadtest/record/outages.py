"""What failed, and when: a run goes on through its server's faults, and says afterwards what it met.

Requests --status, detail, moments--> stretches in which requests failed -> sentences
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from interlingua_loadtest.record.request_columns import Mask, Requests

_APART_S = 2.0  # failures that lie further apart have nothing to do with each other
_TOLD = 5
_FAULTS = ("away", "error")
_FAULTS_OF_BATCHES = ("network", "batch")


def outage_sentences(requests: Requests) -> Iterator[str]:
    """A sentence a stretch in which requests failed, for a fault of the server's; what it refused is none."""
    ended = np.where(np.isnan(requests.finished_s), requests.scheduled_s, requests.finished_s)
    failed = _failed(requests)
    moments = np.sort(ended[failed])
    if not len(moments):
        return
    gaps = np.flatnonzero(np.diff(moments) > _APART_S)
    starts, ends = moments[np.r_[0, gaps + 1]], moments[np.r_[gaps, len(moments) - 1]]
    for start, end in list(zip(starts, ends, strict=True))[:_TOLD]:
        inside = (ended >= start) & (ended <= end)
        kinds = Counter(map(_kind, requests.status[inside & failed], requests.detail[inside & failed]))
        told = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
        yield f"{start:.1f} to {end:.1f} s: {sum(kinds.values())} of {int(inside.sum())} requests failed ({told})"
    if len(starts) > _TOLD:
        yield f"requests failed in {len(starts) - _TOLD} further stretches, until {ends[-1]:.1f} s"
    if "away" in requests.status:
        yield "what the server counted may have begun anew in between"


def _failed(requests: Requests) -> Mask:
    of_batch = (requests.status == "rejected") & np.isin(requests.detail, _FAULTS_OF_BATCHES)
    failed: Mask = np.isin(requests.status, _FAULTS) | of_batch
    return failed


def _kind(status: str, detail: str) -> str:
    return f"{status}: {detail}" if detail else str(status)
