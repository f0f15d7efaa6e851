"""A configuration as Triton hands it to a Python model: JSON, as far as our backends read it.

args["model_config"] --json.loads--> TritonConfig --parameters_of--> {key: value}
"""

from __future__ import annotations

from typing import TypedDict


class _Named(TypedDict):
    name: str


class _Tensor(_Named, total=False):
    dims: list[str]  # Triton writes numbers as text
    allow_ragged_batch: bool


class _Parameter(TypedDict):
    string_value: str


class _Accelerator(TypedDict, total=False):
    name: str
    parameters: dict[str, str]


class _Accelerators(TypedDict, total=False):
    gpu_execution_accelerator: list[_Accelerator]


class _Graph(TypedDict, total=False):
    level: int


class _Optimization(TypedDict, total=False):
    graph: _Graph
    execution_accelerators: _Accelerators


class _Group(TypedDict, total=False):
    count: int


class TritonConfig(TypedDict, total=False):
    """A whole config.pbtxt."""

    max_batch_size: int
    default_model_filename: str
    input: list[_Tensor]
    output: list[_Tensor]
    parameters: dict[str, _Parameter]
    instance_group: list[_Group]
    optimization: _Optimization
    sequence_batching: dict[str, object]
    batch_input: list[object]
    batch_output: list[object]


def parameters_of(config: TritonConfig) -> dict[str, str]:
    """The parameters as plain strings."""
    return {key: value["string_value"] for key, value in config.get("parameters", {}).items()}


def instances_of(config: TritonConfig) -> int:
    """Instances of the model, at least one."""
    return max(sum(group.get("count", 1) for group in config.get("instance_group", [])), 1)


def names_of(tensors: list[_Tensor]) -> list[str]:
    """The names of inputs or outputs, in order."""
    return [tensor["name"] for tensor in tensors]


def beyond_ours(config: TritonConfig) -> list[str]:
    """Fields that ask for tensors which our ONNX Runtime backend does not make, and NVIDIA's does."""
    sequence = config.get("sequence_batching", {})
    found = [f"sequence_batching.{field}" for field in ("control_input", "state") if sequence.get(field)]
    found += [field for field in ("batch_input", "batch_output") if config.get(field)]
    ragged = any(tensor.get("allow_ragged_batch") for tensor in config.get("input", []))
    return [*found, "input.allow_ragged_batch"] if ragged else found
