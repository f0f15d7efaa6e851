"""FLOPs of a network: worked out by hand, and counted by torch and from the ONNX file on tiny networks."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlingua.base.errors import InputError
from interlingua_benchmarks.gpu_bench.networks.network_flops import NetworkFlops, dense_flops, flops_of, layer_flops
from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.models import catalog
from interlingua_exporter.models.model_facts import DenseLayer, NetworkShape
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.weights import sources
from interlingua_exporter.weights.checkpoint_folder import Overrides
from tests.benchmarks.gpu_bench_models import TINY, write_catalogue

LENGTH, TEXTS = 11, 3


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory, tokenizer_json: dict[str, bytes]) -> Path:
    return write_catalogue(tmp_path_factory.mktemp("tiny"), tokenizer_json, tuple(TINY))


def _load(name: str, catalogue: Path) -> Checkpoint:
    return sources.load(resolve(name, catalogue), Overrides())


def test_layers_by_hand() -> None:
    """Two layers, 8 wide, 2 heads of 4: 8 x 8 four times and 8 x 16 twice are 512 weights a layer, 2 FLOPs each.

    A pair of tokens: 8 products for the score and 8 for the sum, 2 FLOPs each, in two layers.
    """
    shape = NetworkShape(architecture="X", hidden=8, layers=2, heads=2, feed_forward=16, vocabulary=10, parameters=1)
    assert layer_flops(shape) == NetworkFlops(token=2 * 2 * 512, pair=2 * 2 * (8 + 8))


def test_a_gate_fewer_key_heads_and_wider_heads() -> None:
    """One layer, 8 wide, 4 heads of 6 and 2 key-value heads, a gated feed-forward layer of 16.

    Query and output 8 x 24 each, key and value 8 x 12 each, three matrices of 8 x 16: 960 weights. Pair: 24 twice.
    """
    shape = NetworkShape(
        architecture="X",
        hidden=8,
        layers=1,
        heads=4,
        feed_forward=16,
        vocabulary=10,
        parameters=1,
        key_value_heads=2,
        head_width=6,
        gated=True,
    )
    assert layer_flops(shape) == NetworkFlops(token=2 * 960, pair=2 * 48)


def test_texts_of_a_causal_network_by_hand() -> None:
    """Three tokens: 3 x 10, nine pairs of 2 each, 5 for the text; a token sees itself and those before: six pairs."""
    flops = NetworkFlops(token=10, pair=2, text=5, causal=True)
    assert flops.of_text(3) == 30 + 18 + 5
    assert flops.of_text(3, half=True) == 30 + 12 + 5
    assert flops.of_texts([3, 1], half=True) == 47 + 10 + 2 + 5
    both_ways = NetworkFlops(token=10, pair=2, text=5)
    assert both_ways.of_text(3, half=True) == both_ways.of_text(3) == 53


def test_dense_layers_by_hand() -> None:
    assert dense_flops([DenseLayer(8, 16), DenseLayer(16, 4, bias=False)]) == 2 * (8 * 16 + 16 * 4)


@pytest.mark.parametrize("name", TINY)
def test_torch_counts_the_same(name: str, catalogue: Path) -> None:
    """All but BERT's pooler, 32 x 32 a text, which the class computes and an embedder does not read."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    checkpoint = _load(name, catalogue)
    ids = torch.full((TEXTS, LENGTH), 7)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        checkpoint.graph(ids, torch.ones_like(ids))
    unread = TEXTS * 2 * 32 * 32 if name == "tiny/bert" else 0
    assert counter.get_total_flops() - unread == flops_of(checkpoint).of_texts([LENGTH] * TEXTS)


def test_only_a_causal_network_is_causal(catalogue: Path) -> None:
    assert {name: flops_of(_load(name, catalogue)).causal for name in TINY} == {
        "tiny/bert": False,
        "tiny/cross": False,
        "tiny/qwen": True,
        "tiny/gemma": False,
    }


@pytest.mark.parametrize("name", ["tiny/bert", "tiny/qwen"])
def test_the_onnx_file_has_the_same_products(name: str, catalogue: Path, tmp_path: Path) -> None:
    from interlingua_exporter.graphs.onnx.onnx_graph import export_onnx
    from interlingua_loadtest.capacity.profile.network_size import network_size

    checkpoint = _load(name, catalogue)
    export_onnx(checkpoint, tmp_path)
    size, flops = network_size(tmp_path), flops_of(checkpoint)
    assert (size.token_flop, size.attention_flop) == (flops.token, flops.pair)


def test_late_interaction_has_a_vector_a_token(tokenizer_json: dict[str, bytes]) -> None:
    """A projection to 16 and an importance for every token: counted by torch on a text."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from interlingua_exporter.graphs.late_interaction import LateInteractionReranker
    from interlingua_exporter.models.spec import FolderSource, ModelSpec
    from tests.support.architecture_models import network_of

    encoder = network_of(TINY["tiny/bert"])
    encoder.set_attn_implementation("eager")  # torch counts no fused attention of CPUs
    graph = LateInteractionReranker(encoder, dimension=16, separator_id=2, special_ids=(0, 1, 2)).eval()
    shape = NetworkShape(
        architecture="BertModel", hidden=32, layers=2, heads=4, feed_forward=64, vocabulary=604, parameters=1
    )
    spec = ModelSpec(
        id="x",
        role="reranker",
        source=FolderSource(Path()),
        pooling="none",
        normalize=False,
        head="late-interaction",
        network=shape,
    )
    checkpoint = Checkpoint(
        spec=spec,
        graph=graph,
        inputs=("input_ids", "attention_mask"),
        dimension=1,
        vocabulary=604,
        tokenizer_json=tokenizer_json["bert"],
        pad_token_id=0,
    )
    ids = torch.tensor([[1, 9, 9, 2, 9, 9, 9, 2]])
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        graph(ids, torch.ones_like(ids))
    pooler = 2 * 32 * 32  # which is not read
    assert counter.get_total_flops() - pooler == flops_of(checkpoint).of_text(8)


def test_bge_m3_has_the_goal_and_smaller_ones_have_not() -> None:
    """bge-m3: 24 layers of 12 x 1024^2 weights. Qwen3-0.6B: 28 of 2 x 1024 x (2048 + 1024) + 3 x 1024 x 3072."""
    known = catalog.read_catalog()
    layers = {}
    for name in ("BAAI/bge-m3", "Qwen/Qwen3-Embedding-0.6B", "intfloat/multilingual-e5-base"):
        spec = catalog.find(name, known)
        assert spec is not None
        assert spec.network is not None
        layers[name] = layer_flops(spec.network)
    assert layers["BAAI/bge-m3"].token == 603_979_776
    assert layers["Qwen/Qwen3-Embedding-0.6B"].token == 2 * 28 * (2 * 1024 * 3072 + 3 * 1024 * 3072)
    assert [flops.has_goal for flops in layers.values()] == [True, True, False]


def test_what_the_catalogue_does_not_state_is_not_made_up(catalogue: Path) -> None:
    from dataclasses import replace

    checkpoint = _load("tiny/bert", catalogue)
    shape = checkpoint.spec.network
    assert shape is not None
    for unknown in (None, replace(shape, heads=0), replace(shape, active_parameters=10)):
        with pytest.raises(InputError, match="tiny/bert"):
            flops_of(replace(checkpoint, spec=replace(checkpoint.spec, network=unknown)))
