"""The second stage: candidates scored by their stored token vectors, or as pairs that go to the reranker.

QuerySides --MaxSim over what the index stores--> scores, nan where it stores nothing
candidates without a score --(Rerank), as many as there is time for--> scores of the first so many, and why no more
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from interlingua.base.counted import counted
from interlingua.base.errors import DeadlineExceededError, InterlinguaError, ServerError
from interlingua_client.search.rerank_pace import RerankPace
from interlingua_client.search.results import Reranking
from interlingua_client.search.search_request import Rerank

if TYPE_CHECKING:
    from collections.abc import Generator

    from interlingua_client.embedder import FloatArray, Reranked
    from interlingua_client.index.token_store.stored_tokens import StoredTokens
    from interlingua_client.search.search_request import ScoredPassage, SearchRequest
    from interlingua_client.token_encoder import EncodedTexts, EncoderIdentity

NO_RERANKER = "the server has no reranker"
NOT_ASKED = "reranking was switched off"
NOTHING_FOUND = "there was nothing to rerank"


class Compared(NamedTuple):
    """What stored token vectors gave.

    Attributes:
        scores: float32 [candidates], nan where they gave none.
        reason: why the others are not to be reranked at all.
        pairs_reason: why the others go to the reranker as pairs.
    """

    scores: FloatArray
    reason: str
    pairs_reason: str


class SecondStage:
    """A server's reranker, and its pace from search to search."""

    def __init__(self, *, exists: bool, weight: float, encoder: EncoderIdentity | None) -> None:
        """For a server.

        Args:
            exists: whether it has a reranker at all.
            weight: for the searches that name none.
            encoder: the reranker, where it can be asked for a query's side alone.
        """
        self.exists, self._weight, self._encoder = exists, weight, encoder
        self._pace, self._stored_pace = RerankPace(), RerankPace()

    def weight(self, request: SearchRequest) -> float:
        """The reranker's share in a search's score."""
        return self._weight if request.options.rerank_weight is None else request.options.rerank_weight

    def is_balanced(self, request: SearchRequest) -> bool:
        """Whether a search takes the advantage of the query's own language out."""
        return request.options.balance and request.options.rerank and self.exists

    def why_pairs(self, request: SearchRequest, tokens: StoredTokens) -> str | None:
        """Why the reranker is to score pairs although it could compare stored token vectors, "" where it can; None
        where that is no question.
        """
        if self._encoder is None or not request.options.rerank:
            return None
        return tokens.why_not(self._encoder.digest)

    def compared(
        self,
        request: SearchRequest,
        scored: list[ScoredPassage],
        tokens: StoredTokens,
        encoded: EncodedTexts | ServerError | None,
    ) -> Compared:
        """Scores by stored token vectors, as many as there are and as there is time for."""
        scores = np.full(len(scored), np.nan, np.float32)
        if encoded is None or self._encoder is None:
            return Compared(scores, "", "")
        if isinstance(encoded, ServerError):
            return Compared(scores, _what_failed(encoded), "")
        reason, done, damaged = "", 0, 0
        while done < len(scored):
            depth = self._stored_pace.depth(len(scored) - done, request.deadline)
            if depth == 0:
                reason = _cut(done, len(scored))
                break
            started = time.monotonic()
            labels = [candidate.label for candidate in scored[done : done + depth]]
            try:
                part = tokens.compare(
                    encoded.texts[0], labels, reranker=self._encoder.digest, empty=self._encoder.empty
                )
            except (InterlinguaError, ValueError) as error:
                return Compared(scores, "", f"the stored token vectors could not be read: {error}")
            self._stored_pace.record(depth, time.monotonic() - started)
            scores[done : done + depth] = part.scores
            done, damaged = done + depth, damaged + part.damaged
        missing = int(np.isnan(scores[:done]).sum()) - damaged
        pairs_reasons = [tokens.damage(damaged)] if damaged else []
        if missing:
            has = "has" if missing == 1 else "have"
            pairs_reasons.append(f"{counted(missing, 'candidate')} {has} no token vectors yet")
        return Compared(scores, reason, "; ".join(pairs_reasons))

    def rerank(
        self, request: SearchRequest, scored: list[ScoredPassage], stored: Compared, pairs_reason: str | None
    ) -> Generator[Rerank, Any, tuple[list[float], Reranking]]:
        """Logits of the first candidates, as many as there is time for, and what became of the rest."""
        scores, reason = stored.scores, self._why_not(request, scored) or stored.reason
        missing = np.flatnonzero(np.isnan(scores))
        by_vectors = np.isfinite(scores)
        done = 0
        while not reason and done < len(missing):
            depth = self._pace.depth(len(missing) - done, request.deadline)
            if depth == 0:
                reason = _cut(int(missing[done]), len(scored))
                break
            rows = missing[done : done + depth]
            part = [scored[row].passage.embedded for row in rows]
            try:
                answer: Reranked = yield Rerank(request.query, part, request.deadline)
            except ServerError as error:
                reason = _what_failed(error)
                break
            self._pace.record(depth, answer.times.total_s)
            if reason := _what_is_wrong(answer.scores, depth):
                break
            scores[rows] = answer.scores
            done += depth
        depth = len(scored) if done == len(missing) else int(missing[done])
        return scores[:depth].tolist(), Reranking(
            depth=depth,
            wanted=len(scored),
            reason=reason,
            weight=self.weight(request) if depth else None,
            stored=int(by_vectors[:depth].sum()),
            pairs_reason=(pairs_reason or stored.pairs_reason) if depth else "",
        )

    def _why_not(self, request: SearchRequest, scored: list[ScoredPassage]) -> str:
        if not request.options.rerank:
            return NOT_ASKED
        if not self.exists:
            return NO_RERANKER
        return "" if scored else NOTHING_FOUND


def _cut(depth: int, wanted: int) -> str:
    return f"the deadline left time for {depth} of {counted(wanted, 'candidate')}"


def _what_failed(error: ServerError) -> str:
    if isinstance(error, DeadlineExceededError):
        return f"reranking came too late ({error})"
    return f"reranking failed: {error}"


def _what_is_wrong(scores: FloatArray, expected: int) -> str:
    if scores.shape != (expected,):
        return f"reranking failed: the reranker gave scores of the shape {scores.shape} for {expected} texts"
    if not np.isfinite(scores).all():
        return "reranking failed: the reranker gave a score that is not a finite number"
    return ""
