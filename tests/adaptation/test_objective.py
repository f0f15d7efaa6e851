"""The losses, against numbers worked by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from interlingua_adaptation.training.objective import ListwiseObjective, LossWeights


class _Known(nn.Module):
    """A network whose tokens are its ids and whose scores are known: id of the query times id of the document."""

    def token_vectors(self, input_ids: Tensor, _: Tensor) -> SimpleNamespace:
        return SimpleNamespace(values=input_ids[:, 0].float())

    def score_all(self, queries: SimpleNamespace, documents: SimpleNamespace) -> Tensor:
        return queries.values.unsqueeze(1) * documents.values.unsqueeze(0)


def loss(weights: LossWeights, *, teacher: list[list[float]], same: list[list[bool]] | None = None) -> float:
    """Two queries (1, 2) with two documents each: (1, 0) and (0, 1), read in the order 3, 1, 0, 2."""
    values = [1.0, 0.0, 0.0, 1.0]
    shuffled = [3, 1, 0, 2]
    documents = torch.tensor([[values[number]] for number in shuffled])
    objective = ListwiseObjective(_Known(), weights)  # type: ignore[arg-type]
    ones = torch.ones(2, 1)
    result = objective(
        queries=[torch.tensor([[1.0], [2.0]]), ones],
        documents=[[documents[:2], ones], [documents[2:], ones]],
        order=torch.tensor(shuffled).argsort(),
        same_group=torch.tensor(same or [[False] * 4] * 2),
        teacher=torch.tensor(teacher),
    )
    return float(result["loss"])


def test_hard_labels_are_the_cross_entropy_against_the_whole_batch() -> None:
    first = -math.log(math.e / (2 * math.e + 2))  # scores 1 0 0 1, the positive is the first
    second = -math.log(1 / (2 * math.e**2 + 2))  # scores 2 0 0 2, the positive is the third
    assert loss(LossWeights(1, 0), teacher=[[], []]) == pytest.approx((first + second) / 2)


def test_documents_of_the_own_section_are_no_negatives() -> None:
    same = [[False, False, False, True], [False] * 4]
    first = -math.log(math.e / (math.e + 2))
    second = -math.log(1 / (2 * math.e**2 + 2))
    assert loss(LossWeights(1, 0), teacher=[[], []], same=same) == pytest.approx((first + second) / 2)


def test_soft_labels_are_the_distance_of_each_list_from_the_teachers() -> None:
    """The student gives (1, 0) and (0, 2); a teacher of the first but (0, 0) for the second."""
    student = [1 / (1 + math.e**2), math.e**2 / (1 + math.e**2)]
    second = sum(0.5 * math.log(0.5 / share) for share in student)
    assert loss(LossWeights(0, 1), teacher=[[1.0, 0.0], [0.0, 0.0]]) == pytest.approx(second / 2, rel=1e-5)


def test_both_add_up() -> None:
    teacher = [[1.0, 0.0], [0.0, 0.0]]
    hard, soft = loss(LossWeights(1, 0), teacher=teacher), loss(LossWeights(0, 1), teacher=teacher)
    assert loss(LossWeights(0.5, 2.0), teacher=teacher) == pytest.approx(0.5 * hard + 2 * soft, rel=1e-5)
