"""The questions of the knowledge base's costs share words with its pages."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from interlingua_benchmarks.knowledge_base.costs import make, search
from interlingua_benchmarks.knowledge_base.pages import ReadyEmbedder, question
from interlingua_client.index.search_index import SearchIndex


def test_questions_find_words_of_the_pages(tmp_path: Path) -> None:
    embedder = ReadyEmbedder(80, 8)
    assert make(tmp_path, 40, 2, embedder).passages == 80
    with closing(SearchIndex.open(tmp_path)) as index:
        assert all(index.exact_matches(question(number, 40)).weights for number in range(5))
    assert len(search(tmp_path, embedder.queries[:5], 3).search_ms) == 5
