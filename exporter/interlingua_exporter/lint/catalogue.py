"""All rules, by code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua_exporter.lint.rules import (
    accelerators,
    backends,
    caching,
    config,
    ensemble_tensors,
    ensembles,
    instances,
    launch,
    layout,
    memory,
    onnx_graph,
    onnx_tensors,
    precision,
    profiles,
    services,
    tensors,
    versions,
    warmup,
)
from interlingua_exporter.lint.rules.scheduling import batching, queues, ragged, sequences

if TYPE_CHECKING:
    from interlingua_exporter.lint.finding import Rule

SUBJECTS: dict[str, tuple[Rule, ...]] = {
    "Layout": layout.RULES,
    "Configuration": config.RULES,
    "Versions": versions.RULES,
    "Batching": batching.RULES,
    "Queues": queues.RULES,
    "Sequences": sequences.RULES,
    "Ragged batches": ragged.RULES,
    "Tensors": tensors.RULES,
    "ONNX": (*onnx_graph.RULES, *onnx_tensors.RULES),
    "TensorRT": accelerators.RULES,
    "Optimization profiles": profiles.RULES,
    "Precision": precision.RULES,
    "Response cache": caching.RULES,
    "Instances": instances.RULES,
    "Ensembles": (*ensembles.RULES, *ensemble_tensors.RULES),
    "Services and calls": services.RULES,
    "Warm-up": warmup.RULES,
    "Memory": memory.RULES,
    "Backends (`--launch`)": backends.RULES,
    "Launch flags (`--launch`)": launch.RULES,
}

RULES: dict[str, Rule] = {rule.code: rule for rules in SUBJECTS.values() for rule in rules}
