"""The catalogue's own rows: what they say against transformers' classes, and what is said of them today."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from interlingua.base.errors import ExportError
from interlingua.base.paths import PROJECT_ROOT
from interlingua_exporter.models.catalog import CATALOG, read_catalog
from interlingua_exporter.models.exportable import obstacles, require_exportable, status
from interlingua_exporter.models.spec import ModelSpec

SPECS = {entry.spec.id: entry.spec for entry in read_catalog(CATALOG)}


def network_class(spec: ModelSpec) -> tuple[Any, Any] | None:
    """transformers' class and configuration of an entry without code of its own."""
    import transformers

    assert spec.network is not None
    if spec.remote_code:
        return None
    name = spec.network.architecture
    if name in ("Qwen3ForCausalLM", "GemmaForCausalLM"):
        name = name if spec.role == "reranker" else name.replace("ForCausalLM", "Model")
    name = name.replace("ForMaskedLM", "Model")
    kind = getattr(transformers, name)
    return kind, kind.config_class


@pytest.mark.parametrize("spec", [spec for spec in SPECS.values() if not spec.remote_code], ids=lambda spec: spec.id)
def test_the_stated_parameters_are_those_of_a_network_of_the_stated_sizes(spec: ModelSpec) -> None:
    """Counted on the class itself, on torch's meta device: no memory is taken and nothing is initialized."""
    import torch

    found = network_class(spec)
    shape = spec.network
    assert found is not None
    assert shape is not None
    sizes: dict[str, Any] = {
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.key_value_heads or shape.heads,
        "intermediate_size": shape.feed_forward,
        "vocab_size": shape.vocabulary,
        "tie_word_embeddings": spec.id != "Qwen/Qwen3-Reranker-8B",
    }
    if shape.head_width:
        sizes["head_dim"] = shape.head_width
    if shape.architecture.startswith("XLMRoberta"):
        window = 8192 if spec.id == "BAAI/bge-m3-multi-vector" else spec.max_tokens  # texts are cut before
        sizes |= {"max_position_embeddings": window + 2, "type_vocab_size": 1}
        sizes |= {"max_position_embeddings": 514} if spec.max_tokens < 512 else {}
    if shape.architecture == "XmodModel":  # adapters of each language
        sizes |= {"max_position_embeddings": 514, "type_vocab_size": 1, "languages": [f"l{n}" for n in range(81)]}
    if spec.role == "reranker":
        sizes["num_labels"] = 1
    kind, config = found
    with torch.device("meta"):
        network = kind(config(**sizes))
    counted = sum(parameter.numel() for parameter in network.parameters())
    assert counted == pytest.approx(shape.parameters, rel=1e-5)  # one card counts a position more


def test_every_row_says_what_a_user_has_to_know() -> None:
    for spec in SPECS.values():
        assert spec.network is not None, spec.id
        assert spec.licence, spec.id
        assert spec.languages.at, spec.id
        assert len(set(spec.languages.tags)) == len(spec.languages.tags) <= max(spec.languages.count, 1), spec.id
        assert len(spec.revision) in (0, 40) or spec.ran, spec.id


@pytest.mark.parametrize(
    ("name", "word", "reason"),
    [
        ("intfloat/multilingual-e5-small", "exported", None),
        ("interlingua/e5-small-reranker", "exported", None),
        ("BAAI/bge-m3", "dummy run", None),
        ("google-bert/bert-base-multilingual-cased", "class tested", None),
        ("sentence-transformers/LaBSE", "class tested", None),
        ("google/embeddinggemma-300m", "class tested", None),
        ("Qwen/Qwen3-Embedding-0.6B", "dummy run", None),
        ("Alibaba-NLP/gte-multilingual-base", "not tried", None),
        ("Querit/Querit", "not tried", None),
        ("jinaai/jina-embeddings-v3", "not exported", "queries and documents go through different adapters"),
    ],
)
def test_what_is_said_of_a_row(name: str, word: str, reason: str | None) -> None:
    spec = SPECS[name]
    assert status(spec) == word
    if reason is None:
        require_exportable(spec)
        assert obstacles(spec) == ()
    else:
        with pytest.raises(ExportError, match=f"{name} cannot be exported yet.*{reason}"):
            require_exportable(spec)


def test_only_what_has_run_says_so() -> None:
    runs = [run for spec in SPECS.values() for run in spec.ran]
    assert all((PROJECT_ROOT / run.at).is_file() for run in runs)
    own = {name for name, spec in SPECS.items() if any(run.weights == "own" for run in spec.ran)}
    assert own == {
        "intfloat/multilingual-e5-small",
        "interlingua/e5-small-reranker",
    }


def test_a_class_that_the_tests_do_not_have() -> None:
    spec = SPECS["BAAI/bge-m3"]
    assert spec.network is not None
    assert status(replace(spec, ran=(), network=replace(spec.network, architecture="OtherModel"))) == "not tried"


def test_a_format_that_a_row_forbids_is_not_exported() -> None:
    gemma = SPECS["google/embeddinggemma-300m"]
    assert (gemma.verdict("fp16"), gemma.verdict("bf16"), gemma.verdict("fp32")) == ("forbidden", "safe", "safe")
    assert "fp16" not in gemma.precisions
