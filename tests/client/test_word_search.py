"""The words of an index: written with the documents, and what a search makes of a question's names and codes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua_client.deadline import Deadline
from interlingua_client.document import Document
from interlingua_client.embedder import Reranked, ServiceTimes
from interlingua_client.index.document_store import STORE_FILE, DocumentStore
from interlingua_client.index.indexer import Indexer
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.index.words.word_table import WordTable
from interlingua_client.search.results import SearchResult
from interlingua_client.search.search_options import SearchOptions
from interlingua_client.search.search_request import Rerank, SearchRequest
from interlingua_client.search.search_steps import Searcher
from interlingua_client.search.snippets import QuestionWords, Snippet, snippet
from tests.support.hash_embedder import HashEmbedder

LANGUAGES = ("en", "de", "ja", "hi")
FILLER = [Document(f"filler-{number}", "en", "", f"en:cat en:dog en:tree number {number}") for number in range(300)]


def coded(code: str) -> list[Document]:
    """An article in four languages that has a code; nothing else of it is in any question."""
    return [Document(f"{code}.{tag}", tag, "", f"{tag}:moon {code}が") for tag in LANGUAGES]


@pytest.fixture(scope="module")
def words_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 documents about cats, and two articles with codes that differ in a digit."""
    directory = tmp_path_factory.mktemp("words") / "index"
    write(directory, [*FILLER, *coded("E-417"), *coded("E-418")])
    return directory


def write(directory: Path, documents: Sequence[Document], *, delete: Sequence[str] = (), rebuild: bool = False) -> str:
    with Indexer.open(directory, HashEmbedder()) as indexer:
        indexer.add(documents)
        indexer.delete(delete)
        indexer.finish(rebuild=rebuild)
        return indexer.note


@pytest.fixture
def searcher(words_dir: Path) -> Iterator[Searcher]:
    with closing(SearchIndex.open(words_dir)) as index:
        yield Searcher(index, has_reranker=True)


def search(
    searcher: Searcher, query: str, *, deadline: Deadline | None = None, seen: list[str] | None = None, **options: Any
) -> SearchResult:
    """Rerank by whether a text has the query's first word."""
    chosen = SearchOptions(**{"query_language": "en", "candidates": 10, **options})
    steps, reply = searcher.steps(SearchRequest(query, chosen, deadline)), None
    try:
        while True:
            step = steps.send(reply)
            if isinstance(step, Rerank):
                if seen is not None:
                    seen += step.passages
                scores = [float(query.split()[0] in passage) for passage in step.passages]
                reply = Reranked(np.array(scores, np.float32), ServiceTimes(0.001))
            else:
                reply = HashEmbedder().embed([step.query], "query")
    except StopIteration as end:
        result: SearchResult = end.value
        return result


def labels_with(directory: Path, word: str) -> set[str]:
    """Ids of the documents whose passages hold a word."""
    with closing(DocumentStore.open(directory)) as store, store.reading() as connection:
        labels = list(WordTable(connection).holding(word))
        assert len(WordTable(connection)) == connection.execute("SELECT count(*) FROM passages").fetchone()[0]
        return {document.id for document in store.documents(labels).values()}


def test_a_code_is_found_that_the_vectors_do_not_lead_to(searcher: Searcher) -> None:
    ids = {f"E-417.{tag}" for tag in LANGUAGES}
    without = search(searcher, "E-417 en:cat en:dog en:tree", words="off")
    assert ids.isdisjoint(hit.id for hit in without.hits)
    found = search(searcher, "E-417 en:cat en:dog en:tree")
    assert {hit.id for hit in found.hits[:4]} == ids
    assert (found.words.words, found.words.added) == (("e417",), 4)
    assert found.reranking.wanted == 14


@pytest.mark.parametrize("how", [{"rerank": False}, {"rerank_weight": 0.0}], ids=str)
def test_what_holds_the_code_comes_first_whatever_the_stages_say(searcher: Searcher, how: dict[str, Any]) -> None:
    ids = {f"E-417.{tag}" for tag in LANGUAGES}
    assert {hit.id for hit in search(searcher, "E-417 en:cat en:dog en:tree", **how).hits[:4]} == ids
    both = search(searcher, "en:cat en:dog E-418 E-417", k=8, **how).hits
    assert {hit.id for hit in both} == ids | {f"E-418.{tag}" for tag in LANGUAGES}
    assert ids.isdisjoint(hit.id for hit in search(searcher, "417 en:cat en:dog en:tree", **how).hits[:4])


def test_another_way_to_write_it_is_the_same_code(searcher: Searcher) -> None:
    assert search(searcher, "e417 en:cat").words.words == ("e417",)
    assert search(searcher, "E_418-es en:cat").words.added == 4
    assert search(searcher, "E-419 en:cat").words == search(searcher, "en:cat").words


