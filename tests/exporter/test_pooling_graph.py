"""Pooling and normalization, worked out by hand on an encoder whose states are known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from exporter.graph import EmbedderGraph


class Known(nn.Module):
    """States are the ids: token 5 has the state [5, -5]."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor]:  # noqa: ARG002
        states = input_ids.to(torch.float32).unsqueeze(-1)
        return (torch.cat([states, -states], dim=-1),)


IDS = torch.tensor([[3, 5, 7], [4, 6, 99]])
MASK = torch.tensor([[1, 1, 1], [1, 1, 0]])


@pytest.mark.parametrize(
    ("pooling", "normalize", "expected"),
    [
        ("mean", False, [[5.0, -5.0], [5.0, -5.0]]),
        ("cls", False, [[3.0, -3.0], [4.0, -4.0]]),
        ("mean", True, [[2**-0.5, -(2**-0.5)]] * 2),
        ("cls", True, [[2**-0.5, -(2**-0.5)]] * 2),
    ],
)
def test_pooling_sees_real_tokens_only(pooling: str, normalize: bool, expected: list[list[float]]) -> None:
    graph = EmbedderGraph(Known(), pooling=pooling, normalize=normalize, token_types=False)
    torch.testing.assert_close(graph(IDS, MASK), torch.tensor(expected))


def test_cls_with_padding_on_the_left_is_the_first_real_token() -> None:
    graph = EmbedderGraph(Known(), pooling="cls", normalize=False, token_types=False)
    left = graph(torch.tensor([[99, 4, 6]]), torch.tensor([[0, 1, 1]]))
    torch.testing.assert_close(left, torch.tensor([[4.0, -4.0]]))


def test_a_row_without_tokens_is_finite() -> None:
    graph = EmbedderGraph(Known(), pooling="mean", normalize=True, token_types=False)
    assert torch.isfinite(graph(IDS, torch.zeros_like(MASK))).all()
