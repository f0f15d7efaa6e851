"""ONNX Runtime's transformer fusions, for GPUs: attention, LayerNorm with its residual, Gelu with its bias.

    fp32 model.onnx, model type --onnxruntime.transformers.optimizer--> model.onnx with com.microsoft operators, counts

The result is gated like any other network. On CPUs these fused kernels are slower than what they replace; Gelu alone
(`join_gelu`) is faster. Padding may be on either side, so the attention gets a mask of every token and no lengths, and
the embedding sum is left alone.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import onnx
from onnx import helper, numpy_helper

from interlingua.base.errors import ExportError
from interlingua.served.graph_names import DATA_FILE, MODEL_FILE
from interlingua_exporter.graphs.onnx.attention_mask import canonical_mask
from interlingua_exporter.graphs.onnx.external_data import ExternalData
from interlingua_exporter.graphs.onnx.node_order import settle_order
from interlingua_exporter.graphs.onnx.onnx_graph import clean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interlingua_exporter.graphs.checkpoint import Checkpoint

# transformers' model types whose graphs the optimizer knows, by its own word.
_KNOWN = {"bert": "bert", "xlm-roberta": "bert", "roberta": "bert"}
_CONTRIB = "com.microsoft"


def require_known(checkpoint: Checkpoint) -> None:
    """Raises ExportError: the optimizer does not know this kind of network."""
    kind = _config(checkpoint).model_type
    if kind not in _KNOWN:
        raise ExportError(
            f"{checkpoint.spec.id}: ONNX Runtime's fusions are known for {', '.join(_KNOWN)}, this is {kind}: leave "
            "--fuse out"
        )


def fuse_network(checkpoint: Checkpoint, source: Path, folder: Path) -> dict[str, int]:
    """An fp32 `model.onnx` with fused operators, in `folder`; how many there are of each.

    Raises:
        ExportError: nothing was found to fuse, or the optimizer fails.
    """
    require_known(checkpoint)
    before = _operators(onnx.load(source, load_external_data=False))
    try:
        with _quiet():
            model = _optimized(_config(checkpoint), source)
    except Exception as error:  # the optimizer asserts, and raises whatever its parts raise
        why = str(error).strip().split("\n", 1)[0] or type(error).__name__
        raise ExportError(f"{checkpoint.spec.id}: ONNX Runtime's fusions fail ({why}): leave --fuse out") from error
    fused = {kind: count for kind, count in _operators(model).items() if kind not in before}
    if not fused:
        raise ExportError(f"{checkpoint.spec.id}: ONNX Runtime found nothing to fuse: leave --fuse out")
    _save(model, checkpoint.output, folder)
    return fused


def join_gelu(model: onnx.ModelProto) -> None:
    """Gelu as one operator, in place, where its five are: each of them walks over the widest activation of a layer."""
    from onnxruntime.transformers.fusion_gelu import FusionGelu
    from onnxruntime.transformers.onnx_model import OnnxModel

    with _quiet():
        FusionGelu(OnnxModel(model)).apply()
    settle_order(model.graph)  # the new nodes stand at the end


def _optimized(config: Any, source: Path) -> onnx.ModelProto:
    from onnxruntime.transformers.fusion_options import FusionOptions
    from onnxruntime.transformers.optimizer import optimize_model

    kind = _KNOWN[config.model_type]
    model = onnx.load(source)
    canonical_mask(model)
    options = FusionOptions(kind)
    options.use_raw_attention_mask(True)
    options.enable_embed_layer_norm = False
    options.enable_shape_inference = False  # it would have to serialize the model, which may be larger than 2 GB
    optimizer = optimize_model(
        model,
        model_type=kind,
        num_heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
        optimization_options=options,
        opt_level=0,
    )
    fused: onnx.ModelProto = optimizer.model
    return fused


def _save(model: onnx.ModelProto, output: str, folder: Path) -> None:
    clean(model, output)
    if all(entry.domain != _CONTRIB for entry in model.opset_import):
        model.opset_import.append(helper.make_opsetid(_CONTRIB, 1))
    with ExternalData(folder / DATA_FILE) as data:
        stored = [data.tensor(tensor.name, numpy_helper.to_array(tensor)) for tensor in model.graph.initializer]
    del model.graph.initializer[:]
    model.graph.initializer.extend(stored)
    (folder / MODEL_FILE).write_bytes(model.SerializeToString(deterministic=True))


def _operators(model: onnx.ModelProto) -> dict[str, int]:
    counts: dict[str, int] = {}
    for node in model.graph.node:
        if node.domain == _CONTRIB:
            counts[node.op_type] = counts.get(node.op_type, 0) + 1
    return counts


def _config(checkpoint: Checkpoint) -> Any:
    """The transformers configuration of the network inside the graph."""
    configs = (getattr(module, "config", None) for module in checkpoint.graph.modules())
    found = next((config for config in configs if hasattr(config, "model_type")), None)
    if found is None:
        raise ExportError(f"{checkpoint.spec.id}: the kind of its network is not known: leave --fuse out")
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """The optimizer talks to its own developers through the root logger's children."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(level)