def test_a_filter_holds_for_what_words_find(searcher: Searcher) -> None:
    found = search(searcher, "E-417 en:cat", languages=["ja", "hi"], candidates=1, k=1)
    assert found.words.added == 2  # that one candidate is E-418
    assert {hit.language for hit in found.hits} <= {"ja", "hi"}


def test_a_similarity_that_is_asked_for_holds_too(searcher: Searcher) -> None:
    found = search(searcher, "E-417 en:cat en:dog en:tree", min_similarity=0.9)
    assert all(hit.dense_score >= 0.9 for hit in found.hits)


def test_what_words_add_is_chosen_among_what_is_near_enough(tmp_path: Path) -> None:
    asked = "E-417 E-500 " + 3 * "en:cat en:dog "
    far = [Document(f"far-{number}", "en", "", f"E-417 E-500 en:moon en:sun en:moon {number}") for number in range(20)]
    near = [Document(f"near-{number}", "en", "", f"E-417 {6 * 'en:cat en:dog '}{number}") for number in range(3)]
    first = Document("first", "en", "", 6 * "en:cat en:dog ")
    write(tmp_path, [*far, *near, first])
    with closing(SearchIndex.open(tmp_path)) as index:
        searcher = Searcher(index, has_reranker=True)
        scores = {hit.id: hit.dense_score for hit in search(searcher, asked, words="off", k=50, rerank=False).hits}
        least = min(scores[document.id] for document in near) - 1e-4
        assert max(scores[document.id] for document in far) < least
        found = search(searcher, asked, min_similarity=least, k=1, candidates=1, rerank=False)
    assert found.words.added == found.reranking.wanted - 1 >= 2


def test_a_name_counts_that_stands_in_three_languages_and_a_word_does_not(tmp_path: Path) -> None:
    named = [Document(f"n.{tag}", tag, "", f"{tag}:moon Norvella") for tag in LANGUAGES[:3]]
    common = [Document(f"w.{number}", "en", "", f"en:moon handle {number}") for number in range(3)]
    write(tmp_path, [*FILLER, *named, *common])
    with closing(SearchIndex.open(tmp_path)) as index:
        result = search(Searcher(index, has_reranker=True), "NORVELLA handle en:cat")
    assert (result.words.words, result.words.added) == (("norvella",), 3)


def test_what_words_add_is_reranked_before_the_end_of_the_list(searcher: Searcher) -> None:
    seen: list[str] = []
    search(searcher, "E-417 en:cat en:dog en:tree", candidates=20, k=5, seen=seen)
    assert [row for row, text in enumerate(seen) if "E-417" in text] == [5, 6, 7, 8]


def test_words_follow_edits_and_deletions(tmp_path: Path) -> None:
    write(tmp_path, [*coded("E-417"), *coded("E-418")])
    assert labels_with(tmp_path, "e417") == {f"E-417.{tag}" for tag in LANGUAGES}
    write(tmp_path, [Document("E-417.en", "en", "", "en:moon E-500")], delete=["E-417.de"])
    assert labels_with(tmp_path, "e417") == {"E-417.ja", "E-417.hi"}
    assert labels_with(tmp_path, "e500") == {"E-417.en"}


@pytest.mark.parametrize("damage", ["DROP TABLE passage_words", "UPDATE manifest SET value = '' WHERE key = 'words'"])
def test_words_that_are_gone_are_said_and_made_again(tmp_path: Path, damage: str) -> None:
    write(tmp_path, [*FILLER, *coded("E-417")])
    with closing(sqlite3.connect(tmp_path / STORE_FILE)) as connection:
        connection.execute(damage)
        connection.commit()
    with closing(SearchIndex.open(tmp_path)) as index:
        result = search(Searcher(index, has_reranker=True), "E-417 en:cat")
    assert result.hits
    assert "interlingua index" in result.words.reason or "passage_words" in result.words.reason
    write(tmp_path, [], rebuild=True)
    assert labels_with(tmp_path, "e417") == {f"E-417.{tag}" for tag in LANGUAGES}


def test_a_writer_with_other_rules_makes_all_words_anew(tmp_path: Path) -> None:
    write(tmp_path, coded("E-417"))
    with closing(DocumentStore.open(tmp_path, writing=True)) as store:
        store.update_manifest(lambda manifest: replace(manifest, words="1/older/older"))
    write(tmp_path, coded("E-418"), delete=["E-417.en"])
    assert labels_with(tmp_path, "e417") == {f"E-417.{tag}" for tag in LANGUAGES[1:]}
    assert labels_with(tmp_path, "e418") == {f"E-418.{tag}" for tag in LANGUAGES}


