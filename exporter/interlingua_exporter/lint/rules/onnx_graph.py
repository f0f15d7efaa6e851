"""ONNX files: whole, of a version that the runtime knows, with their data. Their tensors are in onnx_tensors.py."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from interlingua_exporter.lint import disk
from interlingua_exporter.lint.finding import Rule, RuleHit, each_model
from interlingua_exporter.lint.onnx_file import OnnxDamageError, OnnxFile, onnx_is_installed, read_onnx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interlingua_exporter.lint.model import Model

# The newest that onnxruntime 1.31 (interlingua_server/requirements.lock) loads; tried with one-node graphs.
NEWEST_IR = 13
NEWEST_OPSET = 26


def graphs(model: Model) -> Iterator[tuple[int, str, OnnxFile]]:
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


@each_model
def _too_new(model: Model) -> Iterator[RuleHit]:
    for _, where, graph in graphs(model):
        if graph.ir_version > NEWEST_IR or graph.opset > NEWEST_OPSET:
            yield model.hit("", f"IR version {graph.ir_version}, opset {graph.opset}", file=where)


@each_model
def _external(model: Model) -> Iterator[RuleHit]:
    for version, where, graph in graphs(model):
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
    for version, where, graph in graphs(model):
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
