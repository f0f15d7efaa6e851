"""Both stages' scores made one: the formula by hand, and what a search makes of it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import RequestRejectedError
from interlingua.base.options import faults
from interlingua_client.deadline import Deadline
from interlingua_client.document import Document
from interlingua_client.embedder import FloatArray, Role
from interlingua_client.index.indexer import Indexer, IndexSettings
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.search.results import Reranking, SearchResult
from interlingua_client.search.score_mixing import mix_scores, standardized
from interlingua_client.search.search_options import SearchOptions
from interlingua_client.search.search_steps import Searcher
from tests.client.test_search_steps import ask, carry_out
from tests.support.hash_embedder import HashEmbedder

SIMILARITIES = (0.9, 0.7, 0.5, 0.3)  # mean 0.6, variance (0.09 + 0.01 + 0.01 + 0.09) / 4 = 0.05
LOGITS = (1.0, 3.0, 7.0, 5.0)  # mean 4, variance (9 + 1 + 9 + 1) / 4 = 5
FAR, NEAR = 3 / math.sqrt(5), 1 / math.sqrt(5)  # 1.342 and 0.447: the only distances in both


class CosineEmbedder(HashEmbedder):
    """A document's text is its cosine with every query."""

    def __init__(self) -> None:
        super().__init__("cosines", dimension=2)

    def vector(self, text: str, role: Role) -> FloatArray:
        cosine = 1.0 if role == "query" else float(text)
        return np.array([cosine, math.sqrt(1 - cosine**2)], np.float32)


def searcher_over(directory: Path, similarities: tuple[float, ...], **options: float) -> Searcher:
    """Over documents `a`, `b`, ... of these cosines."""
    documents = [Document(chr(ord("a") + row), "en", "", str(value)) for row, value in enumerate(similarities)]
    with Indexer.open(directory, CosineEmbedder(), IndexSettings(offsets=False)) as indexer:
        indexer.add(documents)
        indexer.finish()
    return Searcher(SearchIndex.open(directory), has_reranker=True, **options)


@pytest.fixture
def searcher(tmp_path: Path) -> Searcher:
    return searcher_over(tmp_path / "index", SIMILARITIES)


def known_logits(passages: list[str]) -> list[float]:
    return [dict(zip(map(str, SIMILARITIES), LOGITS, strict=True))[passage] for passage in passages]


def search(searcher: Searcher, **values: object) -> SearchResult:
    return carry_out(searcher, ask(**values), known_logits, CosineEmbedder())


def order(result: SearchResult) -> str:
    return "".join(hit.id for hit in result.hits)


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        pytest.param(0.0, [FAR, NEAR, -NEAR, -FAR], id="first stage alone"),
        pytest.param(0.5, [0, 0, NEAR, -NEAR], id="half and half"),
        pytest.param(0.25, [FAR / 2, NEAR / 2, 0, -2 * NEAR], id="a quarter"),
        pytest.param(1.0, [-FAR, -NEAR, FAR, NEAR], id="reranker alone"),
    ],
)
def test_the_formula(weight: float, expected: list[float]) -> None:
    assert mix_scores(SIMILARITIES, LOGITS, weight) == pytest.approx(expected, abs=1e-12)


def test_equal_values_and_single_ones_say_nothing() -> None:
    assert np.std([0.1] * 3) > 0  # why the deviation alone would not do
    assert standardized([0.1] * 3).tolist() == [0, 0, 0]
    assert standardized([7.0]).tolist() == [0]
    assert standardized([]).tolist() == []
    assert mix_scores([0.3, 0.3], [1, 5], 0.5) == [-0.5, 0.5]
    assert mix_scores([0.3], [9], 0.5) == [0]


def test_scale_and_offset_of_the_logits_do_not_matter() -> None:
    stretched = [1000 * logit - 77 for logit in LOGITS]
    assert mix_scores(SIMILARITIES, stretched, 0.4) == pytest.approx(mix_scores(SIMILARITIES, LOGITS, 0.4))


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        pytest.param(0.0, "abcd", id="first stage alone"),
        pytest.param(0.55, "cbad", id="in between: the order of neither"),  # -0.134, -0.045, 0.537, -0.358
        pytest.param(1.0, "cdba", id="reranker alone"),
    ],
)
def test_the_weight_decides_the_order(searcher: Searcher, weight: float, expected: str) -> None:
    result = search(searcher, rerank_weight=weight)
    assert order(result) == expected
    assert result.reranking == Reranking(4, 4, "", weight)
    scores = [hit.score for hit in result.hits]
    assert scores == sorted(scores, reverse=True)


def test_a_hit_shows_both_stages(searcher: Searcher) -> None:
    hit = search(searcher, rerank_weight=0.55).hits[0]
    assert (hit.id, hit.rank, hit.dense_rank) == ("c", 1, 3)
    assert (hit.dense_score, hit.rerank_score) == (pytest.approx(0.5), 7.0)
    assert hit.score == pytest.approx(0.55 * FAR - 0.45 * NEAR, abs=1e-5)


def test_equal_scores_keep_the_dense_order(searcher: Searcher) -> None:
    result = carry_out(searcher, ask(), lambda passages: [3.0] * len(passages), CosineEmbedder())
    assert order(result) == "abcd"
    assert [hit.score for hit in result.hits] == [0, 0, 0, 0]


def test_those_beyond_the_depth_follow_and_take_no_part(tmp_path: Path) -> None:
    similarities = tuple(round(0.9 - 0.05 * row, 2) for row in range(10))
    searcher = searcher_over(tmp_path / "index", similarities, rerank_weight=1.0)
    answers = [[float(row) for row in range(8)]]  # the first request has 8 pairs; there is no answer to the next

    def rerank(_: list[str]) -> list[float]:
        if not answers:
            raise RequestRejectedError("overloaded")
        return answers.pop()

    result = carry_out(searcher, ask(deadline=Deadline.after(60)), rerank, CosineEmbedder())
    assert result.reranking == Reranking(8, 10, "reranking failed: overloaded", 1.0)
    assert order(result) == "hgfedcba" + "ij"
    # 0 to 7: mean 3.5, variance (64 - 1) / 12 = 5.25
    assert result.hits[0].score == pytest.approx(3.5 / math.sqrt(5.25))
    assert [hit.score for hit in result.hits[8:]] == pytest.approx([0.5, 0.45])
    assert [hit.dense_rank for hit in result.hits] == [8, 7, 6, 5, 4, 3, 2, 1, 9, 10]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_score_that_is_no_number_leaves_the_dense_order(searcher: Searcher, value: float) -> None:
    result = carry_out(searcher, ask(), lambda _: [1.0, value, 2.0, 3.0], CosineEmbedder())
    assert order(result) == "abcd"
    assert result.reranking.depth == 0
    assert "not a finite number" in result.reranking.reason


@pytest.mark.parametrize("weight", [-0.1, 1.01, math.nan, math.inf])
def test_a_weight_is_from_0_to_1(weight: float) -> None:
    assert "rerank_weight is" in (fault := "; ".join(faults(SearchOptions(rerank_weight=weight))))
    assert "it must be a number from 0 to 1" in fault


def test_the_bounds_and_none_are_weights() -> None:
    assert [faults(SearchOptions(rerank_weight=weight)) for weight in (0, 0.5, 1, None)] == [[]] * 4
