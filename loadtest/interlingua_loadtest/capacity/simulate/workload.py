"""The requests of one simulated run.

    arrivals [N], kinds [N], tokens of each request's texts --> Workload (flat arrays)

A request of `embed_query`, `embed_document` or `rerank` is one Triton request of one or more texts (pairs). A `search`
is a query and the pairs that its candidates make with it; the simulator sends them as the client does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interlingua.base.errors import InputError
from interlingua.served.service import EMBED_QUERY
from interlingua_loadtest.traffic.request_kinds import KINDS

FloatArray64 = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Requests in order of arrival.

    Attributes:
        arrived: float64 [N], seconds, ascending.
        kinds: int64 [N], positions in KINDS.
        tokens: int64 [T], of every text or pair, prompt and specials included, before truncation.
        first: int64 [N + 1], request i has the texts tokens[first[i]:first[i + 1]]; of a search the first is the query.
        deadlines: float64 [N], seconds after arrival; infinite where a request has none.
        languages: int64 [N], positions in a list of the caller's; zeros where nobody asks.
        one_side: a search's second text is the question for the reranker, sent beside the first; else they are pairs.
    """

    arrived: FloatArray64
    kinds: IntArray
    tokens: IntArray
    first: IntArray
    deadlines: FloatArray64
    languages: IntArray
    one_side: bool = False

    def __post_init__(self) -> None:
        """Raises InputError: a request is without texts, a text without tokens, or the arrivals do not ascend."""
        faults = []
        if len(self.arrived) == 0:
            faults.append("there are no requests")
        elif not np.isfinite(self.arrived).all() or (np.diff(self.arrived) < 0).any() or self.arrived[0] < 0:
            faults.append("arrival times must be finite, from 0 on, and ascend")
        if (np.diff(self.first) < 1).any():
            faults.append(f"request {int(np.argmin(np.diff(self.first)))} has no text")
        if (self.tokens < 1).any():
            faults.append("every text needs at least 1 token")
        if (self.deadlines <= 0).any():
            faults.append("deadlines must be above 0 seconds")
        if faults:
            raise InputError(f"workload: {'; '.join(faults)}")

    def __len__(self) -> int:
        return len(self.arrived)

    @classmethod
    def of(
        cls,
        arrived: Sequence[float] | FloatArray64,
        tokens: Sequence[Sequence[int]],
        kind: str | Sequence[str] = EMBED_QUERY,
        *,
        deadline_s: float | Sequence[float] | None = None,
        one_side: bool = False,
    ) -> Workload:
        """From one list of token counts a request. Raises InputError, as above or for an unknown kind."""
        count = len(tokens)
        kinds = [kind] * count if isinstance(kind, str) else list(kind)
        unknown = sorted(set(kinds) - set(KINDS))
        if unknown:
            raise InputError(f"{', '.join(unknown)}: a request is one of {', '.join(KINDS)}")
        if not len(arrived) == len(kinds) == count:
            raise InputError(f"{len(arrived)} arrivals, {len(kinds)} kinds, {count} requests: there must be as many")
        sizes = np.array([len(texts) for texts in tokens], dtype=np.int64)
        deadlines = np.empty(count)
        deadlines[:] = np.inf if deadline_s is None else deadline_s
        return cls(
            arrived=np.asarray(arrived, dtype=np.float64),
            kinds=np.array([KINDS.index(name) for name in kinds], dtype=np.int64),
            tokens=np.array([count for texts in tokens for count in texts], dtype=np.int64),
            first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            deadlines=deadlines,
            languages=np.zeros(count, dtype=np.int64),
            one_side=one_side,
        )
