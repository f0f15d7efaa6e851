"""Codes and words bring nothing into a search that its filters leave out, and tell nothing of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from interlingua_client.document import Document
from interlingua_client.filtering.filter_parsing import parse
from interlingua_client.index.indexer import Indexer
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.index.words.exact_matches import MOST, READ, exact_matches
from interlingua_client.search.results import SearchResult
from interlingua_client.search.search_options import SearchOptions
from interlingua_client.search.search_request import SearchRequest
from interlingua_client.search.search_steps import Searcher
from tests.client.test_search_steps import carry_out
from tests.support.hash_embedder import HashEmbedder

OWN = [
    *(Document(f"cat-{row}", "en", "", f"en:cat number {row}", {"tenant": "acme"}) for row in range(30)),
    Document("own", "en", "", "en:moon E-417", {"tenant": "acme", "level": 1}),
    *(
        Document(f"own-{tag}", tag, "", f"{tag}:sun Norvella", {"tenant": "acme", "level": 3})
        for tag in ("de", "ja", "hi")
    ),
    *(Document(f"filler-{row}", "en", "", f"en:tree {row}", {"tenant": "acme"}) for row in range(100)),
]
DOCUMENTS = [*OWN, Document("theirs", "en", "", "en:moon E-417 and E-999", {"tenant": "rival", "level": 2})]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("coded") / "index", DOCUMENTS)


def write(made: Path, documents: Sequence[Document]) -> Path:
    with Indexer.open(made, HashEmbedder()) as indexer:
        indexer.add(documents)
        indexer.finish()
    return made


def search(directory: Path, query: str, **options: object) -> SearchResult:
    chosen = SearchOptions(**{"k": 5, "candidates": 5, "rerank": False, "query_language": "en", **options})  # type: ignore[arg-type]
    with closing(SearchIndex.open(directory)) as index:
        request = SearchRequest(query, chosen, None, parse({"tenant": "acme"}))
        return carry_out(Searcher(index, has_reranker=False), request)


@pytest.mark.parametrize("words", ["codes", "bm25", "fusion"])
def test_words_stay_within_what_is_pinned(directory: Path, words: str) -> None:
    result = search(directory, "en:cat E-417", words=words, k=50, candidates=50)
    found = {hit.id for hit in result.hits}
    assert "own" in found
    assert "theirs" not in found
    filtered = search(directory, "en:cat E-417", words=words, k=50, candidates=50, filter={"not": {"level": 1}})
    assert not {"own", "theirs"} & {hit.id for hit in filtered.hits}


def test_a_code_that_stands_outside_alone_is_as_if_it_stood_nowhere(directory: Path) -> None:
    outside, nowhere = (search(directory, f"en:cat {code}").words for code in ("E-999", "E-998"))
    assert outside == nowhere
    assert outside is not None
    assert outside.words == ()


def test_what_stands_often_outside_is_as_rare_as_it_is_inside(tmp_path: Path) -> None:
    often = [
        Document(f"rival-{row}", "en", "", f"E-417 Norvella {row}", {"tenant": "rival"}) for row in range(3 * MOST)
    ]
    alone, beside = write(tmp_path / "alone", OWN), write(tmp_path / "beside", [*often, *OWN])
    asked = "en:cat E-417 Norvella"
    assert search(alone, asked).words == search(beside, asked).words
    assert search(beside, asked).words.words == ("e417", "norvella")
    assert "own" in {hit.id for hit in search(beside, asked, k=10).hits}


def test_so_many_labels_are_read_whatever_stands_outside() -> None:
    read = 0

    def holding(word: str) -> Iterator[int]:  # noqa: ARG001
        nonlocal read
        for label in count():
            read += 1
            yield label

    matches = exact_matches(
        " ".join(f"E-{number}" for number in range(40)), holding, lambda _: {}, 1000, is_known=lambda _: False
    )
    assert matches.words == []
    assert read < 1.5 * READ
