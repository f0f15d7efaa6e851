"""Translations against strangers, worked out by hand and pair by pair."""

from __future__ import annotations

import math

import numpy as np
import pytest

from interlingua_client.embedder import FloatArray
from interlingua_client.index.language_offsets import unit
from interlingua_evaluation.gap.modality_gap import GapOfPair, modality_gap


def on_the_circle(*degrees: float) -> FloatArray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def cosine(degrees: float) -> float:
    return math.cos(math.radians(degrees))


def the_gap(vectors: FloatArray, languages: list[str], groups: list[str]) -> GapOfPair:
    gap = modality_gap(vectors, languages, groups)
    assert len(gap.pairs) == 1
    return gap.pairs[0]


def test_two_pages_in_two_languages() -> None:
    # de: a at 0, b at 90; en: a at 30, b at 100. Translations are 30 and 10 apart; strangers 100 and 60.
    # Every translation beats its stranger. Means: de (1/2, 1/2); en halfway between 30 and 100.
    gap = the_gap(on_the_circle(0, 90, 30, 100), ["de", "de", "en", "en"], ["a", "b", "a", "b"])
    assert gap.languages == ("de", "en")
    assert gap.pairs == 2
    assert gap.translation == pytest.approx((cosine(30) + cosine(10)) / 2, abs=1e-6)
    assert gap.random == pytest.approx((cosine(100) + cosine(60)) / 2, abs=1e-6)
    assert gap.separation == 1.0
    sines = (math.sin(math.radians(30)) + math.sin(math.radians(100))) / 2
    assert gap.centroid_distance == pytest.approx(
        math.hypot((cosine(30) + cosine(100)) / 2 - 0.5, sines - 0.5), abs=1e-6
    )


def test_separation_takes_both_directions() -> None:
    # de: a at 0, b at 20; en: a at 25, b at 50.
    # de a: en a 25 away, en b 50 away: 1.   de b: en b 30 away, en a 5 away: 0.
    # en a: de a 25 away, de b 5 away: 0.    en b: de b 30 away, de a 50 away: 1.
    gap = the_gap(on_the_circle(0, 20, 25, 50), ["de", "de", "en", "en"], ["a", "b", "a", "b"])
    assert gap.separation == 0.5


def test_ties_count_half_and_the_order_of_the_documents_does_not_matter() -> None:
    # en a and en b are the same vector: half for de a and for de b.
    # en: de a is 10 away, de b is 40 away: 1 for a, 0 for b.
    vectors, languages, groups = on_the_circle(40, 30, 0, 30), ["de", "en", "de", "en"], ["a", "a", "b", "b"]
    assert the_gap(vectors, languages, groups).separation == pytest.approx((0.5 + 0.5 + 1 + 0) / 4)
    order = [3, 0, 1, 2]
    shuffled = the_gap(vectors[order], [languages[n] for n in order], [groups[n] for n in order])
    assert shuffled == the_gap(vectors, languages, groups)


def test_documents_without_a_translation_are_strangers_only() -> None:
    # en a at 0, b at 90 (not in German); de a at 10. Strangers: en b, 80 from de a.
    # de a: en a beats en b: 1. en a: German has nothing else: no figure.
    gap = the_gap(on_the_circle(0, 90, 10), ["en", "en", "de"], ["a", "b", "a"])
    assert gap.pairs == 1
    assert gap.translation == pytest.approx(cosine(10), abs=1e-6)
    assert gap.random == pytest.approx(cosine(80), abs=1e-6)
    assert gap.separation == 1.0


def test_one_document_each() -> None:
    gap = the_gap(on_the_circle(0, 60), ["en", "de"], ["a", "a"])
    assert gap.translation == pytest.approx(0.5, abs=1e-6)
    assert math.isnan(gap.random)
    assert math.isnan(gap.separation)
    assert gap.centroid_distance == pytest.approx(1.0, abs=1e-6)


def test_languages_that_share_nothing_are_counted() -> None:
    # de and en share a, en and fr share b, de and fr share nothing
    gap = modality_gap(on_the_circle(0, 10, 20, 30), ["de", "en", "en", "fr"], ["a", "a", "b", "b"])
    assert [pair.languages for pair in gap.pairs] == [("de", "en"), ("en", "fr")]
    assert gap.without_translations == 1


def test_one_language_has_no_pairs() -> None:
    gap = modality_gap(on_the_circle(0, 10), ["en", "en"], ["a", "b"])
    assert gap.pairs == ()
    assert gap.without_translations == 0


def test_pair_by_pair() -> None:
    """More documents than are taken at once, several of one group in a language, groups missing here and there."""
    chance = np.random.default_rng(3)
    sizes = {"de": 40, "en": 1200}
    languages = [tag for tag, size in sizes.items() for _ in range(size)]
    groups = [f"g{number}" for size in sizes.values() for number in chance.integers(0, 150, size)]
    vectors = unit(chance.normal(size=(len(languages), 8)).astype(np.float32))
    gap = the_gap(vectors, languages, groups)
    mine, theirs = range(40), range(40, 1240)
    cosines = {(i, j): float(vectors[i].astype(float) @ vectors[j]) for i in mine for j in theirs}
    same = {pair for pair in cosines if groups[pair[0]] == groups[pair[1]]}
    assert gap.pairs == len(same)
    assert gap.translation == pytest.approx(np.mean([cosines[pair] for pair in same]), abs=1e-6)
    assert gap.random == pytest.approx(np.mean([cosines[pair] for pair in cosines if pair not in same]), abs=1e-6)
    shares = []
    for i, j in sorted(same):
        row = np.array([cosines[i, other] for other in theirs if (i, other) not in same])
        column = np.array([cosines[other, j] for other in mine if (other, j) not in same])
        shares += [(row < cosines[i, j]).mean(), (column < cosines[i, j]).mean()]
    assert gap.separation == pytest.approx(np.mean(shares), abs=1e-4)


def test_a_constant_for_each_language_shows_and_its_removal_too() -> None:
    chance = np.random.default_rng(4)
    meaning = chance.normal(size=(50, 16))
    languages, groups = ["de"] * 50 + ["en"] * 50, [str(number) for number in range(50)] * 2
    shift = np.zeros(16)
    shift[0] = 5
    noise = 0.5 * chance.normal(size=(100, 16))
    with_offsets = unit((np.concatenate([meaning + shift, meaning - shift]) + noise).astype(np.float32))
    without = unit((np.concatenate([meaning, meaning]) + noise).astype(np.float32))
    before, after = (the_gap(vectors, languages, groups) for vectors in (with_offsets, without))
    assert before.translation < 0 < after.translation
    assert before.centroid_distance > 1 > 0.2 > after.centroid_distance
    assert after.separation > 0.99
