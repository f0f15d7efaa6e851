"""torch graph -> model.onnx, with nothing in it but the network.

    Checkpoint --torch.onnx.export--> graph --rename output, strip--> model.onnx + model.onnx.data

The weights lie beside the graph as external data, so that ONNX Runtime maps the file and several instances share
its pages. The bytes depend on the weights and on the versions of torch and transformers, on nothing else: stack
traces, paths and Python class names, which the exporter writes into the graph, are taken out.
"""

from __future__ import annotations

import inspect
import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import onnx
import torch

from interlingua.base.errors import ExportError
from interlingua.served.graph_names import MODEL_FILE
from interlingua.served.networks.decoder_states import DecoderStates
from interlingua_exporter.graphs.onnx.node_order import settle_order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interlingua_exporter.graphs.checkpoint import Checkpoint

OPSET = 18
IR_VERSION = 10  # the newest that the ONNX Runtime of Triton's 24.10 container reads

# The exporter names nodes after modules: an output called `embedding` can meet a node of that name and the file
# does not load. So the graph is exported under a name no module has, and the output gets its own name afterwards.
_TEMPORARY_OUTPUT = "interlingua_output"
_EXAMPLE_SHAPE = (2, 7)  # neither 0 nor 1, which torch.export takes for constants


def export_onnx(checkpoint: Checkpoint, folder: Path) -> Path:
    """Write `model.onnx` and `model.onnx.data` into a folder; the path of the former.

    Raises:
        ExportError: torch cannot turn this network into a graph with dynamic batch and length.
    """
    path = folder / MODEL_FILE
    try:
        with _quiet(), torch.inference_mode():
            torch.onnx.export(
                checkpoint.graph,
                _example(checkpoint),
                path,
                input_names=list(checkpoint.inputs),
                output_names=[_TEMPORARY_OUTPUT],
                dynamic_shapes=_dynamic_shapes(checkpoint),
                opset_version=OPSET,
                dynamo=True,
                external_data=True,
                verbose=False,
            )
    except Exception as error:  # the exporter raises whatever its many layers raise
        reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
        raise ExportError(f"{checkpoint.spec.id}: torch cannot export this network: {reason}") from error
    model = onnx.load(path, load_external_data=False)
    if any(isinstance(module, DecoderStates) for module in checkpoint.graph.modules()):
        settle_order(model.graph)
    clean(model, checkpoint.output)
    path.write_bytes(model.SerializeToString(deterministic=True))
    return path


def clean(model: onnx.ModelProto, output: str) -> None:
    """Give the only output its name, name the axes, and drop everything that is not the network, in place."""
    model.ir_version = min(model.ir_version, IR_VERSION)
    model.producer_name = "interlingua"
    model.producer_version = ""
    model.domain = ""
    model.doc_string = ""
    del model.metadata_props[:]
    graph = model.graph
    graph.name = output
    graph.doc_string = ""
    for value in (*graph.input, *graph.output, *graph.initializer, *graph.node):
        value.doc_string = ""
        del value.metadata_props[:]
    del graph.metadata_props[:]
    del graph.value_info[:]  # shapes are inferred again by whoever loads the file
    _rename(graph, graph.output[0].name, output)
    for function in model.functions:
        function.doc_string = ""
        del function.metadata_props[:]
        for node in function.node:
            node.doc_string = ""
            del node.metadata_props[:]
    _number_nodes(graph)


def _rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    taken = {name for node in graph.node for name in (*node.input, *node.output)}
    taken |= {value.name for value in (*graph.initializer, *graph.input)}
    if new in taken and new != old:
        for names in (names for node in graph.node for names in (node.input, node.output)):
            names[:] = [f"{new}_inner" if name == new else name for name in names]
        for value in graph.initializer:
            value.name = f"{new}_inner" if value.name == new else value.name
    for names in (names for node in graph.node for names in (node.input, node.output)):
        names[:] = [new if name == old else name for name in names]
    graph.output[0].name = new


def _number_nodes(graph: onnx.GraphProto) -> None:
    """Node names say what runs in a profile; without the module paths they are the operator and a number."""
    for number, node in enumerate(graph.node):
        node.name = f"{node.op_type}_{number}"


def _example(checkpoint: Checkpoint) -> tuple[torch.Tensor, ...]:
    """Small inputs to trace with: int64 [2, 7] each, the second text two tokens shorter."""
    ids = torch.arange(_EXAMPLE_SHAPE[0] * _EXAMPLE_SHAPE[1]).reshape(_EXAMPLE_SHAPE) % checkpoint.vocabulary
    mask = torch.ones_like(ids)
    mask[1, -2:] = 0
    return (ids, mask, torch.zeros_like(ids))[: len(checkpoint.inputs)]


def _dynamic_shapes(checkpoint: Checkpoint) -> dict[str, Any]:
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length", max=checkpoint.spec.max_tokens)}
    names = list(inspect.signature(checkpoint.graph.forward).parameters)[: len(checkpoint.inputs)]
    return dict.fromkeys(names, axes)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's advice to its own developers off the user's screen."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
