"""All rules, by code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua_exporter.lint.rules import (
    accelerators,
    backends,
    batching,
    caching,
    config,
    ensembles,
    instances,
    launch,
    layout,
    memory,
    onnx_graph,
    precision,
    profiles,
    queues,
    services,
    tensors,
    versions,
    warmup,
)

if TYPE_CHECKING:
    from interlingua_exporter.lint.finding import Rule

SUBJECTS: dict[str, tuple[Rule, ...]] = {
    "Layout": layout.RULES,
    "Configuration": config.RULES,
    "Versions": versions.RULES,
    "Batching": batching.RULES,
    "Queues": queues.RULES,
    "Tensors": tensors.RULES,
    "ONNX": onnx_graph.RULES,
    "TensorRT": accelerators.RULES,
    "Optimization profiles": profiles.RULES,
    "Precision": precision.RULES,
    "Response cache": caching.RULES,
    "Instances": instances.RULES,
    "Ensembles": ensembles.RULES,
    "Services and calls": services.RULES,
    "Warm-up": warmup.RULES,
    "Memory": memory.RULES,
    "Backends (`--launch`)": backends.RULES,
    "Launch flags (`--launch`)": launch.RULES,
}

RULES: dict[str, Rule] = {rule.code: rule for rules in SUBJECTS.values() for rule in rules}
