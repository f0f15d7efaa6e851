"""From a model that was found to one that may be exported, with room for it.

ResolvedModel, precisions --entry: allowed? --> --room?--> weights/ (the model's own, or random ones)
--> Checkpoint
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua_exporter.models.exportable import Runtime, require_exportable, runtime_of
from interlingua_exporter.precision.precision_choice import require_allowed
from interlingua_exporter.weights import sources
from interlingua_exporter.weights.dummy import dummy_folder
from interlingua_exporter.weights.room_check import require_room_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlingua.served.kinds import Precision
    from interlingua_exporter.export_request import Weights
    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.models.export_needs import ExportPlan
    from interlingua_exporter.models.resolve import ResolvedModel
    from interlingua_exporter.weights.checkpoint_folder import Overrides


def runtime_for(model: ResolvedModel, weights: Weights = "real") -> Runtime:
    """What serves a model unless the user says otherwise: its entry's, else ONNX."""
    return runtime_of(model.entry) if model.entry and weights == "real" else "onnx"


def load_for(
    model: ResolvedModel,
    precisions: tuple[Precision, ...],
    overrides: Overrides,
    on_step: Callable[[str], None],
    weights: Weights = "real",
    runtime: Runtime = "onnx",
    plan: ExportPlan | None = None,
) -> Checkpoint:
    """The model, if it may be exported in all of these precisions: an entry is asked before its weights are fetched.

    Raises as `export`.

    Args:
        plan: what there has to be room for before anything is fetched or read; None where nobody looks.
    """
    if entry := model.entry:
        if weights == "real":
            require_exportable(entry, runtime)
        for precision in precisions:
            require_allowed(entry, precision)
    if plan is not None:
        require_room_for(model, plan, revision=overrides.revision)
    on_step(f"loading {model.name}" if weights == "real" else f"making {model.name} with random weights")
    load = sources.load if weights == "real" else dummy_folder.load
    checkpoint = load(model, overrides)
    require_exportable(checkpoint.spec, runtime)
    for precision in precisions:
        require_allowed(checkpoint.spec, precision)
    return checkpoint
