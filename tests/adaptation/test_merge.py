"""Spherical interpolation, worked by hand."""

from __future__ import annotations

import math

import pytest
import torch

from interlingua.base.errors import InputError
from interlingua_adaptation.training.merge import merge, slerp


def test_halfway_between_two_directions_is_the_bisector_of_the_same_length() -> None:
    middle = slerp(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]), 0.5)
    torch.testing.assert_close(middle, torch.tensor([math.sqrt(2.0), math.sqrt(2.0)]))


def test_a_third_of_a_right_angle_is_thirty_degrees() -> None:
    point = slerp(torch.tensor([[1.0], [0.0]]), torch.tensor([[0.0], [1.0]]), 1 / 3)
    torch.testing.assert_close(point, torch.tensor([[math.sqrt(3) / 2], [0.5]]))


def test_nearly_parallel_tensors_are_mixed_along_the_line() -> None:
    point = slerp(torch.tensor([1.0, 0.0]), torch.tensor([3.0, 0.001]), 0.25)
    torch.testing.assert_close(point, torch.tensor([1.5, 0.00025]))


def test_zeros_are_mixed_along_the_line() -> None:
    torch.testing.assert_close(slerp(torch.zeros(2), torch.tensor([0.0, 4.0]), 0.5), torch.tensor([0.0, 2.0]))


def test_half_precision_is_merged_in_float32() -> None:
    merged = merge([{"w": torch.tensor([1.0, 0.0]).half()}, {"w": torch.tensor([0.0, 1.0]).half()}], [1, 1])
    assert merged["w"].dtype == torch.float32


def test_three_checkpoints_each_with_its_share() -> None:
    """On the line, where the result is the weighted mean: (1 * 1 + 2 * 1 + 6 * 2) / 4."""
    states = [{"w": torch.tensor([value])} for value in (1.0, 2.0, 6.0)]
    torch.testing.assert_close(merge(states, [1, 1, 2])["w"], torch.tensor([3.75]))


@pytest.mark.parametrize(
    ("states", "weights", "message"),
    [
        ([{"w": torch.ones(2)}], [1.0], "two checkpoints or more, not 1"),
        ([{"w": torch.ones(2)}] * 2, [1.0], "as many positive weights"),
        ([{"w": torch.ones(2)}] * 2, [1.0, 0.0], "as many positive weights"),
        ([{"w": torch.ones(2)}, {"w": torch.ones(3)}], [1, 1], r"w is \[3\], not \[2\]"),
        ([{"w": torch.ones(2)}, {"v": torch.ones(2)}], [1, 1], "2 tensors are in only one of them"),
    ],
    ids=["one", "few weights", "no weight", "shape", "names"],
)
def test_what_does_not_merge(states: list[dict[str, torch.Tensor]], weights: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        merge(states, weights)
