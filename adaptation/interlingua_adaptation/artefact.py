"""A checkpoint as an artefact: what training changed in a catalogue model, small enough to commit.

checkpoint folder - its base --weight_delta.extract--> delta.safetensors, interlingua.json
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from interlingua.base.errors import InputError
from interlingua_adaptation.training import trainee
from interlingua_exporter.models.catalog import DELTA_FILE
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.weights import sources, weight_delta
from interlingua_exporter.weights.checkpoint_folder import Overrides
from interlingua_exporter.weights.delta_checkpoint import base_state
from interlingua_exporter.weights.late_interaction.late_interaction_settings import write_settings


def write_artefact(
    checkpoint: Path, target: Path, *, rank: int, model_id: str, rerank_weight: float, licence: str
) -> int:
    """Write the artefact; its size in bytes.

    Args:
        rank: of the differences that are kept; the more, the nearer to the checkpoint and the larger.
        model_id: the catalogue's name for it.
        rerank_weight: chosen on development queries; what the client mixes with by default.
        licence: of the weights, as the model card explains it.

    Raises:
        InputError: not a checkpoint folder, or one whose base the catalogue does not have.
    """
    tuned = trainee.read(checkpoint)
    if not tuned.settings.base:
        raise InputError(f"{checkpoint} states no base in the catalogue: only the whole folder can be kept")
    base = sources.load(resolve(tuned.settings.base), Overrides())
    delta = weight_delta.extract(base_state(base.graph.encoder), tuned.network.state_dict(), rank=rank)  # type: ignore[arg-type]
    target.mkdir(parents=True, exist_ok=True)
    weight_delta.write(delta, target / DELTA_FILE)
    write_settings(replace(tuned.settings, model_id=model_id, rerank_weight=rerank_weight, licence=licence), target)
    return (target / DELTA_FILE).stat().st_size
