"""Pooling, dense layers, cutting and normalization, worked out by hand on an encoder whose states are known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from interlingua.served.networks.graph import EmbedderGraph, LastTokenReranker, RerankerGraph
from interlingua.served.networks.head_rows import score_layer
from interlingua_exporter.graphs.score_row import score_rows


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
        ("last", False, [[7.0, -7.0], [6.0, -6.0]]),
        ("mean", True, [[2**-0.5, -(2**-0.5)]] * 2),
        ("cls", True, [[2**-0.5, -(2**-0.5)]] * 2),
        ("last", True, [[2**-0.5, -(2**-0.5)]] * 2),
    ],
)
def test_pooling_sees_real_tokens_only(pooling: str, normalize: bool, expected: list[list[float]]) -> None:
    graph = EmbedderGraph(Known(), pooling=pooling, normalize=normalize, token_types=False)
    torch.testing.assert_close(graph(IDS, MASK), torch.tensor(expected))


@pytest.mark.parametrize(("pooling", "token"), [("cls", 4.0), ("last", 6.0), ("mean", 5.0)])
def test_padding_on_the_left(pooling: str, token: float) -> None:
    graph = EmbedderGraph(Known(), pooling=pooling, normalize=False, token_types=False)
    left = graph(torch.tensor([[99, 4, 6]]), torch.tensor([[0, 1, 1]]))
    torch.testing.assert_close(left, torch.tensor([[token, -token]]))


def test_the_last_token_may_be_the_one_that_pads() -> None:
    """Qwen3 ends a text with 151643 and pads with it: [4, 6, end] and the same text padded to five."""
    graph = EmbedderGraph(Known(), pooling="last", normalize=False, token_types=False)
    ids, mask = torch.tensor([[4, 6, 9, 9, 9]]), torch.tensor([[1, 1, 1, 0, 0]])
    torch.testing.assert_close(graph(ids, mask), torch.tensor([[9.0, -9.0]]))
    mask = torch.tensor([[1, 1, 0, 0, 0]])
    torch.testing.assert_close(graph(ids, mask), torch.tensor([[6.0, -6.0]]))


def layer(weight: list[list[float]], bias: list[float] | None = None) -> nn.Linear:
    made = nn.Linear(len(weight[0]), len(weight), bias=bias is not None)
    with torch.no_grad():
        made.weight.copy_(torch.tensor(weight))
        if bias is not None:
            made.bias.copy_(torch.tensor(bias))
    return made


def test_dense_layers_in_order_then_the_cut_then_length_one() -> None:
    """cls of the first text is [3, -3]; W = [[1, 0], [0, 1], [1, -1]], b = [0, 7, 2] gives [3, 4, 8].

    Doubled by the second layer: [6, 8, 16]; the first two values are [6, 8], of length 10.
    """
    first = layer([[1, 0], [0, 1], [1, -1]], [0, 7, 2])
    second = layer([[2, 0, 0], [0, 2, 0], [0, 0, 2]])
    parts = {"pooling": "cls", "token_types": False, "dense": [first, second]}
    whole = EmbedderGraph(Known(), normalize=False, **parts)  # type: ignore[arg-type]
    torch.testing.assert_close(whole(IDS, MASK)[0], torch.tensor([6.0, 8.0, 16.0]))
    cut = EmbedderGraph(Known(), normalize=True, dimension=2, **parts)  # type: ignore[arg-type]
    torch.testing.assert_close(cut(IDS, MASK)[0], torch.tensor([0.6, 0.8]))


def test_a_row_without_tokens_is_finite() -> None:
    graph = EmbedderGraph(Known(), pooling="mean", normalize=True, token_types=False)
    assert torch.isfinite(graph(IDS, torch.zeros_like(MASK))).all()


WEIGHT = torch.tensor([[1.0, 0.0], [0.0, 1.0], [5.0, 2.0]])  # three tokens of a vocabulary
BIAS = torch.tensor([10.0, 20.0, 30.0])


@pytest.mark.parametrize(
    ("head", "tokens", "bias", "expected"),
    [
        # The last real tokens are 7 and 6: states [7, -7] and [6, -6].
        ("yes", (2,), None, [35.0 - 14.0, 30.0 - 12.0]),
        ("yes-no", (0, 2), None, [7.0 - 21.0, 6.0 - 18.0]),
        ("yes-no", (0, 2), BIAS, [7.0 - 21.0 - 20.0, 6.0 - 18.0 - 20.0]),
        ("class-difference", (), None, [-7.0 - 7.0, -6.0 - 6.0]),
        ("classifier", (), BIAS, [17.0, 16.0]),
    ],
)
def test_rows_of_a_head_become_one(
    head: str, tokens: tuple[int, ...], bias: Tensor | None, expected: list[float]
) -> None:
    score = score_layer(WEIGHT, bias, score_rows(head, tokens))  # type: ignore[arg-type]
    graph = LastTokenReranker(Known(), score)
    torch.testing.assert_close(graph(IDS, MASK), torch.tensor(expected).unsqueeze(1))


class TwoLogits(nn.Module):
    """The logits are the first two ids."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> object:  # noqa: ARG002
        return type("Output", (), {"logits": input_ids[:, :2].to(torch.float32)})()


def test_the_second_logit_minus_the_first() -> None:
    graph = RerankerGraph(TwoLogits(), difference=True)
    torch.testing.assert_close(graph(IDS, MASK), torch.tensor([[2.0], [2.0]]))
    torch.testing.assert_close(graph(IDS.flip(1), MASK), torch.tensor([[-2.0], [6.0 - 99.0]]))
