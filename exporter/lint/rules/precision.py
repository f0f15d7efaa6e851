"""Precision that is asked for outside of the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.lint.finding import Hit, Rule, each_model
from exporter.lint.rules.accelerators import PARAMETERS, is_on, tensorrt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exporter.lint.model import Model
    from exporter.lint.repository import Repository

_MODES = ("FP32", "FP16", "BF16", "INT8")


def _flag(model: Model, repository: Repository) -> Iterator[Hit]:  # noqa: ARG001
    mode = (tensorrt(model) or {}).get("precision_mode", "")
    if mode in _MODES[1:]:
        yield model.hit(PARAMETERS, f"precision_mode is {mode}")


def _unknown(model: Model, repository: Repository) -> Iterator[Hit]:  # noqa: ARG001
    mode = (tensorrt(model) or {}).get("precision_mode", "FP32")
    if mode not in _MODES:
        yield model.hit(PARAMETERS, f"precision_mode is {mode!r}, none of {', '.join(_MODES)}")


def _layer_norm(model: Model, repository: Repository) -> Iterator[Hit]:  # noqa: ARG001
    parameters = tensorrt(model) or {}
    if parameters.get("precision_mode") == "FP16" and not is_on(parameters, "trt_layer_norm_fp32_fallback"):
        yield model.hit(PARAMETERS, "precision_mode FP16 without trt_layer_norm_fp32_fallback")


RULES = (
    Rule(
        "PRC001",
        "warning",
        "precision by a builder flag",
        "TensorRT 11 has no FP16, BF16 and INT8 flags any more: precision is what the graph says, and a model that "
        "relied on the flag runs in fp32, or not at all.",
        "Export the ONNX file itself in fp16 or bf16 (int8 with Q/DQ nodes), and leave precision_mode out.",
        each_model(_flag),
    ),
    Rule(
        "PRC002",
        "error",
        "a precision mode that does not exist",
        "The model does not load.",
        'parameters { key: "precision_mode" value: "FP32" }',
        each_model(_unknown),
    ),
    Rule(
        "PRC003",
        "warning",
        "FP16 with LayerNorm in half precision",
        "LayerNorm of BERT-family models overflows in fp16 (NVIDIA/TensorRT#2466, #3101, #4493): wrong vectors or "
        "NaN, without an error.",
        'parameters { key: "trt_layer_norm_fp32_fallback" value: "1" }',
        each_model(_layer_norm),
    ),
)
