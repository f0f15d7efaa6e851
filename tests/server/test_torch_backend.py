"""The torch backend's parts that need no server: groups of requests, faults, what is put together, half precision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from interlingua.base.errors import InputError
from interlingua.repository.families import family_of
from interlingua.repository.model_repository import ModelRepository
from interlingua.repository.published import Published
from interlingua.served.networks.assembly import Assembly, DenseShape, assemble
from interlingua.served.networks.decoder_states import visible
from interlingua.served.networks.description import Description
from interlingua.served.networks.full_parts import keep_full
from interlingua.served.networks.request_faults import fault
from interlingua.served.networks.request_groups import answer_in_groups
from interlingua_exporter.models.catalog import CATALOG, read_catalog
from interlingua_exporter.models.exportable import obstacles, runtime_of
from interlingua_exporter.models.spec import FolderSource
from interlingua_exporter.publication.publish import check_tensors
from interlingua_exporter.weights.own_code import require_code_here, require_pinned, require_trust
from interlingua_server.environment import LOCK_FILE, TORCH_LOCK_FILE, locks_for
from tests.support.publication import publish_bytes

SPECS = {entry.spec.id: entry.spec for entry in read_catalog(CATALOG)}
EMBEDDER = Assembly(
    kind="embedder",
    auto_class="AutoModel",
    pooling="mean",
    dense=(DenseShape(2, 3, "tanh", True),),
    dimension=2,
)
DESCRIPTION = Description(
    precision="fp32",
    inputs=("input_ids", "attention_mask"),
    output="embedding",
    dimension=2,
    vocabulary=100,
    max_tokens=4,
    token_types=1,
    assembly=EMBEDDER,
)


def test_requests_of_equal_shape_run_together_and_a_failing_one_fails_alone() -> None:
    """Ids are doubled; 13 cannot be. [[1, 2]] and [[3, 4], [5, 6]] are one batch, the batch with 13 is cut up."""
    batches: list[list[list[int]]] = []

    def run(arrays: list[np.ndarray]) -> list[np.ndarray]:
        batches.append(arrays[0].tolist())
        if 13 in arrays[0]:
            raise RuntimeError("no 13")
        return [arrays[0] * 2]

    requests = [[np.array(rows)] for rows in ([[1, 2]], [[7]], [[3, 4], [5, 6]], [[13]], [[9]])]
    answers = answer_in_groups(requests, run)
    assert batches == [[[1, 2], [3, 4], [5, 6]], [[7], [13], [9]], [[7]], [[13]], [[9]]]
    shown = [str(answer) if isinstance(answer, Exception) else answer[0].tolist() for answer in answers]
    assert shown == [[[2, 4]], [[14]], [[6, 8], [10, 12]], "no 13", [[18]]]


@pytest.mark.parametrize(
    ("ids", "mask", "reason"),
    [
        ([[5, 99]], [[1, 1]], ""),
        ([[5, 99]], [[0, 1]], ""),
        ([[5, 100]], [[1, 1]], "input_ids has 100, values are from 0 to 99"),
        ([[-1, 5]], [[1, 1]], "input_ids has -1"),
        ([[1] * 5], [[1] * 5], "a text has 1 to 4 tokens"),
        ([[5, 6], [7, 8]], [[1, 1], [0, 0]], "a row without a single token"),
        ([[5, 6]], [[1, 2]], "attention_mask has 2"),
        ([[5, 6]], [[1]], "different shapes"),
        ([[]], [[]], "a text has 1 to 4 tokens"),
    ],
    ids=["sound", "padded", "vocabulary", "negative", "too long", "no token", "mask", "shapes", "empty"],
)
def test_what_is_wrong_with_a_request(ids: list[list[int]], mask: list[list[int]], reason: str) -> None:
    tensors = {"input_ids": np.array(ids, np.int64), "attention_mask": np.array(mask, np.int64)}
    found = fault(DESCRIPTION, tensors)
    assert reason in found
    assert bool(found) == bool(reason)


def test_what_is_written_down_is_read_back(tmp_path: Path) -> None:
    DESCRIPTION.write(tmp_path)
    assert Description.read(tmp_path) == DESCRIPTION
    path = tmp_path / "network.json"
    path.write_text(path.read_text().replace('"fp32"', '"fp8"'))
    with pytest.raises(ValueError, match="precision is 'fp8'"):
        Description.read(tmp_path)
    path.write_text(path.read_text().replace('"pooling"', '"poling"'))
    with pytest.raises(ValueError, match="not known here \\(poling\\)"):
        Description.read(tmp_path)


def test_who_sees_whom_on_the_left_of_padding() -> None:
    """One text of two tokens behind one of padding: the padding sees itself, the first itself, the last both."""
    seen = visible(torch.tensor([[0, 1, 1]]), causal=True)
    assert seen.tolist() == [[[True, False, False], [False, True, False], [False, True, True]]]


class Judge(nn.Module):
    """A classifier that notes what it is given: logits [3, 5] a text."""

    def forward(self, **inputs: Tensor) -> Any:
        self.given = inputs

        class Output:
            logits = torch.tensor([[3.0, 5.0]]).repeat(len(inputs["input_ids"]), 1)

        return Output


def test_a_judge_gets_a_square_mask_and_counted_positions() -> None:
    judge = Judge()
    assembly = Assembly(kind="classifier", auto_class="AutoModel", difference=True, counted=True, square_mask=True)
    score = assemble(judge, assembly)(torch.tensor([[0, 7, 8]]), torch.tensor([[0, 1, 1]]))
    assert score.tolist() == [[2.0]]
    assert judge.given["attention_mask"].shape == (1, 1, 3, 3)
    assert judge.given["position_ids"].tolist() == [[0, 0, 1]]


class Encoder(nn.Module):
    """States [1 + 1/512, 1] in bf16, which cannot tell the first from 1."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor]:  # noqa: ARG002
        return (torch.tensor([1.0, 1.0], dtype=torch.bfloat16).expand(*input_ids.shape, 2),)


