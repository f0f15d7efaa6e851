"""How large the values get that fp16 would hold, measured in fp32 on real texts.

    fp32 model.onnx + max |v| of every value that would be half --texts--> largest value, the tensor, the text

fp16 ends at 65504; past it a value is infinite, and the answer NaN. A gate on a CPU can miss that, because ONNX Runtime
computes fp16 there in fp32, so the range is looked at before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import helper, numpy_helper

from interlingua.base.errors import ExportError
from interlingua_exporter.graphs.onnx.onnx_session import OnnxSession
from interlingua_exporter.graphs.onnx.value_graph import ValueGraph
from interlingua_exporter.precision.half_precision import FORMATS, Half
from interlingua_exporter.precision.precision_islands import halves, islands
from interlingua_exporter.texts.parity_texts import parity_set

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua.served.text.tokenizer import Tokens
    from interlingua_exporter.graphs.checkpoint import Checkpoint

_PROBE_FILE = "range.onnx"
_VECTOR = "interlingua_range"


@dataclass(frozen=True)
class ActivationRange:
    """The largest value that would be in half precision.

    Attributes:
        tensor: its name in the graph, and the nearest weight with a name.
        texts: looked at, the longest of every language.
    """

    largest: float
    limit: float
    tensor: str
    text: str
    texts: int

    def describe(self) -> str:
        """The range in one line."""
        return f"largest value in half precision: {self.largest:.4g} of {self.limit:.5g} ({self.tensor}; {self.text})"


def check_range(checkpoint: Checkpoint, network: Path, half: Half, threads: int) -> ActivationRange:
    """Run an fp32 network on texts of every language.

    Args:
        network: its `model.onnx`; a file is written beside it and removed.

    Raises:
        ExportError: a value would be out of the format's range; the message names the tensor and the text.
    """
    form = FORMATS[half]
    model = onnx.load(network, load_external_data=False)
    graph = ValueGraph(model)
    watched = _watched(graph, form.word)
    probe = network.with_name(_PROBE_FILE)
    try:
        probe.write_bytes(_probed(model, watched).SerializeToString())
        session = OnnxSession(probe, threads=threads)
        rows = _longest(checkpoint)
        encoder = checkpoint.text_encoder()
        peaks = np.stack([session.run(encoder.collate([row], checkpoint.inputs)) for _, row in rows])
    finally:
        probe.unlink(missing_ok=True)
    text, value = np.unravel_index(int(np.argmax(np.where(np.isnan(peaks), np.inf, peaks))), peaks.shape)
    found = ActivationRange(
        float(peaks[text, value]), form.largest, graph.describe(watched[int(value)]), rows[int(text)][0], len(rows)
    )
    if not found.largest <= form.largest:
        raise ExportError(
            f"{checkpoint.spec.id}: {found.tensor} reaches {found.largest:.4g} on a text ({found.text}), {half} ends "
            f"at {form.largest:.5g}: export in bf16 or fp32. Nothing was published."
        )
    return found


def _watched(graph: ValueGraph, kind: str) -> list[str]:
    """Every float that a half node gives or reads, weights and constants apart."""
    values: dict[str, None] = {}
    for at in halves(graph, islands(graph, kind)):
        node = graph.nodes[at]
        for value in (*node.input, *node.output):
            made = graph.maker.get(value)
            if graph.is_float(value) and made is not None and graph.nodes[made].op_type != "Constant":
                values[value] = None
    return list(values)


def _probed(model: onnx.ModelProto, watched: list[str]) -> onnx.ModelProto:
    """The network with one output: the largest absolute value of each of these, [len(watched)]."""
    probed = onnx.ModelProto()
    probed.CopyFrom(model)
    graph = probed.graph
    one = f"{_VECTOR}_shape"
    graph.initializer.append(numpy_helper.from_array(np.array([1], np.int64), one))
    parts = []
    for number, value in enumerate(watched):
        size, peak, part = (f"{_VECTOR}_{step}_{number}" for step in ("abs", "max", "one"))
        graph.node.append(helper.make_node("Abs", [value], [size]))
        graph.node.append(helper.make_node("ReduceMax", [size], [peak], keepdims=0))
        graph.node.append(helper.make_node("Reshape", [peak, one], [part]))
        parts.append(part)
    graph.node.append(helper.make_node("Concat", parts, [_VECTOR], axis=0))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(_VECTOR, onnx.TensorProto.FLOAT, [len(watched)]))
    return probed


def _longest(checkpoint: Checkpoint) -> list[tuple[str, Tokens]]:
    """The longest sample of each language, with what it is: long texts have the largest sums."""
    encoder = checkpoint.text_encoder()
    samples = parity_set(checkpoint.spec, encoder).samples
    longest: dict[str, tuple[str, Tokens]] = {}
    rows = checkpoint.long_rows(encoder, [sample.text for sample in samples])
    for sample, row in zip(samples, rows, strict=True):
        if sample.language not in longest or len(row) > len(longest[sample.language][1]):
            longest[sample.language] = (f"{sample.language}, {sample.name}", row)
    return list(longest.values())
