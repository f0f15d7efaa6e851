"""config.pbtxt against the ONNX graph: names, types and shapes of all that Triton gives it and takes from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
from tritonclient.grpc import model_config_pb2 as pb

from interlingua.served.model_config import beyond_ours
from interlingua_exporter.lint.finding import Rule, RuleHit, each_model
from interlingua_exporter.lint.model import enum_name
from interlingua_exporter.lint.rules.onnx_graph import graphs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.lint.model import Model
    from interlingua_exporter.lint.onnx_file import GraphTensor, OnnxFile

_SEQUENCE = "sequence_batching"
_Control = pb.ModelSequenceBatching.Control


def _stated(model: Model, section: str) -> Iterator[tuple[str, pb.ModelInput | pb.ModelOutput]]:
    """(field, tensor) of all that the graph is given, or gives: Triton adds controls, states and batch tensors."""
    yield from ((section, entry) for entry in getattr(model.config, section))
    batching = model.config.sequence_batching
    for state in batching.state:
        name = state.input_name if section == "input" else state.output_name
        yield f"{_SEQUENCE}.state", pb.ModelInput(name=name, data_type=state.data_type, dims=state.dims)
    if section == "input":
        for control in batching.control_input:
            kinds = [_control_type(entry) for entry in control.control]
            if kinds:  # one without any is not given to the model
                entry = pb.ModelInput(name=control.name, data_type=kinds[0], dims=[1])
                yield f"{_SEQUENCE}.control_input", entry
        for made in model.config.batch_input:
            for name in made.target_name:  # of any shape
                yield "batch_input", pb.ModelInput(name=name, data_type=made.data_type)


def _control_type(control: pb.ModelSequenceBatching.Control) -> int:
    if control.kind == _Control.CONTROL_SEQUENCE_CORRID:
        return control.data_type
    if control.int32_false_true:
        return pb.TYPE_INT32
    return pb.TYPE_FP32 if control.fp32_false_true else pb.TYPE_BOOL


def _pairs(model: Model, graph: OnnxFile) -> Iterator[tuple[str, pb.ModelInput | pb.ModelOutput, GraphTensor]]:
    """(field, as config.pbtxt has it, as the graph has it) of the tensors that both have."""
    for section, theirs in (("input", graph.inputs), ("output", graph.outputs)):
        by_name = {tensor.name: tensor for tensor in theirs}
        for field, entry in _stated(model, section):
            if entry.name in by_name:
                yield field, entry, by_name[entry.name]


@each_model
def _names(model: Model) -> Iterator[RuleHit]:
    for _, where, graph in graphs(model):
        for section, theirs in (("input", graph.inputs), ("output", graph.outputs)):
            if not getattr(model.config, section):
                continue
            ours = {entry.name for _, entry in _stated(model, section)}
            names = {tensor.name for tensor in theirs}
            if ours - names:
                what = f"{', '.join(sorted(ours - names))} is not in {where}, which has {', '.join(sorted(names))}"
                yield model.hit(f"{section}.name", what)
            if section == "input" and names - ours:
                yield model.hit("input", f"{', '.join(sorted(names - ours))} of {where} is not stated")


@each_model
def _types(model: Model) -> Iterator[RuleHit]:
    for _, where, graph in graphs(model):
        for section, entry, tensor in _pairs(model, graph):
            ours = enum_name(pb.DataType, entry.data_type)
            if tensor.data_type and ours != tensor.data_type and ours != "TYPE_INVALID":
                what = f"{entry.name} is {ours}, in {where} {tensor.data_type}"
                yield model.hit(f"{section}.data_type", what, f"data_type: {tensor.data_type}")


@each_model
def _shapes(model: Model) -> Iterator[RuleHit]:
    batched = model.config.max_batch_size > 0
    scattered = {name for made in model.config.batch_output for name in made.target_name}
    for _, where, graph in graphs(model):
        for field, entry, tensor in _pairs(model, graph):
            if tensor.shape is None or not entry.dims or entry.name in scattered:
                continue
            if getattr(entry, "allow_ragged_batch", False):  # all requests' values, one after the other
                if tensor.shape != (-1,):
                    yield model.hit(f"{field}.dims", f"{entry.name} is ragged: [-1], in {where} {list(tensor.shape)}")
                continue
            inner = list(entry.reshape.shape) if entry.HasField("reshape") else list(entry.dims)
            ours = [-1, *inner] if batched else inner
            clash = len(ours) != len(tensor.shape) or any(
                a != b and -1 not in (a, b) for a, b in zip(ours, tensor.shape, strict=False)
            )
            fixed = batched and bool(tensor.shape) and tensor.shape[0] != -1
            if clash or fixed:
                axis = "with the batch axis that max_batch_size adds, " if batched else ""
                yield model.hit(f"{field}.dims", f"{entry.name} is {axis}{ours}, in {where} {list(tensor.shape)}")


def _beyond_ours(model: Model) -> list[str]:
    return beyond_ours(MessageToDict(model.config, preserving_proto_field_name=True))


@each_model
def _containers_alone(model: Model) -> Iterator[RuleHit]:
    if model.backend == "onnxruntime" and (found := _beyond_ours(model)):
        yield model.hit(found[0], f"{', '.join(found)}: our embedded server refuses the model")


@each_model
def _optional(model: Model) -> Iterator[RuleHit]:
    names = [entry.name for entry in model.config.input if entry.optional]
    if model.backend == "onnxruntime" and names and model.config.max_batch_size:
        yield model.hit("input.optional", f"{', '.join(names)}, with max_batch_size {model.config.max_batch_size}")


RULES = (
    Rule(
        code="ONX002",
        severity="error",
        title="names that the graph does not have, or inputs that are not stated",
        why="ONNX Runtime's backend refuses the model.",
        mend="Write the names of the graph.",
        check=_names,
    ),
    Rule(
        code="ONX003",
        severity="error",
        title="types that are not the graph's",
        why="ONNX Runtime's backend refuses the model (INT32 where the graph has INT64 is the usual one).",
        mend="Write the graph's type.",
        check=_types,
    ),
    Rule(
        code="ONX004",
        severity="error",
        title="shapes that are not the graph's",
        why="With max_batch_size above 0 Triton puts an open batch axis before dims. ONNX Runtime's backend refuses a "
        "rank or a fixed size that differs.",
        mend="State dims without the batch axis and export the graph with an open first axis; or max_batch_size: 0 and "
        "the graph's whole shape.",
        check=_shapes,
    ),
    Rule(
        code="ONX008",
        severity="warning",
        title="sequence controls, implicit state or ragged batches of an ONNX model",
        why="NVIDIA's backend takes them. Ours, which the embedded server has, gives a graph no tensor that the "
        "request has not: it refuses the model.",
        mend="Serve it in NVIDIA's container.",
        check=_containers_alone,
    ),
    Rule(
        code="ONX009",
        severity="error",
        title="an optional input of a model that batches",
        why="ONNX Runtime's backend refuses the model.",
        mend="Leave optional out, or max_batch_size: 0.",
        check=_optional,
    ),
)
