"""What the exporter can turn into a graph today, and how that is known of a model.

ModelSpec --obstacles--> reasons --require_exportable--> nothing, or ExportError;  ModelSpec --status--> a word for it
"""

from __future__ import annotations

from typing import Literal

from exporter.models.spec import FolderSource, Head, ModelSpec, Pooling
from interlingua.errors import ExportError

Status = Literal["exported", "class tested", "not tried", "not exported"]

# What exporter/graphs/graph.py builds; whoever adds to it adds here.
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

_BACKEND = "needs the torch backend, which is not built yet"
_UNBUILT = "is not built yet"


def obstacles(spec: ModelSpec) -> tuple[str, ...]:
    """Why the model cannot be exported as it is meant to be; empty where nothing is known against it."""
    found = []
    if spec.remote_code and not isinstance(spec.source, FolderSource):
        found.append(f"code of the model's own {_BACKEND}")
    if spec.network and spec.network.active_parameters:
        found.append(f"a mixture of experts {_BACKEND}")
    if spec.pooling not in BUILT_POOLINGS:
        found.append(f"pooling by the {spec.pooling} token {_UNBUILT}")
    if spec.head not in BUILT_HEADS:
        found.append(f"the head {spec.head} {_UNBUILT}")
    return tuple(found)


def require_exportable(spec: ModelSpec) -> None:
    """Raises ExportError naming everything that stands against an export; nothing is exported half."""
    if found := obstacles(spec):
        raise ExportError(
            f"{spec.id} cannot be exported yet: {'; '.join(found)}. `interlingua models --run-here` lists what can."
        )


def status(spec: ModelSpec) -> Status:
    """`exported` with its own weights; `class tested` on a tiny model; `not tried`; `not exported`: it cannot be."""
    if spec.ran:
        return "exported"
    if obstacles(spec):
        return "not exported"
    return "class tested" if spec.network and spec.network.architecture in TESTED_CLASSES else "not tried"


def explain(spec: ModelSpec) -> str:
    """The status in a sentence."""
    match status(spec):
        case "exported":
            return f"Exported, gated and served with its own weights: {spec.ran}."
        case "class tested":
            return (
                f"Not run with its own weights. A tiny random {spec.network.architecture if spec.network else 'model'} "
                "goes through export and gate in the tests."
            )
        case "not tried":
            return "Not run, and no model of its class is in the tests; the gate would tell."
        case _:
            return f"Cannot be exported yet: {'; '.join(obstacles(spec))}."
