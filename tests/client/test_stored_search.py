"""Searching with stored token vectors: the same order as pairs give, which way it was, and what happens without."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interlingua.base.errors import DeadlineExceededError, RequestRejectedError, ServerError
from interlingua_client.deadline import Deadline
from interlingua_client.document import Document
from interlingua_client.embedder import Embedded, Reranked, ServiceTimes
from interlingua_client.index.document_store import DocumentStore
from interlingua_client.index.indexer import Indexer, IndexSettings
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.search.results import Reranking, SearchResult
from interlingua_client.search.search_options import SearchOptions
from interlingua_client.search.search_request import Embed, EmbedAndEncode, SearchRequest
from interlingua_client.search.search_steps import Searcher
from interlingua_client.search.search_walk import SearchWalk, first_answers
from interlingua_client.token_encoder import EncodedTexts, QuerySides
from tests.support.hash_embedder import HashEmbedder
from tests.support.hash_tokens import HashTokenEncoder, score, tokens_of

QUERY = "en:cat en:dog en:tree"


@pytest.fixture
def tokens_dir(tmp_path: Path, documents: list[Document]) -> Path:
    """An index of 90 documents with their token vectors."""
    with Indexer.open(tmp_path / "tokens", HashEmbedder(), encoder=HashTokenEncoder()) as indexer:
        indexer.add(documents)
        indexer.finish()
    return tmp_path / "tokens"


def searcher_of(directory: Path, digest: str = "tokens-1") -> Searcher:
    return Searcher(SearchIndex.open(directory), has_reranker=True, encoder=HashTokenEncoder(digest).encoder)


def search(
    searcher: Searcher,
    *,
    encode: Callable[[str], EncodedTexts | ServerError] = lambda query: EncodedTexts(
        [tokens_of(query)], ServiceTimes(0.004)
    ),
    asked: list[str] | None = None,
    deadline: Deadline | None = None,
    **options: Any,
) -> SearchResult:
    """Carry a search out; `asked` gets the kinds of its steps, with the pairs of a Rerank counted."""
    asked = [] if asked is None else asked
    chosen = SearchOptions(**{"query_language": "en", "candidates": 90, "k": 90, **options})
    steps = searcher.steps(SearchRequest(QUERY, chosen, deadline))
    reply: Any = None
    try:
        while True:
            step = steps.send(reply)
            asked.append(type(step).__name__)
            if isinstance(step, Embed | EmbedAndEncode):
                reply = HashEmbedder().embed([step.query], "query")
                if isinstance(step, EmbedAndEncode):
                    reply = QuerySides(reply, encode(step.query))
            else:
                asked[-1] += f" {len(step.passages)}"
                scores = np.array([score(step.query, passage) for passage in step.passages], np.float32)
                reply = Reranked(scores, ServiceTimes(0.01))
    except StopIteration as end:
        result: SearchResult = end.value
        return result


def test_stored_vectors_give_the_scores_that_pairs_give(tokens_dir: Path, index_dir: Path) -> None:
    asked: list[str] = []
    found = search(searcher_of(tokens_dir), asked=asked)
    assert asked == ["EmbedAndEncode"]
    assert found.reranking == Reranking(90, 90, "", 1.0, stored=90)
    pairs: list[str] = []
    reference = search(searcher_of(index_dir), asked=pairs)
    assert pairs == ["Embed", "Rerank 90"]
    assert reference.reranking == Reranking(90, 90, "", 1.0, pairs_reason="the index has no token vectors")
    expected = {hit.id: hit.rerank_score for hit in reference.hits}
    assert {hit.id: hit.rerank_score for hit in found.hits} == pytest.approx(expected, abs=0.05)
    assert found.times.encode_s == 0.004
    assert reference.times.encode_s is None
    # Balance and mixing work on the same scores.
    for options in ({"rerank_weight": 0.4}, {"balance": False}, {"rerank_weight": 0.0}):
        by_vectors, by_pairs = (search(searcher_of(folder), **options) for folder in (tokens_dir, index_dir))
        mixed = {hit.id: hit.score for hit in by_pairs.hits}
        assert {hit.id: hit.score for hit in by_vectors.hits} == pytest.approx(mixed, abs=0.05)


@pytest.mark.parametrize("options", [{"rerank": False}, {"rerank": False, "rerank_weight": 1.0}])
def test_nothing_is_encoded_for_a_search_that_does_not_rerank(tokens_dir: Path, options: dict[str, Any]) -> None:
    asked: list[str] = []
    assert not search(searcher_of(tokens_dir), asked=asked, **options).reranked
    assert asked == ["Embed"]


def test_a_cross_encoder_is_asked_for_pairs_without_a_word(tokens_dir: Path) -> None:
    result = search(Searcher(SearchIndex.open(tokens_dir), has_reranker=True))
    assert result.reranking == Reranking(90, 90, "", 1.0)


def test_vectors_of_another_reranker_are_left_alone(tokens_dir: Path) -> None:
    asked: list[str] = []
    result = search(searcher_of(tokens_dir, "tokens-2"), asked=asked)
    assert asked == ["Embed", "Rerank 90"]
    assert "of another reranker" in result.reranking.pairs_reason


def test_documents_that_have_none_yet_go_as_pairs(tokens_dir: Path) -> None:
    new = [Document(f"new-{n}", "en", "", f"en:cat en:dog{' en:tree' * n}") for n in range(3)]
    with Indexer.open(tokens_dir, HashEmbedder()) as indexer:  # no encoder: as a run that was stopped before it
        indexer.add(new)
        indexer.finish()
    asked: list[str] = []
    result = search(searcher_of(tokens_dir), asked=asked, candidates=93, k=93)
    assert asked == ["EmbedAndEncode", "Rerank 3"]
    assert (result.reranking.depth, result.reranking.stored) == (93, 90)
    assert result.reranking.pairs_reason == "3 candidates have no token vectors yet"
    expected = {document.id: score(QUERY, document.passage) for document in new}
    assert {hit.id: hit.rerank_score for hit in result.hits if hit.id in expected} == pytest.approx(expected)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RequestRejectedError("overloaded"), "reranking failed: overloaded"),
        (DeadlineExceededError("deadline: gone"), "reranking came too late (deadline: gone)"),
    ],
)
def test_a_query_that_is_not_encoded_leaves_the_dense_order(tokens_dir: Path, error: ServerError, reason: str) -> None:
    asked: list[str] = []
    result = search(searcher_of(tokens_dir), encode=lambda _: error, asked=asked)
    assert asked == ["EmbedAndEncode"]  # nobody sends 90 pairs to a server that had no time for one query
    assert result.reranking == Reranking(0, 90, reason)
    assert [hit.rank for hit in result.hits] == [hit.dense_rank for hit in result.hits]


def test_a_file_that_cannot_be_read_is_no_end_of_a_search(tokens_dir: Path) -> None:
    searcher = searcher_of(tokens_dir)
    [file] = tokens_dir.glob("tokens-*")
    file.unlink()
    result = search(searcher)
    assert result.reranking.depth == 90
    assert file.name in result.reranking.pairs_reason


def test_damaged_vectors_are_said_and_their_documents_go_as_pairs(tokens_dir: Path) -> None:
    searcher = searcher_of(tokens_dir)
    whole = search(searcher)
    [file] = tokens_dir.glob("tokens-*")
    with file.open("r+b") as opened:
        opened.seek(32 + 3 * 82 * 40)
        opened.write(bytes(3 * 82 * 7))
    asked: list[str] = []
    result = search(searcher, asked=asked)
    assert asked == ["EmbedAndEncode", "Rerank 7"]
    assert (result.reranking.depth, result.reranking.stored, result.reranking.reason) == (90, 83, "")
    assert result.reranking.pairs_reason == (
        f"the token vectors of 7 candidates in {file} are damaged: `interlingua index --index {tokens_dir} "
        "--verify` finds all such, and makes them again"
    )
    expected = {hit.id: hit.rerank_score for hit in whole.hits}
    assert {hit.id: hit.rerank_score for hit in result.hits} == pytest.approx(expected, abs=0.05)
    with Indexer.open(tokens_dir, HashEmbedder()) as indexer:
        indexer.add([Document("new", "en", "", "en:cat en:dog")])
        indexer.finish()
    both = search(searcher_of(tokens_dir), candidates=91, k=91).reranking.pairs_reason
    assert both.endswith("and makes them again; 1 candidate has no token vectors yet")


def test_a_deadline_cuts_comparing_too(tokens_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that only comparing moves, 10 ms a document: of 0.4 s, 8 to learn the pace, then 27 of 0.32 s."""
    searcher = searcher_of(tokens_dir)
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    compare = searcher.index.tokens.compare

    def slow(query: Any, labels: list[int], **known: Any) -> Any:
        nonlocal now
        now += 0.01 * len(labels)
        return compare(query, labels, **known)

    monkeypatch.setattr(searcher.index.tokens, "compare", slow)
    asked: list[str] = []
    result = search(searcher, asked=asked, deadline=Deadline.after(0.4))
    assert asked == ["EmbedAndEncode"]
    assert result.reranking.degraded
    assert result.reranking.stored == result.reranking.depth == 8 + 27 + 4
    assert result.reranking.reason == "the deadline left time for 39 of 90 candidates"


