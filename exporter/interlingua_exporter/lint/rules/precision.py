"""Precision that is asked for outside of the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.repository.triton_config import inexact_versions
from interlingua_exporter.lint.finding import Rule, RuleHit, each_model, each_model_in
from interlingua_exporter.lint.onnx_file import onnx_is_installed, saturating_products
from interlingua_exporter.lint.rules.accelerators import PARAMETERS, is_on, tensorrt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.lint.model import Model
    from interlingua_exporter.lint.repository import Repository

_MODES = ("FP32", "FP16", "BF16", "INT8")


@each_model
def _flag(model: Model) -> Iterator[RuleHit]:
    mode = (tensorrt(model) or {}).get("precision_mode", "")
    if mode in _MODES[1:]:
        yield model.hit(PARAMETERS, f"precision_mode is {mode}")


@each_model
def _unknown(model: Model) -> Iterator[RuleHit]:
    mode = (tensorrt(model) or {}).get("precision_mode", "FP32")
    if mode not in _MODES:
        yield model.hit(PARAMETERS, f"precision_mode is {mode!r}, none of {', '.join(_MODES)}")


@each_model
def _layer_norm(model: Model) -> Iterator[RuleHit]:
    parameters = tensorrt(model) or {}
    if parameters.get("precision_mode") == "FP16" and not is_on(parameters, "trt_layer_norm_fp32_fallback"):
        yield model.hit(PARAMETERS, "precision_mode FP16 without trt_layer_norm_fp32_fallback")


def _inexact(model: Model) -> Iterator[tuple[str, str]]:
    """(file, what) of every int8 network that a CPU without VNNI gets wrong: by its weights, else by its parameters."""
    if model.backend != "onnxruntime" or all(kind == "KIND_GPU" for kind, _ in model.instances):
        return
    stated = inexact_versions(model.config)
    for version in model.served:
        if found := saturating_products(model.version_file(version)):
            yield f"{version}/{model.model_file}", f"{len(found)} int8 products can saturate, {found[0]} for one"
        elif version in stated and not onnx_is_installed():
            yield f"{version}/{model.model_file}", "int8 with weights of 8 bits, as its parameters say"


@each_model_in
def _saturating(model: Model, repository: Repository) -> Iterator[RuleHit]:
    if repository.settings.vnni is False:
        for where, what in _inexact(model):
            yield model.hit("", what, file=where)


@each_model_in
def _bound_to_vnni(model: Model, repository: Repository) -> Iterator[RuleHit]:
    if repository.settings.vnni is not False:
        for where, what in _inexact(model):
            yield model.hit("", what, file=where)


RULES = (
    Rule(
        code="PRC001",
        severity="warning",
        title="precision by a builder flag",
        why="TensorRT 11 has no FP16, BF16 and INT8 flags any more: precision is what the graph says, and a model that "
        "relied on the flag runs in fp32, or not at all.",
        mend="Export the ONNX file itself in fp16 or bf16 (int8 with Q/DQ nodes), and leave precision_mode out.",
        check=_flag,
    ),
    Rule(
        code="PRC002",
        severity="error",
        title="a precision mode that does not exist",
        why="The model does not load.",
        mend='parameters { key: "precision_mode" value: "FP32" }',
        check=_unknown,
    ),
    Rule(
        code="PRC003",
        severity="warning",
        title="FP16 with LayerNorm in half precision",
        why="LayerNorm of BERT-family models overflows in fp16 (NVIDIA/TensorRT#2466, #3101, #4493): wrong vectors or "
        "NaN, without an error.",
        mend='parameters { key: "trt_layer_norm_fp32_fallback" value: "1" }',
        check=_layer_norm,
    ),
    Rule(
        code="PRC004",
        severity="error",
        title="int8 products that saturate on this CPU (--no-vnni)",
        why="x86 CPUs without VNNI add two uint8 x int8 products in 16 bits: a product that should be -1.398 came out "
        "as -0.278, and nothing says so.",
        mend="Export again with weights of 7 bits (--weight-bits 7, the default), or serve on a CPU with VNNI.",
        check=_saturating,
    ),
    Rule(
        code="PRC005",
        severity="note",
        title="int8 products that need VNNI",
        why="They are exact on x86 CPUs with VNNI and on Arm, and wrong on other x86 CPUs: another machine of the same "
        "fleet may answer otherwise.",
        mend="Weights of 7 bits (--weight-bits 7, the default) are exact everywhere.",
        check=_bound_to_vnni,
    ),
)
