"""Search logs of known content, written by the client's own SearchLog."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from interlingua_client.search.results import Hit, QueryLanguage, Reranking, SearchResult, StageTimes
from interlingua_client.search.search_log import SearchLog, Setting
from interlingua_client.search.search_options import SearchOptions
from interlingua_client.search.search_request import SearchRequest
from interlingua_client.triton.server_failures import ServerAwayError

SETTING = Setting("embedder-1", "reranker-1", True)


def hit(language: str, dense: float, logit: float | None = None, *, rank: int = 1, score: float | None = None) -> Hit:
    return Hit(
        rank=rank,
        id=f"id-{rank}",
        score=dense if score is None else score,
        dense_score=dense,
        dense_rank=rank,
        rerank_score=logit,
        language=language,
        title="a title",
        text="a text",
    )


def result(
    tag: str | None,
    hits: Sequence[Hit],
    *,
    source: str = "detected",
    reranking: Reranking | None = None,
    total_s: float = 0.02,
    truncated: bool = False,
) -> SearchResult:
    times = StageTimes(
        language_s=0.001,
        queue_s=None,
        tokenize_s=None,
        compute_s=None,
        network_s=None,
        embed_s=0.005,
        ann_s=0.001,
        documents_s=0.001,
        rerank_s=0.01,
        total_s=total_s,
    )
    reranking = reranking or Reranking(len(hits), len(hits), "", 0.8)
    language = QueryLanguage(tag, source, 0.9)
    return SearchResult(
        query="the query",
        hits=list(hits),
        times=times,
        reranking=reranking,
        language=language,
        exact=True,
        offsets=True,
        query_tokens=5,
        query_truncated=truncated,
        vanished=0,
    )


def write(path: Path, results: Iterable[SearchResult], *, setting: Setting = SETTING, k: int = 10) -> Path:
    log = SearchLog(path)
    for item in results:
        log.found(setting, SearchRequest(item.query, SearchOptions(k=k)), item)
    log.close()
    assert log.lost == 0
    return path


class _Detects:
    """The part of a searcher that a failed search's line asks for."""

    def __init__(self, tag: str) -> None:
        self._tag = tag

    def language_of(self, request: SearchRequest) -> QueryLanguage:  # noqa: ARG002
        return QueryLanguage(self._tag, "detected", 0.9)


def write_failures(path: Path, language: str, number: int, *, setting: Setting = SETTING) -> None:
    """Add searches that found the server away."""
    log = SearchLog(path)
    for _ in range(number):
        log.failed(setting, SearchRequest("the query"), _Detects(language), ServerAwayError("gone"))  # type: ignore[arg-type]
    log.close()


def traffic(
    seed: int,
    searches: dict[str, int],
    *,
    shift: dict[str, float] | None = None,
    own: dict[str, float] | None = None,
) -> list[SearchResult]:
    """Searches of several languages with three hits each.

    Cosines of first hits are normal (0.85, 0.03) plus the language's shift; logits are normal (2, 1) plus 30 times
    it; each hit is in the query's language with a chance of 0.5, or that in `own`, else in English or German.
    """
    draw = random.Random(seed)
    found = []
    for language, number in searches.items():
        moved, chance = (shift or {}).get(language, 0.0), (own or {}).get(language, 0.5)
        for _ in range(number):
            first = draw.gauss(0.85, 0.03) + moved
            logit = draw.gauss(2, 1) + 30 * moved
            tags = [language if draw.random() < chance else draw.choice(["en", "de"]) for _ in range(3)]
            hits = [
                hit(tag, first - 0.01 * row, logit - row, rank=row + 1, score=2.0 - 0.5 * row)
                for row, tag in enumerate(tags)
            ]
            found.append(result(language, hits, total_s=draw.uniform(0.01, 0.03)))
    draw.shuffle(found)
    return found
