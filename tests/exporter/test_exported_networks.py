"""Exported networks against torch, in any batch composition."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlingua.base.errors import ExportError
from interlingua_exporter.gate.network_gate import gate_network
from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.graphs.onnx.onnx_graph import clean
from interlingua_exporter.graphs.onnx.onnx_session import OnnxSession
from interlingua_exporter.precision.build import build, convert
from interlingua_exporter.texts.parity_texts import sentences
from interlingua_exporter.weights import checkpoint_folder
from tests.exporter.half_networks import Networks

MakeFolder = Callable[..., Path]

TEXTS = [text for row in sentences()[:3] for text in row.values()]
TEXTS += ["a", "", " ".join(TEXTS[:3]), " ".join(TEXTS)]


@dataclass(frozen=True)
class Exported:
    folder: Path
    checkpoint: Checkpoint
    network: Path

    def session(self) -> OnnxSession:
        return OnnxSession(self.network / "model.onnx", threads=1)


CASES = {
    "bert mean normalized": {"family": "bert", "pooling": "mean", "normalize": True},
    "bert cls": {"family": "bert", "pooling": "cls"},
    "xlm-r mean": {"family": "xlm-roberta", "pooling": "mean"},
    "xlm-r cls normalized": {"family": "xlm-roberta", "pooling": "cls", "normalize": True},
}
CROSS_ENCODERS = {"bert": {"family": "bert", "labels": 1}, "xlm-r": {"family": "xlm-roberta", "labels": 1}}


def _exported(make_folder: MakeFolder, scratch: Path, case: dict[str, Any]) -> Exported:
    folder = make_folder(**case)
    checkpoint = checkpoint_folder.load(folder)
    return Exported(folder, checkpoint, build(checkpoint, "fp32", scratch).network)


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES.keys())
def embedder(
    request: pytest.FixtureRequest, make_folder: MakeFolder, tmp_path_factory: pytest.TempPathFactory
) -> Exported:
    return _exported(make_folder, tmp_path_factory.mktemp("exported"), request.param)


@pytest.fixture(scope="module", params=CROSS_ENCODERS.values(), ids=CROSS_ENCODERS.keys())
def cross_encoder(
    request: pytest.FixtureRequest, make_folder: MakeFolder, tmp_path_factory: pytest.TempPathFactory
) -> Exported:
    return _exported(make_folder, tmp_path_factory.mktemp("exported"), request.param)


def plain_transformers(exported: Exported, text: str) -> np.ndarray:
    """One text through transformers alone, pooled in numpy: none of the exporter's code but the tokenizer."""
    import torch
    from transformers import AutoModel

    encoder = exported.checkpoint.text_encoder()
    ids = torch.tensor([encoder.encode([text])[0].ids])
    network = AutoModel.from_pretrained(exported.folder).eval()
    with torch.inference_mode():
        states = network(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0].numpy()
    spec = exported.checkpoint.spec
    pooled: np.ndarray = states[0] if spec.pooling == "cls" else states.mean(axis=0)
    return pooled / np.linalg.norm(pooled) if spec.normalize else pooled


def answers(exported: Exported, texts: list[Any]) -> np.ndarray:
    encoder = exported.checkpoint.text_encoder()
    return exported.session().run(encoder.collate(encoder.encode(texts), exported.checkpoint.inputs))


def test_an_embedder_is_what_transformers_computes(embedder: Exported) -> None:
    for text in ("a", TEXTS[0], TEXTS[-1]):
        np.testing.assert_allclose(
            answers(embedder, [text])[0], plain_transformers(embedder, text), rtol=1e-3, atol=2e-5
        )


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_an_embedding_does_not_depend_on_its_neighbours(embedder: Exported, data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=9))
    together = answers(embedder, texts)
    alone = np.concatenate([answers(embedder, [text]) for text in texts])
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=2e-5)


