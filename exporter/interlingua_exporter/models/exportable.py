"""What the exporter can turn into a graph, or leave to torch, today, and how that is known of a model.

ModelSpec --obstacles--> reasons --require_exportable--> nothing, or ExportError;  ModelSpec --status--> a word for it
ModelSpec --runtime_of--> onnx or torch
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from interlingua.base.errors import ExportError
from interlingua_exporter.models.spec import FolderSource, Head, HubSource, ModelSpec, Pooling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.models.model_facts import Run

Status = Literal["exported", "dummy run", "class tested", "not tried", "not exported"]
Runtime = Literal["onnx", "torch"]

# What interlingua_exporter/graphs/graph.py builds; whoever adds to it adds here.
BUILT_POOLINGS: tuple[Pooling, ...] = ("mean", "cls", "last", "none")
BUILT_HEADS: tuple[Head, ...] = ("none", "classifier", "late-interaction", "class-difference", "yes-no", "yes")
# Classes of which tests/exporter exports a tiny model through the gate; test_architecture_classes.py keeps the list.
TESTED_CLASSES = (
    "BertModel",
    "BertForMaskedLM",
    "BertForSequenceClassification",
    "Gemma3TextModel",
    "GemmaForCausalLM",
    "Qwen3ForCausalLM",
    "Qwen3ForSequenceClassification",
    "Qwen3Model",
    "XLMRobertaModel",
    "XLMRobertaForSequenceClassification",
)

_TORCH_ALONE = "goes by --runtime torch alone"
_UNBUILT = "is not built yet"


def runtime_of(spec: ModelSpec) -> Runtime:
    """What an entry is served by unless the user says otherwise."""
    return "torch" if any(_torch_alone(spec)) else "onnx"


def obstacles(spec: ModelSpec, runtime: Runtime | None = None) -> tuple[str, ...]:
    """Why the model cannot be exported as it is meant to be; empty where nothing is known against it.

    Args:
        runtime: that serves it; None for the entry's own.
    """
    runtime = runtime or runtime_of(spec)
    found = [f"{what} {_TORCH_ALONE}" for what in _torch_alone(spec)] if runtime == "onnx" else []
    if runtime == "torch" and not isinstance(spec.source, HubSource | FolderSource):
        found.append("--runtime torch needs a folder in transformers layout, and its weights are in an archive")
    if spec.obstacle:
        found.append(spec.obstacle)
    if spec.pooling not in BUILT_POOLINGS:
        found.append(f"pooling by the {spec.pooling} token {_UNBUILT}")
    if spec.head not in BUILT_HEADS:
        found.append(f"the head {spec.head} {_UNBUILT}")
    return tuple(found)


def _torch_alone(spec: ModelSpec) -> Iterator[str]:
    """What no ONNX export was ever seen to get right; a folder of the user's own is for the gate to judge."""
    if spec.remote_code and not isinstance(spec.source, FolderSource):
        yield "code of the model's own"
    if spec.network and spec.network.active_parameters:
        yield "a mixture of experts"


def require_exportable(spec: ModelSpec, runtime: Runtime | None = None) -> None:
    """Raises ExportError naming everything that stands against an export; nothing is exported half."""
    if found := obstacles(spec, runtime):
        raise ExportError(
            f"{spec.id} cannot be exported yet: {'; '.join(found)}. `interlingua models --run-here` lists what can."
        )


def status(spec: ModelSpec) -> Status:
    """`exported` with its own weights; `dummy run` with random ones in its shape; `class tested` on a tiny model;
    `not tried`; `not exported`: it cannot be.
    """
    if spec.ran:
        return "exported" if any(run.weights == "own" for run in spec.ran) else "dummy run"
    if obstacles(spec):
        return "not exported"
    # A model with code of its own may bear the name of a class that it changes.
    known = spec.network is not None and not spec.remote_code and spec.network.architecture in TESTED_CLASSES
    return "class tested" if known else "not tried"


def explain(spec: ModelSpec) -> str:
    """The status in a sentence."""
    match status(spec):
        case "exported" | "dummy run":
            return " ".join(_ran(run) for run in spec.ran)
        case "class tested":
            return (
                f"Not run with its own weights. A tiny random {spec.network.architecture if spec.network else 'model'} "
                "goes through export and gate in the tests."
            )
        case "not tried":
            served = " It is served by torch itself (--runtime torch)." if runtime_of(spec) == "torch" else ""
            code = " Its own Python code has to be read and allowed: --trust-remote-code." if spec.remote_code else ""
            return f"Not run, and no model of its class is in the tests; the gate would tell.{served}{code}"
        case _:
            return f"Cannot be exported yet: {'; '.join(obstacles(spec))}."


def _ran(run: Run) -> str:
    weights = "its own weights" if run.weights == "own" else "random weights in its true shape (a dummy)"
    device = "a GPU" if run.on == "gpu" else "a CPU"
    done = "exported, gated and served" if run.served else "exported and gated, not served"
    more = f" ({run.how})" if run.how else ""
    at = f"; figures: {run.at}" if run.at else ""
    return f"Run here with {weights}{more}: {', '.join(run.precisions)} {done}, on {device}{at}."
