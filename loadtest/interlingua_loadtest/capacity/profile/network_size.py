"""How much arithmetic a published network does, read from its ONNX file.

model.onnx --initializers, nodes--> NetworkSize (weights, layers, attention, bytes)

Weights are counted as the graph holds them, int8 ones included; tables that are only looked up (embeddings, positions,
and their scales) cost no products and are left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError

if TYPE_CHECKING:
    import onnx

_LOOKUPS = ("Gather", "GatherElements", "GatherND")
_PRODUCTS = ("MatMul", "MatMulIntegerToFloat", "Gemm")
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class NetworkSize:
    """One network.

    Attributes:
        weights: of the matrices that every token is multiplied with.
        parameters: of all that is stored, embeddings too.
        layers: attentions, by their softmaxes.
        attention_width: heads x head width, summed over the layers; not always a multiple of the hidden width.
        file_bytes: of the graph and its data.
    """

    weights: int
    parameters: int
    layers: int
    attention_width: int
    file_bytes: int

    @property
    def token_flop(self) -> float:
        """The operations of a token's matrix products: a multiplication and an addition a weight."""
        return 2.0 * self.weights

    @property
    def attention_flop(self) -> float:
        """Operations of a token's attention to another: scores and their sum, as wide as all heads, every layer."""
        return 4.0 * self.attention_width


def network_size(version: Path) -> NetworkSize:
    """The size of the network in a version's directory. Raises InputError: there is no ONNX file that can be read."""
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    paths = sorted(version.glob("*.onnx"))
    if not paths:
        raise InputError(f"{version} holds no ONNX file: run `interlingua export` first")
    try:
        graph = onnx.load(paths[0], load_external_data=False).graph
    except (OSError, DecodeError) as error:
        raise InputError(f"{paths[0]}: not a readable ONNX file ({error}): export again") from error
    return of_graph(graph, sum(file.stat().st_size for file in version.iterdir() if file.is_file()))


def of_graph(graph: onnx.GraphProto, file_bytes: int) -> NetworkSize:
    """The same of a graph."""
    looked_up = {node.input[0] for node in graph.node if node.op_type in _LOOKUPS and node.input}
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    matrices = [
        shape for name, shape in shapes.items() if name not in looked_up and sum(size > 1 for size in shape) > 1
    ]
    tables = [shapes[name] for name in looked_up if name in shapes and len(shapes[name]) > 1]
    hidden = int(max(tables, key=lambda shape: shape[0] * shape[1], default=(0, 0))[1])
    widths = [_attention_width(graph, node, shapes) or hidden for node in graph.node if node.op_type == "Softmax"]
    return NetworkSize(
        weights=sum(map(math.prod, matrices)),
        parameters=sum(map(math.prod, shapes.values())),
        layers=len(widths),
        attention_width=sum(widths),
        file_bytes=file_bytes,
    )


def constant_matrix(node: onnx.NodeProto, shapes: Shapes) -> tuple[int, ...] | None:
    """The shape [inputs, outputs] of the matrix that a product multiplies with; None: it is no product, or with none.

    Args:
        shapes: of the graph's initializers.
    """
    shape = shapes.get(node.input[1], ()) if node.op_type in _PRODUCTS else ()
    return shape if len(shape) == 2 else None


def _attention_width(graph: onnx.GraphProto, softmax: onnx.NodeProto, shapes: Shapes) -> int | None:
    """What all heads of an attention give together: the rows of the first matrix after it, its output projection."""
    reached = set(softmax.output)
    for node in graph.node:  # in order: what a node reads stands before it
        if reached.isdisjoint(node.input):
            continue
        if matrix := constant_matrix(node, shapes):
            return matrix[0]
        reached.update(node.output)
    return None
