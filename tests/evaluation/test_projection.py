"""The picture: which documents are in it, and where."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from interlingua_evaluation.datasets.dataset import JudgedDocument
from interlingua_evaluation.gap.projection import principal_axes, projections, sample
from tests.evaluation.small_dataset import small_dataset


def document(group: str, language: str) -> JudgedDocument:
    return JudgedDocument(f"{group}.{language}", language, "", "", group)


def test_a_cross() -> None:
    # Around the mean (1, 2, 3): +-3 along the second axis, +-1 along the third. Variance: 18 and 2 of 20.
    vectors = np.array([[1, 5, 3], [1, -1, 3], [1, 2, 4], [1, 2, 2]], dtype=np.float32)
    places, explained = principal_axes(vectors)
    assert places == pytest.approx(np.array([[3, 0], [-3, 0], [0, 1], [0, -1]]), abs=1e-9)
    assert explained == pytest.approx((0.9, 0.1))


def test_mirrored_vectors_are_mirrored_not_turned() -> None:
    # Directions are (0.6, 0.8) and (0.8, -0.6): their largest entries are made positive.
    vectors = np.array([[6, 8], [-6, -8], [0.8, -0.6], [-0.8, 0.6]], dtype=np.float32)
    expected = np.array([[10, 0], [-10, 0], [0, 1], [0, -1]])
    assert principal_axes(vectors)[0] == pytest.approx(expected, abs=1e-6)
    assert principal_axes(-vectors)[0] == pytest.approx(-expected, abs=1e-6)


@pytest.mark.parametrize(
    ("vectors", "places", "explained"),
    [
        pytest.param([[0.6, 0.8]], [[0, 0]], (0, 0), id="one document"),
        pytest.param([[0.6, 0.8]] * 3, [[0, 0]] * 3, (0, 0), id="all the same"),
        pytest.param([[0, 0], [3, 4]], [[-2.5, 0], [2.5, 0]], (1, 0), id="two documents"),
        pytest.param([[1], [3]], [[-1, 0], [1, 0]], (1, 0), id="one dimension"),
    ],
)
def test_too_little_for_a_plane(
    vectors: list[list[float]], places: list[list[float]], explained: tuple[float, float]
) -> None:
    found, shares = principal_axes(np.array(vectors, dtype=np.float32))
    assert found == pytest.approx(np.array(places), abs=1e-6)
    assert shares == pytest.approx(explained, abs=1e-9)


def test_distances_are_those_of_the_whole_space_if_it_is_a_plane() -> None:
    chance = np.random.default_rng(6)
    plane, _ = np.linalg.qr(chance.normal(size=(20, 2)))
    vectors = (chance.normal(size=(30, 2)) @ plane.T).astype(np.float32)
    places, explained = principal_axes(vectors)
    there = np.linalg.norm(vectors[:, None] - vectors, axis=2)
    assert np.linalg.norm(places[:, None] - places, axis=2) == pytest.approx(there, abs=1e-5)
    assert sum(explained) == pytest.approx(1)


def test_groups_that_most_languages_have_come_first() -> None:
    documents = [
        document("alone", "en"),
        document("two", "en"),
        document("all", "en"),
        document("two", "de"),
        document("rest", "de"),
        document("all", "de"),
        document("all", "sv"),
    ]
    assert sample(documents, 1) == [2, 5, 6]
    assert sample(documents, 2) == [1, 2, 3, 5, 6]
    assert sample(documents, 60) == list(range(7))


def test_both_pictures_show_the_same_documents() -> None:
    dataset = small_dataset()
    before = np.random.default_rng(7).normal(size=(18, 5)).astype(np.float32)
    after = before[:, ::-1].copy()
    after[:, 0] *= 9
    pictures = projections(dataset.documents, before, after, documents_a_language=4)
    shown = [(point.document, point.language) for point in pictures.before.points]
    assert shown == [(point.document, point.language) for point in pictures.after.points]
    assert Counter(language for _, language in shown) == {"en": 4, "de": 4, "sv": 4}
    assert shown[:5] == [("cat.en", "en"), ("dog.en", "en"), ("sun.en", "en"), ("moon.en", "en"), ("cat.de", "de")]
    assert pictures.after.explained[0] > pictures.before.explained[0]
    chosen = [0, 1, 2, 3, 6, 7, 8, 9, 12, 13, 14, 15]
    eigenvalues = np.linalg.eigvalsh(np.cov(before[chosen].T))[::-1]
    assert pictures.before.explained == pytest.approx(tuple(eigenvalues[:2] / eigenvalues.sum()), rel=1e-5)
    spread = np.var([point.x for point in pictures.before.points], ddof=1)
    assert math.isclose(spread, eigenvalues[0], rel_tol=1e-5)
