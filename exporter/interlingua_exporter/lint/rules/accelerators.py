"""Execution accelerators: TensorRT under ONNX Runtime, and TensorRT plans.

Names and values are those of tis/onnxruntime_backend README.md and src/onnxruntime.cc.
"""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING

from interlingua_exporter.lint import disk
from interlingua_exporter.lint.finding import Rule, RuleHit, each_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from interlingua_exporter.lint.model import Model
    from interlingua_exporter.lint.repository import Repository

FIELD = "optimization.execution_accelerators.gpu_execution_accelerator"
PARAMETERS = f"{FIELD}.parameters"
_KNOWN = {"gpu": ("tensorrt", "cuda"), "cpu": ("openvino",)}
_OPTION_NAMES = """
precision_mode max_workspace_size_bytes int8_calibration_table_name int8_use_native_calibration_table
trt_max_partition_iterations trt_min_subgraph_size trt_dla_enable trt_dla_core trt_engine_cache_enable
trt_engine_cache_path trt_engine_cache_prefix trt_dump_subgraphs trt_force_sequential_engine_build
trt_context_memory_sharing_enable trt_layer_norm_fp32_fallback trt_timing_cache_enable trt_timing_cache_path
trt_force_timing_cache trt_detailed_build_log trt_build_heuristics_enable trt_sparsity_enable
trt_builder_optimization_level trt_auxiliary_streams trt_tactic_sources trt_extra_plugin_lib_paths
trt_profile_min_shapes trt_profile_max_shapes trt_profile_opt_shapes trt_cuda_graph_enable
trt_dump_ep_context_model trt_ep_context_file_path trt_ep_context_embed_mode
"""
_OPTIONS = frozenset(_OPTION_NAMES.split())


def tensorrt(model: Model) -> dict[str, str] | None:
    """The parameters of the TensorRT accelerator; None where the model has none."""
    if model.backend != "onnxruntime":
        return None
    accelerators = model.config.optimization.execution_accelerators.gpu_execution_accelerator
    return next((dict(entry.parameters) for entry in accelerators if entry.name == "tensorrt"), None)


def is_on(parameters: Mapping[str, str], name: str) -> bool:
    return parameters.get(name, "").lower() in ("1", "true")


@each_model
def _unknown(model: Model) -> Iterator[RuleHit]:
    if model.backend != "onnxruntime":
        return
    accelerators = model.config.optimization.execution_accelerators
    for kind, known in _KNOWN.items():
        field = f"{kind}_execution_accelerator"
        for entry in getattr(accelerators, field):
            if entry.name not in known:
                what = f"{entry.name!r} is none of {', '.join(known)}"
                yield model.hit(f"optimization.execution_accelerators.{field}", what)


@each_model
def _unknown_option(model: Model) -> Iterator[RuleHit]:
    unknown = sorted(set(tensorrt(model) or {}) - _OPTIONS)
    if unknown:
        yield model.hit(PARAMETERS, f"there is no {', '.join(unknown)}")


@each_model
def _on_cpu(model: Model) -> Iterator[RuleHit]:
    accelerators = model.config.optimization.execution_accelerators.gpu_execution_accelerator
    if accelerators and not model.gpu_possible:
        yield model.hit(FIELD, "no instance group is placed on a GPU")


@each_model
def _no_cache(model: Model) -> Iterator[RuleHit]:
    parameters = tensorrt(model)
    if parameters is not None and not is_on(parameters, "trt_engine_cache_enable"):
        yield model.hit(PARAMETERS, "trt_engine_cache_enable is not on")


@each_model
def _relative_cache(model: Model) -> Iterator[RuleHit]:
    parameters = tensorrt(model) or {}
    path = parameters.get("trt_engine_cache_path", "")
    if is_on(parameters, "trt_engine_cache_enable") and not path.startswith("/"):
        yield model.hit(PARAMETERS, f"trt_engine_cache_path is {path!r}")