def test_a_cross_encoder_is_what_transformers_computes(cross_encoder: Exported) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification

    network: Any = AutoModelForSequenceClassification.from_pretrained(cross_encoder.folder).eval()
    encoder = cross_encoder.checkpoint.text_encoder()
    pairs = [(TEXTS[0], TEXTS[14]), ("a", TEXTS[-1]), (TEXTS[5], "b")]
    for pair in pairs:
        row = encoder.encode([pair])[0]
        feed = {"input_ids": torch.tensor([row.ids])}
        if "token_type_ids" in cross_encoder.checkpoint.inputs:
            assert set(row.type_ids) == {0, 1}
            feed["token_type_ids"] = torch.tensor([row.type_ids])
        with torch.inference_mode():
            expected = network(**feed).logits.numpy()
        np.testing.assert_allclose(answers(cross_encoder, [pair]), expected, rtol=1e-3, atol=1e-4)
    together = answers(cross_encoder, pairs)
    alone = np.concatenate([answers(cross_encoder, [pair]) for pair in pairs])
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(answers(cross_encoder, pairs[::-1]), together[::-1], rtol=1e-3, atol=1e-4)


def test_an_embedder_passes_the_gate(embedder: Exported) -> None:
    report = gate_network(embedder.checkpoint, "fp32", embedder.network, 2)
    assert report.languages >= 12
    assert all(figure.passed for figure in report.figures)


def test_a_cross_encoder_passes_the_gate(cross_encoder: Exported) -> None:
    report = gate_network(cross_encoder.checkpoint, "fp32", cross_encoder.network, 2)
    assert {figure.sense for figure in report.figures} == {"<=", ">=", "info"}


def test_int8_passes_the_gate(networks: Networks, tmp_path: Path) -> None:
    full = networks.full("bert")
    convert(full.checkpoint, full.folder, "int8", tmp_path / "int8", 1)
    report = gate_network(full.checkpoint, "int8", tmp_path / "int8", 2)
    changes = [figure for figure in report.figures if figure.name.startswith("change in")]
    assert len(changes) == 2
    assert max(figure.worst for figure in changes) < 2e-3


def test_nothing_but_the_network_is_in_the_file(embedder: Exported) -> None:
    model = onnx.load(embedder.network / "model.onnx", load_external_data=False)
    raw = (embedder.network / "model.onnx").read_bytes()
    for trace in (b".py", b"torch", b"exporter", b"tmp", str(Path.home()).encode(), str(Path.cwd()).encode()):
        assert trace not in raw.replace(b"pytorch", b""), trace
    assert [entry.name for entry in model.graph.output] == ["embedding"]
    assert not model.metadata_props
    assert model.ir_version <= 10
    assert {entry.version for entry in model.opset_import if entry.domain == ""} == {18}
    assert sorted(path.name for path in embedder.network.iterdir()) == ["model.onnx", "model.onnx.data"]


@pytest.mark.usefixtures("shared_exports")
def test_the_same_model_gives_the_same_bytes(
    make_folder: MakeFolder, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Once as whichever process of this run exported it, once by torch here and now."""
    digests = []
    for attempt in ("a", "b"):
        if attempt == "b":
            request.getfixturevalue("torch_exports")
        checkpoint = checkpoint_folder.load(make_folder("bert", pooling="mean", normalize=True))
        (tmp_path / attempt).mkdir()
        full = build(checkpoint, "fp32", tmp_path / attempt).network
        convert(checkpoint, full, "int8", tmp_path / attempt / "int8", 1)
        files = sorted(path for path in (tmp_path / attempt).rglob("*") if path.is_file())
        digests.append({path.parent.name + path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files})
    assert digests[0] == digests[1]
    assert len(digests[0]) == 4  # a graph and its weights, in either precision


def test_an_output_may_have_the_name_of_an_inner_value() -> None:
    """torch names values after modules, and a module may be called `embedding`."""
    info = onnx.helper.make_tensor_value_info
    nodes = [onnx.helper.make_node("Neg", ["x"], ["embedding"]), onnx.helper.make_node("Abs", ["embedding"], ["y"])]
    graph = onnx.helper.make_graph(nodes, "g", [info("x", 1, ["n", 2])], [info("y", 1, ["n", 2])])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10)
    clean(model, "embedding")
    onnx.checker.check_model(model, full_check=True)
    assert [entry.name for entry in model.graph.output] == ["embedding"]


def test_a_file_that_is_no_network(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not onnx")
    with pytest.raises(ExportError, match="does not load"):
        OnnxSession(tmp_path / "model.onnx", threads=1)
