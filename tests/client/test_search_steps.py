"""One search, carried out by hand: order, fallbacks, deadlines, languages, and what the result says."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interlingua.base.errors import DeadlineExceededError, InputError, RequestRejectedError, ServerError
from interlingua_client.deadline import Deadline
from interlingua_client.document import Document
from interlingua_client.embedder import Reranked, ServiceTimes
from interlingua_client.index.indexer import Indexer
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.search.results import Reranking, SearchResult
from interlingua_client.search.search_options import SearchOptions
from interlingua_client.search.search_request import Embed, SearchRequest
from interlingua_client.search.search_steps import Searcher
from interlingua_client.triton.server_failures import ServerAwayError
from tests.support.hash_embedder import HashEmbedder

Reranker = Callable[[list[str]], list[float]]


def carry_out(
    searcher: Searcher,
    request: SearchRequest,
    rerank: Reranker | None = None,
    embedder: HashEmbedder | None = None,
) -> SearchResult:
    embedder = embedder or HashEmbedder()
    steps = searcher.steps(request)
    reply: Any = None
    try:
        step = steps.send(reply)
        while True:
            try:
                if isinstance(step, Embed):
                    reply = embedder.embed([step.query], "query")
                else:
                    assert rerank is not None
                    started = time.monotonic()
                    scores = np.array(rerank(step.passages), np.float32)
                    reply = Reranked(scores, ServiceTimes(time.monotonic() - started))
            except ServerError as error:
                step = steps.throw(error)
            else:
                step = steps.send(reply)
    except StopIteration as end:
        result: SearchResult = end.value
        return result


@pytest.fixture
def searcher(index_dir: Path) -> Searcher:
    return Searcher(SearchIndex.open(index_dir), has_reranker=True)


def ask(query: str = "en:cat en:dog", *, deadline: Deadline | None = None, **values: Any) -> SearchRequest:
    return SearchRequest(query, SearchOptions(**{"query_language": "en", **values}), deadline)


def moonlight(passages: list[str]) -> list[float]:
    """A reranker that prefers the moon."""
    return [float(passage.count("moon")) for passage in passages]


def test_without_reranking_the_dense_order_stands(searcher: Searcher) -> None:
    result = carry_out(searcher, ask(rerank=False))
    assert [hit.rank for hit in result.hits] == list(range(1, 11))
    scores = [hit.score for hit in result.hits]
    assert scores == sorted(scores, reverse=True)
    assert not result.reranked
    assert result.reranking.reason == "reranking was switched off"
    assert {hit.rerank_score for hit in result.hits} == {None}


def test_reranking_orders_by_the_rerankers_score(searcher: Searcher) -> None:
    result = carry_out(searcher, ask(candidates=90, k=30), moonlight)
    assert result.reranked
    assert result.reranking == Reranking(90, 90, "", 1.0)
    # `x-moon-y` names the moon twice (title and text), `x-y-moon` once: 15 and 15 of the 90.
    assert [hit.rerank_score for hit in result.hits] == [2.0] * 15 + [1.0] * 15
    # The mean logit is 45 / 90 = 0.5, the mean square 75 / 90, the deviation sqrt(5 / 6 - 1 / 4) = 0.7638.
    assert [hit.score for hit in result.hits] == pytest.approx([1.5 / 0.763763] * 15 + [0.5 / 0.763763] * 15, abs=1e-5)
    equal = [hit.dense_score for hit in result.hits[:15]]
    assert equal == sorted(equal, reverse=True)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RequestRejectedError("overloaded"), "reranking failed: overloaded"),
        (ServerAwayError("gone"), "reranking failed: gone"),
        (DeadlineExceededError("deadline: too late"), "too late"),
    ],
    ids=["refused", "away", "late"],
)
def test_a_failing_reranker_leaves_the_dense_order(searcher: Searcher, error: ServerError, reason: str) -> None:
    def fail(_: list[str]) -> list[float]:
        raise error

    result = carry_out(searcher, ask(), fail)
    assert not result.reranked
    assert reason in result.reranking.reason
    assert result.reranking.weight is None
    assert [h.id for h in result.hits] == [h.id for h in carry_out(searcher, ask(rerank=False)).hits]


def test_a_server_without_reranker_is_said(index_dir: Path) -> None:
    result = carry_out(Searcher(SearchIndex.open(index_dir), has_reranker=False), ask())
    assert result.reranking.reason == "the server has no reranker"


def test_a_deadline_cuts_the_depth(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """20 ms a passage, 0.5 s, by a clock that only reranking moves.

    Eight to learn the pace: 0.34 s are left, 85% of them are enough for 14 (0.289 s). Of the 0.06 s then, for two
    (0.051 s), and of the last 0.02 s for none.
    """
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    asked: list[int] = []

    def slow(passages: list[str]) -> list[float]:
        nonlocal now
        now += 0.02 * len(passages)
        asked.append(len(passages))
        return [1.0] * len(passages)

    result = carry_out(searcher, ask(deadline=Deadline.after(0.5), candidates=50), slow)
    assert asked == [8, 14, 2]
    assert result.reranking.degraded
    assert result.reranking.depth == 24
    assert "left time for 24 of 50 candidates" in result.reranking.reason
    kinds = [hit.rerank_score is not None for hit in result.hits]
    assert kinds == sorted(kinds, reverse=True)
    assert result.reranking.weight == 1.0


def test_no_time_at_all_means_no_reranking(searcher: Searcher) -> None:
    result = carry_out(searcher, ask(deadline=Deadline.after(-1)))
    assert result.reranking.depth == 0
    assert "deadline" in result.reranking.reason


def test_a_failure_of_embedding_is_raised(searcher: Searcher) -> None:
    steps = searcher.steps(ask())
    next(steps)
    with pytest.raises(DeadlineExceededError):
        steps.throw(DeadlineExceededError("deadline: late"))


def test_filters_by_language(searcher: Searcher) -> None:
    result = carry_out(searcher, ask(languages=("fr", "DE"), k=50, rerank=False))
    assert {hit.language for hit in result.hits} == {"fr", "de"}
    assert len(result.hits) == 50
    assert len(carry_out(searcher, ask(languages=("fr",), k=50, rerank=False)).hits) == 30


def test_unknown_languages_name_those_there_are(searcher: Searcher) -> None:
    with pytest.raises(InputError, match=r"no document is in sv, ja; the index has de \(30\), en \(30\), fr \(30\)"):
        carry_out(searcher, ask(languages=("sv", "en", "ja")))
    with pytest.raises(InputError, match="not a language tag"):
        carry_out(searcher, ask(languages=("?",)))


def test_variants_of_a_language(tmp_path: Path, embedder: HashEmbedder) -> None:
    documents = [Document(tag, tag, "", f"{tag}:cat") for tag in ("pt-BR", "pt-PT", "en")]
    with Indexer.open(tmp_path, embedder) as indexer:
        indexer.add(documents)
        indexer.finish()
    index = SearchIndex.open(tmp_path)
    assert sorted(index.resolve_languages(["pt"])) == ["pt-BR", "pt-PT"]
    assert index.resolve_languages(["en-GB", "en"]) == ["en"]


def test_all_bad_arguments_are_named_at_once(searcher: Searcher) -> None:
    with pytest.raises(InputError, match=r"query is empty; k is 0.*; candidates is -1"):
        carry_out(searcher, SearchRequest(" ", SearchOptions(k=0, candidates=-1)))
    with pytest.raises(InputError, match=r"k is 0.*; rerank_weight is 1.5, it must be a number from 0"):
        carry_out(searcher, ask(k=0, rerank_weight=1.5))
    with pytest.raises(InputError, match="NUL"):
        carry_out(searcher, SearchRequest("a\0"))
    with pytest.raises(InputError, match="query language"):
        carry_out(searcher, SearchRequest("a", SearchOptions(query_language="!")))


def test_documents_below_a_similarity_are_neither_reranked_nor_found(searcher: Searcher) -> None:
    every = carry_out(searcher, ask(k=90, candidates=90, rerank=False)).hits
    least = every[10].dense_score
    near = carry_out(searcher, ask(k=90, candidates=90, min_similarity=least), moonlight)
    assert {hit.id for hit in near.hits} == {hit.id for hit in every if hit.dense_score >= least}
    assert (near.reranking.wanted, near.vanished) == (len(near.hits), 0)
    nothing = carry_out(searcher, ask(min_similarity=1.0, query="zebra"))
    assert (nothing.hits, nothing.reranking.reason) == ([], "there was nothing to rerank")
    with pytest.raises(InputError, match=r"min_similarity is 1\.5, it must be a number from -1 to 1"):
        carry_out(searcher, ask(min_similarity=1.5))


def test_more_hits_than_documents_and_an_empty_index(
    tmp_path: Path, searcher: Searcher, embedder: HashEmbedder
) -> None:
    assert len(carry_out(searcher, ask(k=1000, rerank=False)).hits) == 90
    with Indexer.open(tmp_path / "empty", embedder) as indexer:
        assert indexer.finish().offsets.state == "no documents"
    result = carry_out(Searcher(SearchIndex.open(tmp_path / "empty"), has_reranker=True), ask())
    assert result.hits == []
    assert result.reranking.reason == "there was nothing to rerank"


def test_documents_deleted_since_are_left_out(index_dir: Path, searcher: Searcher, embedder: HashEmbedder) -> None:
    assert carry_out(searcher, ask(rerank=False, candidates=90)).vanished == 0
    with Indexer.open(index_dir, embedder) as indexer:
        indexer.delete(["en-cat-dog"])
    result = carry_out(searcher, ask(rerank=False, candidates=90))
    assert result.vanished == 1
    assert "en-cat-dog" not in {hit.id for hit in result.hits}
    fresh = searcher.with_index(searcher.index.reopened())
    assert carry_out(fresh, ask(rerank=False, candidates=90)).vanished == 0


def test_the_query_language_is_given_detected_or_unsure(searcher: Searcher) -> None:
    assert carry_out(searcher, ask(rerank=False)).language.source == "given"
    dense = SearchOptions(rerank=False)
    detected = carry_out(searcher, SearchRequest("Wo ist die Katze geblieben?", dense)).language
    assert (detected.tag, detected.source) == ("de", "detected")
    assert carry_out(searcher, SearchRequest("...", dense)).language.tag is None
    raw = Searcher(SearchIndex.open(searcher.index._store.directory, use_offsets=False), has_reranker=False)
    assert carry_out(raw, SearchRequest("Wo ist die Katze?")).language.source == "unused"


def test_the_result_is_json(searcher: Searcher) -> None:
    result = carry_out(searcher, ask(candidates=20), moonlight)
    read = json.loads(json.dumps(result.to_dict()))
    assert read["reranked"] is True
    assert read["reranking"] == {
        "depth": 20,
        "wanted": 20,
        "reason": "",
        "weight": 1.0,
        "stored": 0,
        "pairs_reason": "",
    }
    first = read["hits"][0]
    assert first["rank"] == 1
    assert {"score", "dense_score", "dense_rank", "rerank_score"} <= first.keys()
    assert read["times"]["total_s"] >= read["times"]["ann_s"]


@pytest.mark.parametrize(("query", "scripts"), [("ⵎⴰⵎⴽ", ("TIFINAGH",)), ("how", ())])
def test_a_query_in_a_script_that_the_embedder_does_not_know(
    searcher: Searcher, query: str, scripts: tuple[str, ...]
) -> None:
    knowing = Searcher(searcher.index, has_reranker=False, scripts=["LATIN"])
    for same in (knowing, knowing.with_index(searcher.index)):
        assert carry_out(same, ask(query)).unknown_scripts == scripts