def _shared_cache(repository: Repository) -> Iterator[RuleHit]:
    users: dict[tuple[str, str], list[Model]] = defaultdict(list)
    for model in repository.configured:
        parameters = tensorrt(model) or {}
        if is_on(parameters, "trt_engine_cache_enable"):
            path = os.path.normpath(parameters.get("trt_engine_cache_path", ""))
            users[path, parameters.get("trt_engine_cache_prefix", "")].append(model)
    for (path, prefix), models in users.items():
        for model in models if len(models) > 1 else ():
            others = ", ".join(other.name for other in models if other is not model)
            mend = f'parameters {{ key: "trt_engine_cache_prefix" value: "{model.name}" }}'
            what = f"{others} has the same cache path {path!r} and prefix {prefix!r}"
            yield model.hit(PARAMETERS, what, mend)


@each_model
def _first_profile(model: Model) -> Iterator[RuleHit]:
    if model.backend == "tensorrt" and not any(group.profile for group in model.config.instance_group):
        yield model.hit("instance_group.profile", "it is left out: only the plan's first profile is used")


@each_model
def _plan(model: Model) -> Iterator[RuleHit]:
    if model.backend == "tensorrt":
        for version in model.served:
            path = model.version_file(version)
            if disk.is_file(path):
                size = f"{disk.size(path) / 1e6:.1f} MB"
                yield model.hit("", f"a plan of {size}", file=f"{version}/{path.name}")


RULES = (
    Rule(
        code="TRT001",
        severity="error",
        title="an accelerator that ONNX Runtime's backend does not know",
        why="The model does not load (on a GPU).",
        mend='name: "tensorrt"',
        check=_unknown,
    ),
    Rule(
        code="TRT002",
        severity="error",
        title="an option that TensorRT's accelerator does not have",
        why="The model does not load: unknown parameters are refused here, unlike those of the model.",
        mend="The names are in the README of triton-inference-server/onnxruntime_backend.",
        check=_unknown_option,
    ),
    Rule(
        code="TRT003",
        severity="warning",
        title="a GPU accelerator without a GPU instance",
        why="The model runs on the CPU, and the accelerator is never used.",
        mend="instance_group { kind: KIND_GPU count: 1 }",
        check=_on_cpu,
    ),
    Rule(
        code="TRT004",
        severity="warning",
        title="TensorRT without an engine cache",
        why="Every start of the server builds every engine again, minutes for a transformer.",
        mend='parameters { key: "trt_engine_cache_enable" value: "1" } with a trt_engine_cache_path and a '
        "trt_engine_cache_prefix of the model's own",
        check=_no_cache,
    ),
    Rule(
        code="TRT005",
        severity="note",
        title="an engine cache in the server's working directory",
        why="In a container it is gone with the container, and another working directory starts an empty one.",
        mend='parameters { key: "trt_engine_cache_path" value: "/var/cache/trt/<model>" } on a volume that stays',
        check=_relative_cache,
    ),
    Rule(
        code="TRT006",
        severity="warning",
        title="models that share an engine cache without a prefix of their own",
        why="Two exports with the same graph name can take each other's engine (microsoft/onnxruntime#32254): a load "
        "that fails, or the other model's answers.",
        mend="One trt_engine_cache_path, or one trt_engine_cache_prefix, per model.",
        check=_shared_cache,
    ),
    Rule(
        code="TRT007",
        severity="note",
        title="a plan with its first profile only",
        why="Where the plan has several, the others are never used, and shapes beyond the first are refused.",
        mend='instance_group { kind: KIND_GPU profile: ["0", "1"] }',
        check=_first_profile,
    ),
    Rule(
        code="TRT008",
        severity="note",
        title="a TensorRT plan",
        why="It loads with the very TensorRT version and GPU architecture that it was built with, and with no other.",
        mend="Build it inside the serving container, on the serving GPU.",
        check=_plan,
    ),
)