def test_pooling_and_dense_layers_of_a_half_network_are_float32() -> None:
    """W = [[1, 2^-10]], so 1 + 2^-10, which bf16 would round to 1; tanh of it in float64 is the expectation."""
    layer = DenseShape(2, 1, "tanh", False).layer()
    with torch.no_grad():
        next(layer.parameters()).copy_(torch.tensor([[1.0, 2.0**-10]]))
    graph = assemble(Encoder(), replace(EMBEDDER, dense=(), dimension=None), [layer])
    keep_full(graph, torch.bfloat16)
    ids = torch.tensor([[5, 6]])
    found = graph(ids, torch.ones_like(ids))
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(np.tanh(1 + 2.0**-10), abs=1e-6)


def test_only_a_repository_with_a_torch_network_needs_torch(tmp_path: Path) -> None:
    (tmp_path / "embedder").mkdir()
    config = tmp_path / "embedder/config.pbtxt"
    config.write_text('name: "torch"\nbackend: "onnxruntime"\n')
    assert locks_for(Published.read(tmp_path)) == locks_for(None) == (LOCK_FILE,)
    config.write_text('name: "embedder"\nbackend: "torch"\n')
    assert locks_for(Published.read(tmp_path)) == (LOCK_FILE, TORCH_LOCK_FILE)


def test_the_two_locks_name_no_package_twice() -> None:
    names = [
        line.partition("==")[0].casefold().replace("_", "-")
        for lock in (LOCK_FILE, TORCH_LOCK_FILE)
        for line in lock.read_text().splitlines()
        if "==" in line
    ]
    assert len(names) == len(set(names))
    assert {"torch", "transformers", "safetensors", "numpy"} <= set(names)


def test_torch_and_onnx_are_not_versions_of_one_model(tmp_path: Path) -> None:
    publish_bytes(tmp_path / "models", b"onnx")
    spec, family = replace(SPECS["BAAI/bge-m3"], source=FolderSource(tmp_path)), family_of("embedder")
    inputs = ("input_ids", "attention_mask")
    check_tensors(ModelRepository(tmp_path / "models").read(), spec, family, inputs, 8)
    with pytest.raises(InputError, match="the backend onnxruntime, and BAAI/bge-m3 needs torch"):
        check_tensors(ModelRepository(tmp_path / "models").read(), spec, family, inputs, 8, "torch")


def test_what_torch_serves_by_itself() -> None:
    gte, judge = SPECS["Alibaba-NLP/gte-multilingual-base"], SPECS["Querit/Querit"]
    assert runtime_of(gte) == runtime_of(judge) == "torch"
    assert runtime_of(SPECS["BAAI/bge-m3"]) == "onnx"
    assert obstacles(gte) == ()
    assert obstacles(gte, "onnx") == ("code of the model's own goes by --runtime torch alone",)
    assert "in an archive" in obstacles(SPECS["intfloat/multilingual-e5-small"], "torch")[0]


def test_code_runs_only_where_somebody_says_so_and_only_from_a_commit(tmp_path: Path) -> None:
    gte = SPECS["Alibaba-NLP/gte-multilingual-base"]
    with pytest.raises(InputError, match=r"runs with your rights.*--trust-remote-code"):
        require_trust(gte, trusted=False)
    require_trust(gte, trusted=True)
    require_pinned(gte.id, gte.revision)
    for revision in (None, "main", "v1.0", gte.revision[:12]):
        with pytest.raises(InputError, match="Give --revision"):
            require_pinned(gte.id, revision)
    config = tmp_path / "config.json"
    config.write_text('{"auto_map": {"AutoModel": "modeling.NewModel"}}')
    require_code_here("gte", tmp_path)
    config.write_text('{"auto_map": {"AutoModel": "Alibaba-NLP/new-impl--modeling.NewModel"}}')
    with pytest.raises(InputError, match="its code lies in Alibaba-NLP/new-impl, which the revision of gte does not"):
        require_code_here("gte", tmp_path)
