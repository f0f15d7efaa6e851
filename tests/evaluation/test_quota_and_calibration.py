"""Which documents are candidates, and what their scores become, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from interlingua_evaluation.systems.calibration import CalibratedStage
from interlingua_evaluation.systems.first_stage import FirstStage, Matrix
from interlingua_evaluation.systems.quota import QuotaStage

LANGUAGES = np.array(["en", "en", "en", "de", "de", "sv"])
SCORES = np.array([[0.9, 0.8, 0.7, 0.6, 0.5, 0.1]], np.float32)


def scores(stage: FirstStage, *documents: int) -> list[float]:
    pool = np.array(documents or range(6))
    (row,) = stage.pool(pool)(np.array([0]))
    return row.tolist()


def test_every_language_has_its_share_of_the_candidates() -> None:
    # 3 candidates, 3 languages: the best of each, although the three best are all English
    kept = scores(QuotaStage(Matrix(SCORES), LANGUAGES, 3))
    assert kept == pytest.approx([0.9, -np.inf, -np.inf, 0.6, -np.inf, 0.1])


def test_what_is_not_reserved_goes_to_the_best_of_any_language() -> None:
    # 5 candidates, 3 languages: one of each is reserved, the other two are the best that are left
    kept = scores(QuotaStage(Matrix(SCORES), LANGUAGES, 5))
    assert kept == pytest.approx([0.9, 0.8, 0.7, 0.6, -np.inf, 0.1])


def test_a_pool_of_one_language_is_left_as_it_is() -> None:
    assert scores(QuotaStage(Matrix(SCORES), LANGUAGES, 2), 0, 1, 2) == pytest.approx([0.9, 0.8, -np.inf])


def test_calibration_standardizes_within_a_language() -> None:
    # English: mean 0.8, deviation sqrt(0.02 / 3); German: mean 0.55, deviation 0.05; one Swedish document: nothing
    far = 0.1 / np.sqrt(0.02 / 3)
    calibrated = scores(CalibratedStage(Matrix(SCORES), LANGUAGES))
    assert calibrated == pytest.approx([far, 0, -far, 1, -1, 0], abs=1e-5)
