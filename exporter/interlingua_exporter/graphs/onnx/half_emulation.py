"""Half precision on a machine without it: the same graph in fp32, every value rounded where the graph says so.

    model.onnx in fp16 or bf16 --weights widened; each such node in fp32, its result rounded--> a graph that runs here

It is what a tensor core does, products accumulated in fp32 and rounded once, up to the order of the sums; what is too
large for fp16 becomes infinite. What it cannot show is a device's own kernels: the true arithmetic was not run. ONNX
Runtime has no products in bf16 on CPUs, and runs fp16 there in fp32, leaving out casts between its own and so most of
the rounding: it would pass what a GPU would not.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from interlingua.served.graph_names import DATA_FILE, MODEL_FILE
from interlingua_exporter.graphs.onnx.external_data import ExternalData
from interlingua_exporter.graphs.onnx.value_graph import FLOAT, ValueGraph

if TYPE_CHECKING:
    from collections.abc import Iterator

_HALVES = (TensorProto.FLOAT16, TensorProto.BFLOAT16)
# These give what they were given, which is rounded already.
_COPIES = {
    "Concat", "Expand", "Flatten", "Gather", "GatherElements", "GatherND", "Identity", "Pad", "Reshape", "Slice",
    "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze",
}  # fmt: skip


@contextmanager
def runnable(path: Path) -> Iterator[Path]:
    """A file that a CPU runs as the network is meant: itself, or while the context lasts an emulation of its halves.

    A session that has loaded it has mapped or copied the weights, and needs the file no more.
    """
    if not is_half(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="interlingua-half-") as folder:
        yield emulate(path, Path(folder))


def is_half(path: Path) -> bool:
    """Whether a network has weights in half precision; False for what is no network."""
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception:  # protobuf's own error; whoever opens the file says what is wrong with it
        return False
    return any(tensor.data_type in _HALVES for tensor in model.graph.initializer)


def emulate(source: Path, folder: Path) -> Path:
    """A network in half precision as one that computes in fp32 and rounds, in `folder`."""
    model = onnx.load(source, load_external_data=False)
    values = ValueGraph(model)
    nodes: list[onnx.NodeProto] = []
    for node in values.nodes:
        rounds = {value: kind for value in node.output if (kind := values.kinds.get(value, 0)) in _HALVES}
        nodes.append(node)
        if node.op_type == "Cast" and node.attribute[0].i in _HALVES:
            node.attribute[0].i = FLOAT
        if node.op_type not in _COPIES:
            nodes += _rounding(node, rounds)
    with ExternalData(folder / DATA_FILE) as data:
        wide = [_widened(tensor, source.parent, data) for tensor in values.initializers.values()]
    graph = model.graph
    for field, content in ((graph.node, nodes), (graph.initializer, wide), (graph.value_info, [])):
        del field[:]
        field.extend(content)
    path = folder / MODEL_FILE
    path.write_bytes(model.SerializeToString(deterministic=True))
    return path


def _rounding(node: onnx.NodeProto, rounds: dict[str, int]) -> list[onnx.NodeProto]:
    """Casts to half precision and back after a node; its own results get other names."""
    added = []
    for value, kind in rounds.items():
        node.output[:] = [f"{value}_exact" if name == value else name for name in node.output]
        added.append(helper.make_node("Cast", [f"{value}_exact"], [f"{value}_rounded"], to=kind))
        added.append(helper.make_node("Cast", [f"{value}_rounded"], [value], to=FLOAT))
    return added


def _widened(tensor: onnx.TensorProto, folder: Path, data: ExternalData) -> onnx.TensorProto:
    array = numpy_helper.to_array(tensor, str(folder))
    return data.tensor(tensor.name, array.astype(np.float32) if tensor.data_type in _HALVES else array)
