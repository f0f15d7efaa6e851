"""Means drawn towards a model's language vectors, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from interlingua.served.language_vectors import LanguageVectors, RoleVectors
from interlingua_client.document import Document
from interlingua_client.index.indexer import Indexer
from interlingua_client.index.language_offsets import VectorSum
from interlingua_client.index.model_target import DOMAIN, SUBJECT, draw_means
from tests.support.hash_embedder import HashEmbedder, direction

# Languages lie 0.4 to the left and to the right of (0, 0.5): a variance of 0.16 around it.
MODEL = RoleVectors(np.float32([0, 0.5]), {"en": np.float32([0.4, 0]), "de": np.float32([-0.4, 0])})


def sums(**vectors: list[list[float]]) -> dict[str, VectorSum]:
    return {tag: VectorSum(len(rows), np.sum(np.array(rows), axis=0)) for tag, rows in vectors.items()}


def test_means_by_hand() -> None:
    # Own means (0.8, 0) and (-0.8, 0), of two vectors each. Within: (2 * 0.36 + 2 * 0.36) / (4 - 2) = 0.72, so a mean
    # is expected to be 0.5 * 0.16 + 0.72 / 2 = 0.44 from its target. Subject: the readings (0.4, 0) and (-0.4, 0) have
    # the mean (0, 0), which counts 4 / (4 + 40) beside the model's (0, 0.5): (0, 5 / 11). English's target is
    # (0.4, 5 / 11), its own mean 0.16 + 0.2066 = 0.3666 from it, less than expected: it counts 0.08 / 0.44 = 2 / 11.
    # Of the subject 0.7 is taken off: 3.5 / 11.
    drawn = draw_means(sums(en=[[0.8, 0.6], [0.8, -0.6]], de=[[-0.8, 0.6], [-0.8, -0.6]]), MODEL)
    assert (DOMAIN, SUBJECT) == (0.5, 0.7)
    assert drawn.means.overall == pytest.approx([0, 3.5 / 11])
    assert drawn.shares == pytest.approx({"en": 2 / 11, "de": 2 / 11})
    assert drawn.means.of("en") == pytest.approx([0.4 + 2 / 11 * 0.4, (3.5 - 5 * 2 / 11) / 11])
    assert drawn.means.of("de") == pytest.approx([-0.4 - 2 / 11 * 0.4, (3.5 - 5 * 2 / 11) / 11])


def test_topics_that_no_language_explains_count_little() -> None:
    # A hundred documents a language, hardly scattered: within is 0.01. Where they are where the model says, the own
    # mean counts 0.08 / 0.0801; where each language is about something else, 0.08 over the square of how far it is.
    def around(x: float, y: float) -> VectorSum:
        length = np.sqrt(0.99)
        return VectorSum(100, 100 * length * np.array([x, y]) / np.hypot(x, y))

    agreed = draw_means({"en": around(0.4, 1), "de": around(-0.4, 1)}, MODEL)
    apart = draw_means({"en": around(-1, 1), "de": around(1, 1)}, MODEL)
    assert min(agreed.shares.values()) == pytest.approx(0.08 / (0.08 + 0.01 / 100), rel=0.01)
    assert max(apart.shares.values()) < 0.08
    assert apart.means.of("en")[0] > apart.means.of("de")[0]  # though the documents lie the other way round


def test_one_document_has_the_models_offsets() -> None:
    drawn = draw_means(sums(de=[[0.6, 0.8]]), MODEL)
    # Its reading of the subject is (0.6 + 0.4, 0.8), which counts 1 / 41 beside (0, 0.5): (1, 20.8) / 41. From the
    # target (-0.4, 0) + (1, 20.8) / 41 the document is (40 / 41, 12 / 41), more than expected (0.08 + 1 - 0.25).
    assert drawn.shares["de"] == pytest.approx(0.08 * 41**2 / (40**2 + 12**2))
    assert drawn.means.of("en") - drawn.means.overall == pytest.approx([0.4, 0])


def test_a_language_the_model_does_not_know_is_drawn_to_what_all_is_about() -> None:
    drawn = draw_means(sums(en=[[0.8, 0.6]] * 9, sw=[[0.0, 1.0]] * 9), MODEL)
    overall, own = drawn.means.overall, np.array([0.0, 1.0])
    assert 0 < drawn.shares["sw"] < 1
    assert drawn.means.of("sw") == pytest.approx(overall + drawn.shares["sw"] * (own - overall / SUBJECT), abs=1e-6)
    assert drawn.means.of("en-GB") == pytest.approx(drawn.means.of("en"))
    assert drawn.means.of("xx") == pytest.approx(overall)


def test_a_variant_has_its_languages_vector() -> None:
    rows = [[0.8, 0.6], [0.8, -0.6]]
    british, english = (draw_means(sums(**{tag: rows}), MODEL) for tag in ("en-GB", "en"))
    assert british.shares["en-GB"] == english.shares["en"]
    for tag in ("en", "en-GB", "en-US", "de", "xx"):
        assert british.means.of(tag) == pytest.approx(english.means.of(tag))


def vectors_of(embedder: HashEmbedder, *languages: str) -> LanguageVectors:
    """As an exporter measures them: the same topics in each language."""
    topics = ("red", "green", "blue", "grey")
    roles = []
    for role in ("document", "query"):
        means = {
            tag: np.mean([embedder.vector(f"{tag}:{topic}", role) for topic in topics], axis=0)  # type: ignore[arg-type]
            for tag in languages
        }
        roles.append(RoleVectors.of_means(means))
    return LanguageVectors(embedder.identity.digest, *roles)


def test_an_index_says_how_far_its_own_means_count(tmp_path: Path) -> None:
    embedder = HashEmbedder()
    embedder.language_vectors = vectors_of(embedder, "en", "de", "fr")
    with Indexer.open(tmp_path, embedder) as indexer:
        indexer.add(
            Document(f"{word}.{tag}", tag, "", f"{tag}:{word}") for tag in ("en", "de") for word in ("cat", "dog")
        )
        outcome = indexer.finish()
        offsets = indexer.store.offsets()
    assert outcome.offsets.own_shares.keys() == {"en", "de"}
    assert all(0 < share < 1 for share in outcome.offsets.own_shares.values())
    # French has no document, and an offset all the same.
    assert offsets is not None
    towards_french = offsets.queries.of("fr") - offsets.queries.overall
    assert float(towards_french @ direction("query in fr")) > 0.5


def test_a_model_without_language_vectors_is_estimated_from_the_documents_alone(tmp_path: Path) -> None:
    with Indexer.open(tmp_path, HashEmbedder()) as indexer:
        indexer.add([Document("1", "en", "", "en:cat"), Document("2", "de", "", "de:cat")])
        assert indexer.finish().offsets.own_shares == {}