def test_sqlite_without_fts5_indexes_and_searches_without_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("word_table", "stored_words"):
        monkeypatch.setattr(f"interlingua_client.index.words.{module}.is_available", lambda: False)
    monkeypatch.setattr("interlingua_client.index.document_store.is_available", lambda: False)
    monkeypatch.setattr("interlingua_client.index.indexer.is_available", lambda: False)
    assert "FTS5" in write(tmp_path, [*FILLER, *coded("E-417")])
    with closing(SearchIndex.open(tmp_path)) as index:
        result = search(Searcher(index, has_reranker=True), "E-417 en:cat")
    assert len(result.hits) == 10
    assert "FTS5" in result.words.reason


def test_turkish_texts_hold_codes_and_names_for_everyone(tmp_path: Path) -> None:
    write(tmp_path, [*FILLER, Document("tr", "tr", "", "tr:moon IP-404 INV-2024 Instagram IĞDIR")])
    for word in ("ip404", "inv2024", "instagram", "\u0131nstagram", "i\u011fdir", "\u0131\u011fd\u0131r"):
        assert labels_with(tmp_path, word) == {"tr"}, word
    with closing(SearchIndex.open(tmp_path)) as index:
        for language in ("tr", "en"):
            found = search(Searcher(index, has_reranker=True), "IP-404 en:cat", query_language=language).hits[0]
            assert found.id == "tr"
            assert [found.snippet.text[start:end] for start, end in found.snippet.highlights] == ["IP-404"]


def test_bm25_and_fusion_by_hand(tmp_path: Path) -> None:
    texts = {"once": "moon en:cat", "twice": "moon moon en:dog", "none": "sun en:tree"}
    write(tmp_path, [Document(id_, "en", "", text) for id_, text in texts.items()])
    with closing(SearchIndex.open(tmp_path)) as index:
        searcher = Searcher(index, has_reranker=False)
        by_words = search(searcher, "moon", words="bm25")
        fused = search(searcher, "moon", words="fusion")
        dense = search(searcher, "moon", words="off")
    assert [hit.id for hit in by_words.hits] == ["twice", "once"]
    ranks = {hit.id: [hit.dense_rank] for hit in dense.hits}
    for rank, id_ in enumerate(["twice", "once"], start=1):
        ranks[id_].append(rank)
    sums = {id_: sum(1 / (60 + rank) for rank in found) for id_, found in ranks.items()}
    assert {hit.id: pytest.approx(hit.score, abs=1e-6) for hit in fused.hits} == sums


@pytest.mark.parametrize("words", ["bm25", "fusion"])
def test_a_similarity_is_not_asked_of_what_words_find(searcher: Searcher, words: str) -> None:
    with pytest.raises(InputError, match=f"min_similarity is 0.5 and words is '{words}'"):
        search(searcher, "en:cat", words=words, min_similarity=0.5)


@pytest.mark.parametrize("words", ["bm25", "fusion"])
def test_places_are_of_cosines_whatever_words_scored(tmp_path: Path, words: str) -> None:
    texts = {"word": f"moon {5 * 'en:cat en:dog '}", "words": f"moon moon moon {9 * 'en:tree '}", "far": "en:cat"}
    write(tmp_path, [Document(id_, "en", "", text) for id_, text in texts.items()])
    with closing(SearchIndex.open(tmp_path)) as index:
        searcher = Searcher(index, has_reranker=False)
        found = search(searcher, "moon en:cat", words=words, explain=True)
        dense = {hit.id: hit.dense_score for hit in search(searcher, "moon en:cat", words="off").hits}
    nearest = sorted((hit.id for hit in found.hits), key=lambda id_: -dense[id_])
    assert {hit.id: hit.places.dense for hit in found.hits if hit.places} == {
        id_: place for place, id_ in enumerate(nearest, start=1)
    }
    assert [hit.id for hit in found.hits] != nearest


def test_the_time_of_reranking_is_of_nothing_else(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(text: str, asked: QuestionWords) -> Snippet:
        time.sleep(0.05)
        return snippet(text, asked)

    monkeypatch.setattr("interlingua_client.search.search_steps.snippet", slow)
    times = search(searcher, "en:cat", k=10).times
    assert times.total_s - times.rerank_s >= 0.5


def test_places_say_what_each_step_did(searcher: Searcher) -> None:
    result = search(searcher, "E-417 en:cat en:dog en:tree", explain=True, k=14)
    by_id = {hit.id: hit for hit in result.hits}
    assert [hit.places.balanced for hit in result.hits if hit.places] == list(range(1, 15))
    added = by_id["E-417.ja"].places
    assert added is not None
    assert added.added
    assert added.without_words is None
    assert [hit.places.without_words for hit in result.hits[4:] if hit.places] == list(range(1, 11))
    assert all(hit.places and hit.places.dense == hit.dense_rank for hit in result.hits)
    assert search(searcher, "en:cat").hits[0].places is None
