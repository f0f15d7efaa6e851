"""Searching documents that are several passages: each is found once, by its best one, and there are k of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from interlingua_client.document import Document
from interlingua_client.index.indexer import Indexer, IndexSettings
from interlingua_client.index.passages.passage import SplitDocument
from interlingua_client.index.passages.span import Span
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.search.search_steps import Searcher
from tests.client.test_search_steps import ask, carry_out
from tests.support.hash_embedder import HashEmbedder


def page(number: int, *texts: str) -> SplitDocument:
    document = Document(f"page-{number}", "en", f"page{number}", "".join(texts), {"number": number})
    ends = np.cumsum([0, *map(len, texts)]).tolist()
    spans = [Span(*ends[row : row + 2], heading=f"part{row}") for row in range(len(texts))]
    return SplitDocument(document, spans if len(texts) > 1 else [Span(0, len(texts[0]))])


@pytest.fixture(scope="module")
def pages_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 60 passages on the cat, and 30 short ones on the cat and something else."""
    directory, embedder = tmp_path_factory.mktemp("pages") / "index", HashEmbedder()
    pages = [page(0, *(f"{6 * 'cat '}{row} " for row in range(60)))]
    pages += [page(number, f"cat word{number}") for number in range(1, 31)]
    texts = [passage.embedded for found in pages for passage in found.passages]
    with Indexer.open(directory, embedder, IndexSettings(offsets=False)) as indexer:
        indexer.store.commit_split(pages, embedder.embed(texts, "document").vectors)
        indexer.finish()
    return directory


@pytest.fixture
def searcher(pages_dir: Path) -> Searcher:
    return Searcher(SearchIndex.open(pages_dir), has_reranker=True)


def test_the_index_counts_documents_and_passages(searcher: Searcher) -> None:
    index = searcher.index
    assert (len(index), index.passages, index.languages) == (31, 90, {"en": 31})


def test_there_are_k_documents_though_one_has_the_best_passages(searcher: Searcher) -> None:
    result = carry_out(searcher, ask("cat", k=10, candidates=20, rerank=False))
    assert [hit.rank for hit in result.hits] == [hit.dense_rank for hit in result.hits] == list(range(1, 11))
    assert len({hit.id for hit in result.hits}) == 10
    first, *others = result.hits
    assert first.id == "page-0"
    assert len(first.passages) == 19  # twenty candidates are its own; nine further documents follow
    assert [len(hit.passages) for hit in others] == [0] * 9
    text = "".join(f"{6 * 'cat '}{row} " for row in range(60))
    for found in (first, *first.passages):
        assert found.text == text[found.start : found.end]
        assert found.heading == f"part{found.text.split()[-1]}"
    scores = [first.score, *(found.score for found in first.passages)]
    assert scores == sorted(scores, reverse=True)
    assert first.metadata == {"number": 0}


def test_all_documents_come_where_k_is_more_than_there_are(searcher: Searcher) -> None:
    result = carry_out(searcher, ask("cat", k=50, rerank=False))
    assert len(result.hits) == 31
    assert len(result.hits[0].passages) == 49  # of the fifty candidates; the other thirty documents follow


def test_every_passage_is_a_hit_where_that_is_asked_for(searcher: Searcher) -> None:
    result = carry_out(searcher, ask("cat", k=10, candidates=20, rerank=False, passages=True))
    assert [hit.id for hit in result.hits] == ["page-0"] * 10
    assert [hit.rank for hit in result.hits] == [hit.dense_rank for hit in result.hits]
    assert len({hit.start for hit in result.hits}) == 10


def test_passages_are_reranked_and_the_best_one_carries_its_document(searcher: Searcher) -> None:
    asked: list[str] = []

    def rerank(passages: list[str]) -> list[float]:
        asked.extend(passages)
        return [float("word7" in passage.split()) for passage in passages]

    result = carry_out(searcher, ask("cat", k=31, candidates=31, balance=False), rerank)
    # 31 passages by similarity, all of the long page, and the 30 other documents' only ones.
    assert len(asked) == 61
    assert asked[0].startswith("page0\npart")
    assert [hit.id for hit in result.hits][:2] == ["page-7", "page-0"]
    assert result.hits[0].rerank_score == 1
    assert result.hits[0].text == "cat word7"
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize("words", ["bm25", "fusion"])
def test_words_find_k_documents_too(searcher: Searcher, words: str) -> None:
    result = carry_out(searcher, ask("cat", k=10, candidates=20, rerank=False, words=words))
    assert len({hit.id for hit in result.hits}) == len(result.hits) == 10


@pytest.mark.parametrize("articles", [5, 101])
def test_a_code_in_a_title_is_counted_by_documents(tmp_path: Path, articles: int) -> None:
    embedder, parts = HashEmbedder(), [f"moon{row} " for row in range(25)]
    pages = [page(number, *parts) for number in range(articles)]
    pages = [replace(split, document=split.document._replace(title="Error E-417")) for split in pages]
    pages += [page(number, f"cat word{number}") for number in range(1000, 1010)]
    texts = [passage.embedded for found in pages for passage in found.passages]
    with Indexer.open(tmp_path / "index", embedder, IndexSettings(offsets=False)) as indexer:
        indexer.store.commit_split(pages, embedder.embed(texts, "document").vectors)
        indexer.finish()
    searcher = Searcher(SearchIndex.open(tmp_path / "index"), has_reranker=False)
    found = carry_out(searcher, ask("cat e417", k=10, candidates=10, rerank=False))
    if articles == 101:
        assert found.words.words == ()
    else:
        coded = [hit for hit in found.hits if hit.title == "Error E-417"]
        assert coded == found.hits[:5]
        assert found.words.added == 10
        assert [len(hit.passages) for hit in coded] == [1] * 5


def test_a_quota_is_kept_where_further_documents_are_looked_for(tmp_path: Path) -> None:
    embedder, asked = HashEmbedder(), list[str]()
    pages = [page(0, *(f"{6 * 'cat '}{row} " for row in range(60)))]
    pages += [page(number, f"cat word{number}") for number in range(1, 31)]
    pages += [
        SplitDocument.whole(Document(f"seite-{number}", "de", "", f"Seite {9 * 'hund '}{number}"))
        for number in range(10)
    ]
    texts = [passage.embedded for found in pages for passage in found.passages]
    with Indexer.open(tmp_path / "index", embedder, IndexSettings(offsets=False)) as indexer:
        indexer.store.commit_split(pages, embedder.embed(texts, "document").vectors)
        indexer.finish()

    def rerank(passages: list[str]) -> list[float]:
        asked.extend(passages)
        return [0.0] * len(passages)

    # Half of 20, a quarter for each language; 15 of the first 20 are of one page.
    found = carry_out(
        Searcher(SearchIndex.open(tmp_path / "index"), has_reranker=True),
        ask("cat", k=15, candidates=20, quota=0.5),
        rerank,
    )
    assert len(found.hits) == 15
    assert sum(text.startswith("Seite") for text in asked) == 5
    assert len(asked) == 20 + 15 - 6


def test_a_floor_of_the_similarity_does_not_keep_looking(searcher: Searcher) -> None:
    best = carry_out(searcher, ask("cat", k=1, rerank=False)).hits[0].score
    result = carry_out(searcher, ask("cat", k=10, candidates=20, rerank=False, min_similarity=best - 1e-6))
    assert {hit.id for hit in result.hits} == {"page-0"}
