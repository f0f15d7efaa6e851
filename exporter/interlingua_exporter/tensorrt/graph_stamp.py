"""Names in a graph that no other export has, for ONNX Runtime's TensorRT cache.

model.onnx --every internal value renamed by the digest of the network's files--> model.onnx

The cache tells graphs apart by file name, input names and the names of values (TRTGenerateId in onnxruntime's
tensorrt_execution_provider_utils.h), never by weights: two versions of one architecture would take each other's engine.
One config.pbtxt serves all versions, so path and prefix cannot keep them apart in NVIDIA's C++ backend; names can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_MARK = 12  # hexadecimal digits


def stamp(network: Path) -> str:
    """Rename the internal values of the graph in a folder; returns the mark that they now end in.

    Inputs, outputs and weights keep their names, and external data its place.
    """
    import onnx

    from interlingua.served.graph_names import MODEL_FILE
    from interlingua_exporter.publication.digests import weights_digest

    mark = weights_digest(network)[:_MARK]
    path = network / MODEL_FILE
    model = onnx.load(path, load_external_data=False)
    kept = {entry.name for entry in model.graph.output}
    _rename(model.graph, {}, kept, mark)
    path.write_bytes(model.SerializeToString())
    return mark


def _rename(graph: Any, outer: dict[str, str], kept: set[str], mark: str) -> None:
    """`outer` are new names of the graphs around this one, which a subgraph may refer to."""
    made = {name for node in graph.node for name in node.output if name}
    names = outer | {name: f"{name}_{mark}" for name in made - kept}
    for node in graph.node:
        for values in (node.input, node.output):
            values[:] = [names.get(name, name) for name in values]
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                _rename(inner, names, {entry.name for entry in inner.output}, mark)
    for entry in graph.value_info:
        entry.name = names.get(entry.name, entry.name)
