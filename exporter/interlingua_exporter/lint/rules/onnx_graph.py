"""config.pbtxt against the ONNX graph, and the graph against the runtime."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tritonclient.grpc import model_config_pb2 as pb

from interlingua_exporter.lint import disk
from interlingua_exporter.lint.finding import Rule, RuleHit, each_model
from interlingua_exporter.lint.onnx_file import GraphTensor, OnnxDamageError, OnnxFile, onnx_is_installed, read_onnx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interlingua_exporter.lint.model import Model

# The newest that onnxruntime 1.31 (interlingua_server/requirements.lock) loads; tried with one-node graphs.
NEWEST_IR = 13
NEWEST_OPSET = 26


def _graphs(model: Model) -> Iterator[tuple[int, str, OnnxFile]]:
    """(version, file, graph) of every version that is served and has a readable graph."""
    for version, path, where in _paths(model):
        try:
            yield version, where, read_onnx(path)
        except OnnxDamageError:
            continue


def _paths(model: Model) -> Iterator[tuple[int, Path, str]]:
    if model.backend != "onnxruntime" or not onnx_is_installed():
        return
    for version in model.served:
        path = model.version_file(version)
        if disk.size(path) > 0 and os.access(path, os.R_OK):
            yield version, path, str(path.relative_to(model.folder))


@each_model
def _damaged(model: Model) -> Iterator[RuleHit]:
    for _, path, where in _paths(model):
        try:
            read_onnx(path)
        except OnnxDamageError as error:
            yield model.hit("", f"it is no ONNX model: {error}", file=where)


def _pairs(model: Model, graph: OnnxFile) -> Iterator[tuple[str, pb.ModelInput | pb.ModelOutput, GraphTensor]]:
    """(section, as config.pbtxt has it, as the graph has it) of the tensors that both have."""
    for section, theirs in (("input", graph.inputs), ("output", graph.outputs)):
        by_name = {tensor.name: tensor for tensor in theirs}
        for entry in getattr(model.config, section):
            if entry.name in by_name:
                yield section, entry, by_name[entry.name]


@each_model
def _names(model: Model) -> Iterator[RuleHit]:
    for _, where, graph in _graphs(model):
        for section, theirs in (("input", graph.inputs), ("output", graph.outputs)):
            ours = {entry.name for entry in getattr(model.config, section)}
            names = {tensor.name for tensor in theirs}
            if not ours:
                continue
            if ours - names:
                what = f"{', '.join(sorted(ours - names))} is not in {where}, which has {', '.join(sorted(names))}"
                yield model.hit(f"{section}.name", what)
            if section == "input" and names - ours:
                yield model.hit("input", f"{', '.join(sorted(names - ours))} of {where} is not stated")


@each_model
def _types(model: Model) -> Iterator[RuleHit]:
    for _, where, graph in _graphs(model):
        for section, entry, tensor in _pairs(model, graph):
            ours = pb.DataType.Name(entry.data_type) if entry.data_type in pb.DataType.values() else ""
            if tensor.data_type and ours != tensor.data_type and ours != "TYPE_INVALID":
                what = f"{entry.name} is {ours}, in {where} {tensor.data_type}"
                yield model.hit(f"{section}.data_type", what, f"data_type: {tensor.data_type}")


@each_model
def _shapes(model: Model) -> Iterator[RuleHit]:
    batched = model.config.max_batch_size > 0
    for _, where, graph in _graphs(model):
        for section, entry, tensor in _pairs(model, graph):
            inner = list(entry.reshape.shape) if entry.HasField("reshape") else list(entry.dims)
            ours = [-1, *inner] if batched else inner
            if tensor.shape is None or not entry.dims:
                continue
            clash = len(ours) != len(tensor.shape) or any(
                a != b and -1 not in (a, b) for a, b in zip(ours, tensor.shape, strict=False)
            )
            fixed = batched and bool(tensor.shape) and tensor.shape[0] != -1
            if clash or fixed:
                axis = "with the batch axis that max_batch_size adds, " if batched else ""
                yield model.hit(f"{section}.dims", f"{entry.name} is {axis}{ours}, in {where} {list(tensor.shape)}")


@each_model
def _too_new(model: Model) -> Iterator[RuleHit]:
    for _, where, graph in _graphs(model):
        if graph.ir_version > NEWEST_IR or graph.opset > NEWEST_OPSET:
            yield model.hit("", f"IR version {graph.ir_version}, opset {graph.opset}", file=where)


@each_model
def _external(model: Model) -> Iterator[RuleHit]:
    for version, where, graph in _graphs(model):
        folder = model.version_file(version).parent
        for data in graph.external:
            path = folder / data.location
            if not disk.lies_in(path, folder):
                continue
            size = disk.size(path)
            if size < 0:
                yield model.hit("", f"its data file {data.location} is missing", file=where)
            elif size < data.size:
                yield model.hit("", f"its data file {data.location} has {size} bytes of {data.size}", file=where)


@each_model
def _escaping(model: Model) -> Iterator[RuleHit]:
    for version, where, graph in _graphs(model):
        folder = model.version_file(version).parent
        for data in graph.external:
            if not disk.lies_in(folder / data.location, folder):
                yield model.hit("", f"its data file {data.location} lies outside of the version's folder", file=where)


RULES = (
    Rule(
        code="ONX001",
        severity="error",
        title="an ONNX file that is none",
        why="The version does not load.",
        mend="Export again; beyond 2 GiB with external data.",
        check=_damaged,
    ),
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
        code="ONX005",
        severity="warning",
        title=f"an IR version above {NEWEST_IR} or an opset above {NEWEST_OPSET}",
        why="The onnxruntime that our server pins (1.31) refuses it; a container's may be older or newer.",
        mend=f"Export with opset {NEWEST_OPSET} or less; model.ir_version = {NEWEST_IR}",
        check=_too_new,
    ),
    Rule(
        code="ONX006",
        severity="error",
        title="external data that is missing or too short",
        why="The version does not load: graph and weights are two files, and both have to be shipped.",
        mend="Copy the data file beside the graph, under the name that the graph has for it.",
        check=_external,
    ),
    Rule(
        code="ONX007",
        severity="error",
        title="external data outside of the version's folder",
        why="ONNX Runtime refuses paths, and links, that lead out of the model's folder (seen with 1.31).",
        mend="onnx.save(model, path, save_as_external_data=True, location='model.onnx.data')",
        check=_escaping,
    ),
)
