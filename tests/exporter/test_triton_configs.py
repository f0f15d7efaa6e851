"""config.pbtxt, read back with Triton's own protobuf."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as pb

from interlingua.base.errors import InputError
from interlingua.repository.triton_config import (
    NetworkConfig,
    Placement,
    ServiceConfig,
    read_config,
    set_instances,
    write_config,
)
from interlingua.repository.triton_model import TritonModel
from interlingua.served.text.tokenizer import Tokens
from interlingua_exporter.publication.warmup import network_samples, suitable_shapes

TOKENS = Tokens((0, 11, 12, 2), (0, 0, 0, 0))


def reread(message: pb.ModelConfig, folder: Path) -> pb.ModelConfig:
    path = folder / "config.pbtxt"
    write_config(message, path)
    return text_format.Parse(path.read_text(encoding="utf-8"), pb.ModelConfig())


def network(**changes: object) -> NetworkConfig:
    inputs = ("input_ids", "attention_mask")
    values: dict[str, object] = {
        "name": "embedder",
        "inputs": inputs,
        "output": "embedding",
        "dimension": 384,
        "max_batch_size": 64,
        "placement": Placement("cpu", 3, 2),
        "versions": (2, 1),
        "parameters": {"1/weights_digest": "abc"},
        "warmup": network_samples(2, TOKENS, inputs, max_tokens=512, max_batch_size=64),
    }
    return NetworkConfig(**(values | changes))  # type: ignore[arg-type]


def test_a_network(tmp_path: Path) -> None:
    config = reread(network().message(), tmp_path)
    assert (config.name, config.backend, config.max_batch_size) == ("embedder", "onnxruntime", 64)
    assert [(i.name, i.data_type, list(i.dims)) for i in config.input] == [
        ("input_ids", pb.TYPE_INT64, [-1]),
        ("attention_mask", pb.TYPE_INT64, [-1]),
    ]
    assert [(o.name, o.data_type, list(o.dims)) for o in config.output] == [("embedding", pb.TYPE_FP32, [384])]
    assert not config.HasField("dynamic_batching")
    assert config.optimization.graph.level == -1
    assert list(config.version_policy.specific.versions) == [1, 2]
    kind = pb.ModelInstanceGroup.KIND_CPU
    assert [(group.kind, group.count) for group in config.instance_group] == [(kind, 1), (kind, 2)]
    assert [group.rate_limiter.priority for group in config.instance_group] == [1, 100_000]
    assert TritonModel.read(tmp_path / "config.pbtxt").instances == 3
    assert {key: value.string_value for key, value in config.parameters.items()} == {
        "1/weights_digest": "abc",
        "inter_op_thread_count": "1",
        "intra_op_thread_count": "2",
    }


@pytest.mark.parametrize(
    ("placement", "backend", "spare"),
    [
        (Placement("cpu", 3, 1), "onnxruntime", 1),
        (Placement("cpu", 1, 1), "onnxruntime", 1),
        (Placement("cpu", 3, 2), "onnxruntime", 0),
        (Placement("cpu", 3, 1), "torch", 0),
        (Placement("gpu", 3, 1), "onnxruntime", 0),
    ],
    ids=["threads of one", "one core", "two threads", "torch", "gpu"],
)
def test_an_instance_more_is_there_for_queries(tmp_path: Path, placement: Placement, backend: str, spare: int) -> None:
    config = reread(network(placement=placement, backend=backend).message(), tmp_path)
    assert sum(group.count for group in config.instance_group) == placement.instances + spare
    found = TritonModel.read(tmp_path / "config.pbtxt")
    assert (found.instances, found.spare) == (placement.instances, spare)
    set_instances(config, placement.kind, 5)  # other counts keep it
    write_config(config, tmp_path / "config.pbtxt")
    found = TritonModel.read(tmp_path / "config.pbtxt")
    assert (found.instances, found.spare) == (5, spare)


def test_instances_that_are_left_to_triton_are_not_counted(tmp_path: Path) -> None:
    write_config(pb.ModelConfig(name="embedder"), tmp_path / "config.pbtxt")
    with pytest.raises(InputError, match="no instance_group"):
        assert TritonModel.read(tmp_path / "config.pbtxt").instances


def test_a_network_on_a_gpu(tmp_path: Path) -> None:
    placement = Placement("gpu", 1, 1)
    config = reread(network(placement=placement).message(), tmp_path)
    (group,) = config.instance_group
    assert (group.kind, group.count) == (pb.ModelInstanceGroup.KIND_GPU, 1)
    assert config.optimization.graph.level == 0
    assert placement.outstanding_calls == 2


def test_warmup_samples_name_files_of_their_size(tmp_path: Path) -> None:
    made = network()
    config = reread(made.message(), tmp_path)
    content = {tensor.file: tensor.content for sample in made.warmup for tensor in sample.tensors}
    shapes = [(sample.batch_size, sample.inputs["input_ids"].dims[0]) for sample in config.model_warmup]
    assert shapes == [(1, 16), (1, 64), (1, 256), (8, 64), (8, 128), (32, 32)]
    for sample in config.model_warmup:
        for name, tensor in sample.inputs.items():
            assert tensor.data_type == pb.TYPE_INT64
            values = np.frombuffer(content[tensor.input_data_file], "<i8")
            assert values.shape == (tensor.dims[0],)
            # The first and the last token stay in their places, what lies between repeats.
            middle = ([11, 12] * 200)[: len(values) - 2]
            assert values.tolist() == ([1] * len(values) if name == "attention_mask" else [0, *middle, 2])


def test_on_a_cpu_one_call_shows_that_the_network_runs() -> None:
    assert suitable_shapes("cpu") == ((1, 16),)
    assert (32, 32) in suitable_shapes("gpu")


def test_warmup_stays_within_the_model_and_the_batch() -> None:
    samples = network_samples(1, TOKENS, ("input_ids",), max_tokens=32, max_batch_size=4)
    assert [(sample.batch, sample.tensors[0].length) for sample in samples] == [(1, 16), (1, 32), (4, 32)]


@pytest.mark.parametrize(
    ("inputs", "output", "dimension"),
    [(("text",), "embedding", 384), (("query", "document"), "score", 1)],
    ids=["embed", "rerank"],
)
def test_a_service(tmp_path: Path, inputs: tuple[str, ...], output: str, dimension: int) -> None:
    parameters = {"1/prompt": 'a "quoted"\nprompt: दो'}
    service = ServiceConfig(
        name="s",
        inputs=inputs,
        output=output,
        dimension=dimension,
        max_batch_size=32,
        outstanding_calls=3,
        versions=(1,),
        parameters=parameters,
    )
    config = reread(service.message(), tmp_path)
    assert (config.name, config.backend, config.max_batch_size) == ("s", "text", 32)
    assert [(i.name, i.data_type, list(i.dims)) for i in config.input] == [
        (name, pb.TYPE_STRING, [1]) for name in inputs
    ]
    assert [(o.name, o.data_type, list(o.dims)) for o in config.output] == [
        (output, pb.TYPE_FP32, [dimension]),
        ("tokens", pb.TYPE_INT32, [1]),
        ("stage_us", pb.TYPE_INT64, [3]),
    ]
    # Dynamic batching without priorities and queue policies: they make requests stall.
    assert config.HasField("dynamic_batching")
    batching = config.dynamic_batching
    assert batching.max_queue_delay_microseconds == 0
    assert batching.priority_levels == 0
    assert not batching.HasField("default_queue_policy")
    assert config.instance_group[0].kind == pb.ModelInstanceGroup.KIND_CPU
    assert config.parameters["1/prompt"].string_value == parameters["1/prompt"]
    assert config.parameters["outstanding_calls"].string_value == "3"
    assert config.parameters["default_deadline_s"].string_value == "10"


def test_a_broken_config_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "config.pbtxt"
    path.write_text("input [ {")
    with pytest.raises(InputError, match=r"config\.pbtxt"):
        read_config(path)