def test_vectors_made_later_are_used_without_opening_again(index_dir: Path) -> None:
    searcher = searcher_of(index_dir)
    assert search(searcher).reranking.stored == 0
    settings = IndexSettings(token_vectors="4bit")  # noqa: S106
    with Indexer.open(index_dir, HashEmbedder(), settings, encoder=HashTokenEncoder()) as indexer:
        indexer.finish()
    assert search(searcher).reranking.stored == 90
    with closing(DocumentStore.open(index_dir)) as store:
        assert search(searcher.with_index(SearchIndex(store))).reranking.stored == 90


class SideClient:
    """Answers either side only once the other one is asked, too."""

    def __init__(self, failure: ServerError | None = None) -> None:
        self._both, self._failure = threading.Barrier(2, timeout=20), failure

    def embed(self, texts: list[str], role: str) -> Embedded:
        self._both.wait()
        return HashEmbedder().embed(texts, role)  # type: ignore[arg-type]

    def encode(self, texts: list[str], role: str) -> EncodedTexts:
        assert role == "query"
        self._both.wait()
        if self._failure:
            raise self._failure
        return EncodedTexts([tokens_of(text) for text in texts], ServiceTimes(0.004))


@pytest.mark.parametrize("failure", [None, ServerError("the reranker is away")], ids=["both", "vectors alone"])
def test_many_queries_go_to_both_networks_side_by_side(tokens_dir: Path, failure: ServerError | None) -> None:
    searcher, options = searcher_of(tokens_dir), [{}, {"rerank": False}, {}]
    queries = [QUERY, "en:sun", "en:moon"]
    walks = [
        SearchWalk(searcher.steps(SearchRequest(query, SearchOptions(query_language="en", **more))))
        for query, more in zip(queries, options, strict=True)
    ]
    client: Any = SideClient(failure)
    first, plain, last = first_answers(walks, client)
    expected = HashEmbedder().embed(queries, "query").vectors
    assert isinstance(plain, Embedded)
    np.testing.assert_array_equal(plain.vectors[0], expected[1])
    for answer, row in ((first, 0), (last, 2)):
        assert isinstance(answer, QuerySides)
        np.testing.assert_array_equal(answer.embedded.vectors[0], expected[row])
        if failure:
            assert answer.encoded is failure
        else:
            assert isinstance(answer.encoded, EncodedTexts)
            np.testing.assert_array_equal(answer.encoded.texts[0].vectors, tokens_of(queries[row]).vectors)
