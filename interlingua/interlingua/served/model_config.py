"""A configuration as Triton hands it to a Python model: JSON, as far as our backends read it.

args["model_config"] --json.loads--> TritonConfig --parameters_of--> {key: value}
"""

from __future__ import annotations

from typing import TypedDict


class Tensor(TypedDict):
    """An input or an output; Triton writes numbers as text."""

    name: str
    dims: list[str]


class Parameter(TypedDict):
    """The value of a parameter."""

    string_value: str


class Accelerator(TypedDict, total=False):
    """An execution accelerator and its parameters."""

    name: str
    parameters: dict[str, str]


class Accelerators(TypedDict, total=False):
    """What may run a network in place of its engine."""

    gpu_execution_accelerator: list[Accelerator]


class GraphLevel(TypedDict, total=False):
    """How far an engine optimizes a graph."""

    level: int


class Optimization(TypedDict, total=False):
    """The section of that name."""

    graph: GraphLevel
    execution_accelerators: Accelerators


class TritonConfig(TypedDict, total=False):
    """A whole config.pbtxt."""

    max_batch_size: int
    default_model_filename: str
    input: list[Tensor]
    output: list[Tensor]
    parameters: dict[str, Parameter]
    optimization: Optimization


def parameters_of(config: TritonConfig) -> dict[str, str]:
    """The parameters as plain strings."""
    return {key: value["string_value"] for key, value in config.get("parameters", {}).items()}


def names_of(tensors: list[Tensor]) -> list[str]:
    """The names of inputs or outputs, in order."""
    return [tensor["name"] for tensor in tensors]
