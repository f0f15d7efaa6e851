"""How many groups a difference takes, against the closed form and a simulation."""

from __future__ import annotations

import numpy as np
import pytest

from interlingua_evaluation.significance.sample_size import groups_needed, visible_difference


def test_by_hand() -> None:
    # 100 groups, standard error 0.02: 2.8016 * 0.02 = 0.0560 is seen; half of that takes four times the groups
    assert visible_difference(0.02) == pytest.approx(0.05603, abs=1e-5)
    assert groups_needed(0.05604, 0.02, 100) == 100
    assert groups_needed(-0.05604 / 2, 0.02, 100) == 400
    assert groups_needed(0, 0.02, 100) is None
    assert groups_needed(10, 0.02, 100) == 2


def test_so_many_groups_see_the_difference_in_four_of_five_trials() -> None:
    random = np.random.default_rng(4)
    spread, difference = 0.3, 0.1
    groups = groups_needed(difference, spread / np.sqrt(50), 50)
    assert groups is not None
    trials = random.normal(difference, spread, size=(4000, groups))
    z = trials.mean(axis=1) / (trials.std(axis=1, ddof=1) / np.sqrt(groups))
    assert (np.abs(z) > 1.96).mean() == pytest.approx(0.8, abs=0.03)
