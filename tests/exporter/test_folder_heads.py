"""Heads, dense layers and shorter vectors: what a folder, an entry or the user says, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from interlingua.base.errors import InputError
from interlingua_exporter.models.model_facts import DenseLayer
from interlingua_exporter.models.spec import FolderSource, Head, ModelSpec
from interlingua_exporter.weights import catalogued_folder, checkpoint_folder
from interlingua_exporter.weights.checkpoint_folder import Overrides
from interlingua_exporter.weights.folder_tokenizer import score_token_ids
from tests.support.architecture_models import Tiny, decoder_tokenizer, save

Make = Callable[[Tiny], Path]

CAUSAL = Tiny(family="Qwen3", kind="Qwen3ForCausalLM", tied=False)
GEMMA = Tiny(family="Gemma3Text", kind="Gemma3TextModel", modules=("mean", "identity", "identity", "normalize"))
LABSE = Tiny(family="Bert", kind="BertModel", modules=("cls", "tanh", "normalize"))
GEMMA_DENSE = (DenseLayer(32, 48, bias=False), DenseLayer(48, 32, bias=False))


@pytest.fixture
def make(tmp_path: Path, tokenizer_json: dict[str, bytes]) -> Make:
    return lambda tiny: save(tiny, tmp_path / "tiny", tokenizer_json)


def edit_config(folder: Path, **values: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def embedder(folder: Path, **changes: object) -> ModelSpec:
    made = ModelSpec(id="a/b", role="embedder", source=FolderSource(folder), max_tokens=64)
    return replace(made, **changes)  # type: ignore[arg-type]


def reranker(folder: Path, head: Head, **changes: object) -> ModelSpec:
    return embedder(folder, role="reranker", pooling="none", normalize=False, head=head, **changes)


def test_a_causal_model_that_nobody_speaks_for(make: Make) -> None:
    with pytest.raises(InputError, match=r"Qwen3ForCausalLM.*--pooling last.*--head yes-no"):
        checkpoint_folder.load(make(CAUSAL))


def test_a_causal_model_that_the_user_calls_an_embedder(make: Make) -> None:
    checkpoint = checkpoint_folder.load(make(CAUSAL), overrides=Overrides(pooling="last"))
    assert (checkpoint.spec.role, checkpoint.spec.pooling, checkpoint.spec.normalize) == ("embedder", "last", True)
    assert checkpoint.notes == ("the folder says nothing about normalization: length 1 is assumed",)


def test_a_causal_model_with_modules_is_an_embedder(make: Make) -> None:
    """Qwen3-Embedding is published as Qwen3ForCausalLM, and its modules.json says what for."""
    folder = make(replace(CAUSAL, modules=("last", "normalize")))
    checkpoint = checkpoint_folder.load(folder)
    assert (checkpoint.spec.role, checkpoint.spec.pooling, checkpoint.notes) == ("embedder", "last", ())
    (folder / "modules.json").unlink()
    plain = checkpoint_folder.load(folder, overrides=Overrides(pooling="last"))
    ids = torch.tensor([[5, 6, 7]])
    with torch.inference_mode():
        torch.testing.assert_close(*(found.graph(ids, torch.ones_like(ids)) for found in (checkpoint, plain)))


def test_a_causal_model_that_the_user_calls_a_reranker(make: Make) -> None:
    checkpoint = checkpoint_folder.load(make(CAUSAL), overrides=Overrides(head="yes-no"))
    spec = checkpoint.spec
    assert (spec.role, spec.pooling, spec.head, spec.score_tokens) == ("reranker", "none", "yes-no", ("yes", "no"))
    assert (checkpoint.output, checkpoint.dimension) == ("score", 1)
    assert "yes, no are assumed" in checkpoint.notes[0]
    assert "joined as its tokenizer joins them" in checkpoint.notes[1]


def test_an_entry_says_which_head_and_which_tokens(make: Make) -> None:
    folder = make(CAUSAL)
    spec = reranker(folder, "yes", score_tokens=("no",), score_temperature=5.0, padding_side="left")
    checkpoint = catalogued_folder.load(spec)
    assert (checkpoint.spec.head, checkpoint.spec.score_tokens, checkpoint.spec.score_temperature) == (
        "yes",
        ("no",),
        5.0,
    )
    ids = torch.tensor([[7, 8, 9]])
    network = checkpoint_folder.load(folder, overrides=Overrides(pooling="last")).graph
    head = load_file(folder / "model.safetensors")["lm_head.weight"][601]
    with torch.inference_mode():
        state = network.encoder(ids, torch.ones_like(ids))[0][0, -1]  # type: ignore[operator]
        found = checkpoint.graph(ids, torch.ones_like(ids))
    torch.testing.assert_close(found, (state @ head).reshape(1, 1), rtol=1e-4, atol=1e-5)


def test_what_the_folder_leaves_open_is_the_entrys(make: Make) -> None:
    """A plain folder says nothing about normalization; tokenizer_config.json may not name the side of padding."""
    folder = make(Tiny(family="Qwen3", kind="Qwen3Model"))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    checkpoint = catalogued_folder.load(embedder(folder, pooling="last", normalize=False, padding_side="left"))
    assert (checkpoint.spec.normalize, checkpoint.spec.padding_side, checkpoint.notes) == (False, "left", ())


@pytest.mark.parametrize(
    ("tiny", "overrides", "message"),
    [
        (CAUSAL, Overrides(head="class-difference"), "of a sequence classifier, and the folder holds Qwen3ForCausalLM"),
        (LABSE, Overrides(head="yes-no"), "of a causal language model, and the folder holds BertModel"),
        (LABSE, Overrides(head="late-interaction"), "is no late-interaction model"),
        (
            Tiny(family="Bert", kind="BertForSequenceClassification", labels=3),
            Overrides(head="class-difference"),
            "has 2 labels, and the folder's 3",
        ),
        (
            Tiny(family="Bert", kind="BertForSequenceClassification", labels=2),
            Overrides(),
            "2 labels.*--head class-difference",
        ),
        (CAUSAL, Overrides(head="yes-no", score_tokens=("yes",)), "two score tokens.*there are 1: yes"),
        (CAUSAL, Overrides(head="yes", score_tokens=("yes", "no")), "takes one score token"),
        (LABSE, Overrides(score_tokens=("yes",)), "are of the heads yes-no, yes"),
        (CAUSAL, Overrides(head="yes", score_tokens=("irrelevant",)), r"'irrelevant' is \d+ tokens.*a single one"),
        (CAUSAL, Overrides(head="yes-no", score_tokens=("yes", "yes")), "one and the same token, 600"),
        (CAUSAL, Overrides(head="yes", dimension=16), "a reranker has no vectors"),
        (LABSE, Overrides(dimension=16), "cannot be cut short.*`dimensions`"),
    ],
)
def test_what_does_not_fit_is_said(make: Make, tiny: Tiny, overrides: Overrides, message: str) -> None:
    with pytest.raises(InputError, match=message):
        checkpoint_folder.load(make(tiny), overrides=overrides)


def test_a_score_token_by_its_spelling_in_the_vocabulary(tokenizer_json: dict[str, bytes]) -> None:
    """The tokenizer puts a space before a word, so ` the` is a token of its own and `the` becomes it."""
    tokenizer = decoder_tokenizer(tokenizer_json["bert"])
    assert score_token_ids("m", ("Ġthe",), tokenizer) == score_token_ids("m", ("the",), tokenizer)


def test_a_language_models_head_that_is_not_in_the_folder(make: Make) -> None:
    """Without tied embeddings transformers would fill the head with random numbers."""
    folder = make(CAUSAL)
    state = load_file(folder / "model.safetensors")
    del state["lm_head.weight"]
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"1 missing: lm_head\.weight"):
        checkpoint_folder.load(folder, overrides=Overrides(head="yes-no"))
    edit_config(folder, tie_word_embeddings=True)
    assert checkpoint_folder.load(folder, overrides=Overrides(head="yes-no")).dimension == 1


def test_a_classifiers_head_that_is_not_in_the_folder(make: Make) -> None:
    folder = make(Tiny(family="Qwen3", kind="Qwen3ForSequenceClassification", labels=2))
    state = load_file(folder / "model.safetensors")
    del state["score.weight"]
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"1 missing: score\.weight"):
        checkpoint_folder.load(folder, overrides=Overrides(head="class-difference"))


def test_logits_that_are_more_than_a_product(make: Make) -> None:
    """Gemma 2 caps its logits by a tanh: the difference of two rows is not the difference of two logits."""
    folder = make(Tiny(family="Gemma2", kind="Gemma2ForCausalLM"))
    edit_config(folder, final_logit_softcapping=0.5)
    with pytest.raises(InputError, match="scaled or capped logits"):
        checkpoint_folder.load(folder, overrides=Overrides(head="yes-no"))


def test_dense_layers_are_in_the_description(make: Make) -> None:
    checkpoint = checkpoint_folder.load(make(LABSE))
    assert checkpoint.spec.dense == (DenseLayer(32, 32, "tanh", bias=True),)
    assert checkpoint.notes == ()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"activation_function": "torch.nn.modules.activation.GELU"}, "activation .*GELU; known are Identity and Tanh"),
        ({"activation_function": "my.code.Tanh"}, "known are Identity and Tanh"),
        ({"use_residual": True}, "a residual connection"),
        ({"module_input_name": "token_embeddings"}, "a layer over token_embeddings"),
        ({"in_features": "many"}, "inputs is 'many'"),
        ({"out_features": 16}, r"weights are linear.bias \[32\].* asks for linear.bias \[16\]"),
        ({"bias": False}, r"asks for linear.weight \[32, 32\]$"),
    ],
)
def test_a_dense_layer_that_is_not_what_it_says(make: Make, config: dict[str, object], message: str) -> None:
    folder = make(LABSE)
    edit_config(folder / "2_Dense", **config)
    with pytest.raises(InputError, match=message):
        checkpoint_folder.load(folder)


def test_a_dense_layer_without_weights_is_not_made_up(make: Make) -> None:
    folder = make(LABSE)
    (folder / "2_Dense" / "pytorch_model.bin").write_bytes(b"damaged")
    with pytest.raises(InputError, match="cannot be read"):
        checkpoint_folder.load(folder)
    (folder / "2_Dense" / "pytorch_model.bin").unlink()
    with pytest.raises(InputError, match=r"neither model\.safetensors nor pytorch_model\.bin"):
        checkpoint_folder.load(folder)


def test_a_dense_layer_of_another_width(make: Make) -> None:
    folder = make(LABSE)
    edit_config(folder / "2_Dense", in_features=16)
    with pytest.raises(InputError, match="dense layer 1 takes 16 values, and gets 32"):
        checkpoint_folder.load(folder)


def test_an_entry_and_a_folder_of_other_dense_layers(make: Make) -> None:
    folder = make(GEMMA)
    assert catalogued_folder.load(embedder(folder, dense=GEMMA_DENSE)).spec.dense == GEMMA_DENSE
    with pytest.raises(InputError, match=r"are 32 -> 48 .*, 48 -> 32 \(identity without bias\), and .* says none"):
        catalogued_folder.load(embedder(folder))


def test_a_shorter_vector_is_the_first_values_at_length_one(make: Make) -> None:
    entry = embedder(make(GEMMA), dense=GEMMA_DENSE, dimensions=(8, 16))
    whole, cut = (catalogued_folder.load(entry, Overrides(dimension=length)) for length in (None, 8))
    assert (whole.dimension, cut.dimension) == (32, 8)
    ids = torch.tensor([[5, 6, 7]])
    with torch.inference_mode():
        full, short = (checkpoint.graph(ids, torch.ones_like(ids))[0] for checkpoint in (whole, cut))
    torch.testing.assert_close(short, full[:8] / full[:8].norm())
    assert catalogued_folder.load(entry, Overrides(dimension=32)).dimension == 32
    with pytest.raises(InputError, match="cannot be cut to 12, only to 8, 16"):
        catalogued_folder.load(entry, Overrides(dimension=12))
