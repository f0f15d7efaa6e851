"""Language offsets: hand-worked means, shrinkage, and what they do to a search."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from interlingua_client.document import Document
from interlingua_client.index.indexer import Indexer
from interlingua_client.index.language_offsets import LanguageMeans, LanguageOffsets, VectorSum, shrinkage, unit
from interlingua_client.index.query_stand_ins import stand_in
from interlingua_client.index.search_index import SearchIndex
from tests.support.hash_embedder import HashEmbedder


def sums(**vectors: list[list[float]]) -> dict[str, VectorSum]:
    return {tag: VectorSum(len(rows), np.sum(np.array(rows), axis=0)) for tag, rows in vectors.items()}


def test_shrinkage_by_hand() -> None:
    # Four unit vectors: a has (1, 0) and (0.6, 0.8), b has (-1, 0) and (-0.6, 0.8).
    # Means (0.8, 0.4) and (-0.8, 0.4), grand mean (0, 0.4). Within: 2 * (1 - 0.8) + 2 * (1 - 0.8) = 0.8, over
    # 4 - 2 = 0.4. Among: 2 * 0.64 + 2 * 0.64 = 2.56, over 2 - 1. Typical count (4 - 8 / 4) / 1 = 2.
    # Between = (2.56 - 0.4) / 2 = 1.08, k = 0.4 / 1.08.
    means = np.array([[0.8, 0.4], [-0.8, 0.4]])
    assert shrinkage(np.array([2.0, 2.0]), means) == pytest.approx(0.4 / 1.08)


def test_means_by_hand() -> None:
    means = LanguageMeans.estimate(sums(a=[[1, 0], [0.6, 0.8]], b=[[-1, 0], [-0.6, 0.8]]))
    weight = 2 / (2 + 0.4 / 1.08)
    assert means.overall == pytest.approx([0, 0.4])
    assert means.of("a") == pytest.approx([0.8 * weight, 0.4])
    assert means.of("b") == pytest.approx([-0.8 * weight, 0.4])
    assert means.of("c") == pytest.approx([0, 0.4])
    assert means.of(None) == pytest.approx([0, 0.4])


def test_one_language_has_the_global_mean() -> None:
    means = LanguageMeans.estimate(sums(a=[[1, 0], [0, 1]]))
    assert means.of("a") == pytest.approx([0.5, 0.5])
    assert means.of("a") == pytest.approx(means.overall)


def test_languages_that_do_not_differ_are_not_told_apart() -> None:
    means = LanguageMeans.estimate(sums(a=[[1, 0], [0, 1]], b=[[0, 1], [1, 0]]))
    assert means.of("a") == pytest.approx(means.overall)


def test_a_small_language_is_shrunk_more() -> None:
    rng = np.random.default_rng(0)

    def around(center: list[float], number: int) -> list[list[float]]:
        return unit((np.array(center) + 0.4 * rng.normal(size=(number, 3))).astype(np.float32)).tolist()  # type: ignore[no-any-return]

    found = sums(big=around([1, 0, 0], 500), other=around([0, 1, 0], 500), small=around([0, 0, 1], 2))
    means = LanguageMeans.estimate(found)
    kept = {
        tag: np.linalg.norm(means.of(tag) - means.overall)
        / np.linalg.norm(found[tag].total / found[tag].number - means.overall)
        for tag in found
    }
    assert kept["small"] < kept["big"]
    assert kept["big"] == pytest.approx(1, abs=0.01)


def test_removal_by_hand() -> None:
    offsets = LanguageOffsets.from_means(
        {"": np.float32([0, 0]), "a": np.float32([0.6, 0])}, {"": np.float32([0, 0]), "a": np.float32([0, 0.5])}
    )
    # (3, 4) has the unit vector (0.6, 0.8); without (0.6, 0) it is (0, 0.8), of unit length (0, 1).
    assert offsets.remove_from_documents(np.float32([[3, 4]]), ["a"])[0] == pytest.approx([0, 1])
    assert offsets.remove_from_query(np.float32([0, 2]), "a") == pytest.approx([0, 1])
    assert offsets.remove_from_query(np.float32([2, 0]), None) == pytest.approx([1, 0])


def test_distance_is_in_units_of_the_spread() -> None:
    def with_mean(x: float) -> LanguageOffsets:
        means = {"": np.float32([0.6, 0]), "a": np.float32([0.6, x])}
        return LanguageOffsets.from_means(means, means)

    # The spread is sqrt(1 - 0.36) = 0.8.
    assert with_mean(0.04).distance(with_mean(0.0)) == pytest.approx(0.05)


@settings(deadline=None)
@given(arrays.arrays(np.float32, (4, 3), elements=st.floats(-1, 1, width=32)))
def test_moved_vectors_are_finite_and_of_unit_length(vectors: np.ndarray) -> None:
    whole = unit(vectors)
    kept = np.linalg.norm(whole, axis=1) > 0
    if not kept.any():
        return
    found = {"a": VectorSum(int(kept.sum()), whole[kept].astype(np.float64).sum(axis=0))}
    means = LanguageMeans.estimate(found)
    moved = LanguageOffsets(means, means).remove_from_documents(vectors[kept], ["a"] * int(kept.sum()))
    assert np.linalg.norm(moved, axis=1) == pytest.approx(1, abs=1e-4)


def test_a_lone_document_keeps_its_direction() -> None:
    means = LanguageMeans.estimate(sums(a=[[0.6, 0.8]]))
    assert LanguageOffsets(means, means).remove_from_documents(np.float32([[0.6, 0.8]]), ["a"])[0] == pytest.approx(
        [0.6, 0.8]
    )


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        ("A title", "Text.", "A title"),
        ("", "First. Second.", "First."),
        ("", "一句。两句。", "一句。"),
        (" ", "No end", "No end"),
        ("", "Line\nbreak", "Line"),
    ],
)
def test_what_stands_in_for_a_query(title: str, text: str, expected: str) -> None:
    assert stand_in(Document("1", "en", title, text)) == expected


def own_share(index: SearchIndex, embedder: HashEmbedder) -> float:
    vector = embedder.vector("en:cat en:dog", "query")
    found = index.documents(index.nearest(vector, "en", 6).labels)
    return sum(document.language == "en" for document in found.values()) / 6


def test_offsets_let_the_other_languages_in(index_dir: Path, embedder: HashEmbedder) -> None:
    with_offsets, without = SearchIndex.open(index_dir), SearchIndex.open(index_dir, use_offsets=False)
    # The six documents about cats and dogs, two a language, are the right answer.
    vector = embedder.vector("en:cat en:dog", "query")
    best = with_offsets.documents(with_offsets.nearest(vector, "en", 6).labels).values()
    assert {document.id for document in best} == {
        f"{t}-{w}" for t in ("en", "fr", "de") for w in ("cat-dog", "dog-cat")
    }
    assert own_share(with_offsets, embedder) == pytest.approx(1 / 3)
    assert own_share(without, embedder) > 0.8


def test_a_new_language_moves_the_offsets_and_a_few_documents_do_not(index_dir: Path, embedder: HashEmbedder) -> None:
    more = [Document("en-extra", "en", "en:cat", "en:cat en:cat en:sun")]
    with Indexer.open(index_dir, embedder) as indexer:
        indexer.add(more)
        outcome = indexer.finish()
    assert outcome.offsets.state == "kept"
    assert 0 < outcome.offsets.moved <= 0.05
    assert outcome.repair.reason == ""
    swedish = [Document(f"sv-{n}", "sv", f"sv:{w}", f"sv:{w} sv:moon") for n, w in enumerate(["cat", "dog", "sun"] * 5)]
    with Indexer.open(index_dir, embedder) as indexer:
        indexer.add(swedish)
        outcome = indexer.finish()
    assert outcome.offsets.state == "replaced"
    assert outcome.repair.added == 106
    assert not math.isnan(own_share(SearchIndex.open(index_dir), embedder))


def test_only_new_stand_ins_are_embedded(index_dir: Path) -> None:
    embedder = HashEmbedder()
    with Indexer.open(index_dir, embedder) as indexer:
        indexer.add([Document("new", "fr", "fr:lune", "fr:lune fr:moon")])
        indexer.finish()
    assert embedder.embedded == ["fr:lune\nfr:lune fr:moon", "fr:lune"]
