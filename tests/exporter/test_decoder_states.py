"""Positions and masks of decoders: by hand, and against transformers' own on every family they are built for."""

from __future__ import annotations

import pytest
import torch

from interlingua.served.networks.decoder_states import DecoderStates, attention_bias, is_decoder
from tests.support.architecture_models import VOCABULARY, Tiny, network_of

DECODERS = {
    "gemma": Tiny(family="Gemma", kind="GemmaModel"),
    "gemma2": Tiny(family="Gemma2", kind="Gemma2Model"),
    "gemma3, both ways": Tiny(family="Gemma3Text", kind="Gemma3TextModel"),
    "gemma3, causal": Tiny(family="Gemma3Causal", kind="Gemma3TextModel"),
    "llama": Tiny(family="Llama", kind="LlamaModel"),
    "mistral": Tiny(family="Mistral", kind="MistralModel"),
    "olmo2, whose masks are transformers'": Tiny(family="Olmo2", kind="Olmo2Model"),
    "qwen2, a window in one layer": Tiny(family="Qwen2", kind="Qwen2Model"),
    "qwen3": Tiny(family="Qwen3", kind="Qwen3Model"),
}
LENGTH = 20  # longer than every window


def seen(mask: list[int], *, causal: bool, window: int | None) -> list[str]:
    """Row by row, what a token sees: x, or . for nothing."""
    bias = attention_bias(torch.tensor([mask]), causal=causal, window=window)[0, 0]
    return ["".join("x" if value == 0 else "." for value in row) for row in bias]


def test_who_sees_whom_by_hand() -> None:
    assert seen([1, 1, 1, 1], causal=True, window=None) == ["x...", "xx..", "xxx.", "xxxx"]
    assert seen([1, 1, 1, 1], causal=True, window=2) == ["x...", "xx..", ".xx.", "..xx"]
    assert seen([1, 1, 1, 1], causal=False, window=2) == ["xx..", "xxx.", ".xxx", "..xx"]
    assert seen([0, 0, 1, 1], causal=True, window=None) == ["x...", ".x..", "..x.", "..xx"]
    assert seen([1, 1, 0, 0], causal=True, window=None) == ["x...", "xx..", "xxx.", "xx.x"]
    assert seen([0, 1, 1, 0], causal=False, window=None) == ["xxx.", ".xx.", ".xx.", ".xxx"]


@pytest.mark.parametrize("tiny", DECODERS.values(), ids=DECODERS.keys())
def test_states_are_transformers_own_and_do_not_move_with_padding(tiny: Tiny) -> None:
    network = network_of(tiny)
    network.set_attn_implementation("eager")
    assert is_decoder(network)
    states = DecoderStates(network)
    ids = torch.arange(3, 3 + LENGTH).reshape(1, -1) * 29 % VOCABULARY
    with torch.inference_mode():
        expected = network(input_ids=ids, attention_mask=torch.ones_like(ids))[0][0]
        torch.testing.assert_close(states(ids, torch.ones_like(ids))[0][0], expected, rtol=1e-4, atol=1e-5)
        for left, right in ((0, 3), (3, 0)):
            # Padding with an id of the text itself: only the mask says what is real.
            padded = torch.nn.functional.pad(ids, (left, right), value=int(ids[0, -1]))
            mask = torch.nn.functional.pad(torch.ones_like(ids), (left, right))
            found = states(padded, mask)[0][0]
            torch.testing.assert_close(found[left : left + LENGTH], expected, rtol=1e-4, atol=1e-5)
            assert torch.isfinite(found).all()


def test_a_row_of_nothing_but_padding_is_finite() -> None:
    states = DecoderStates(network_of(Tiny(family="Qwen3", kind="Qwen3Model")))
    ids = torch.zeros((1, 4), dtype=torch.int64)
    assert torch.isfinite(states(ids, ids)[0]).all()


def test_an_encoder_is_none() -> None:
    assert not is_decoder(network_of(Tiny(family="Bert", kind="BertModel")))
    assert not is_decoder(network_of(Tiny(family="XLMRoberta", kind="XLMRobertaModel")))
