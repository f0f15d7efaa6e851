"""Loads a model that is committed as what training changed in another one of the catalogue.

base (archive) --Checkpoint--> encoder.* + tokenizer --+
artefact/delta.safetensors --weight_delta.apply--------+--> LateInteractionReranker --> Checkpoint
artefact/interlingua.json  ----------------------------+
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.base.paths import packaged
from interlingua_exporter.models import catalog
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.models.spec import ArchiveSource
from interlingua_exporter.weights import weight_delta
from interlingua_exporter.weights.late_interaction.late_interaction_folder import assemble, checkpoint
from interlingua_exporter.weights.late_interaction.late_interaction_settings import is_late_interaction, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor, nn

    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.models.spec import DeltaSource, ModelSpec
    from interlingua_exporter.weights.late_interaction.late_interaction_settings import LateInteractionSettings

ENCODER = "encoder."  # what the encoder's tensors are called inside the reranker


def load(spec: ModelSpec, source: DeltaSource, root: Path | None = None) -> Checkpoint:
    """The model: its base with the artefact applied.

    Args:
        root: what `source.artefact` is relative to; None for the packages.

    Raises:
        ArchiveError: the base's archive cannot be had.
        InputError: the artefact is missing, damaged, or of another base; the message says which.
    """
    from interlingua_exporter.weights import archive_checkpoint

    folder = packaged(source.artefact, root)
    if not is_late_interaction(folder):
        raise InputError(f"{spec.id}: its artefact in {folder} is missing; `make reranker` makes it again")
    settings = read_settings(folder)
    _check_agrees(spec, source, settings, folder)
    delta = weight_delta.read(folder / catalog.DELTA_FILE)
    base_spec = resolve(source.base).entry
    if base_spec is None or not isinstance(base_spec.source, ArchiveSource):
        raise InputError(f"{spec.id}: its base {source.base!r} is no model of the catalogue's archives")
    base = archive_checkpoint.load(base_spec, base_spec.source)
    current = replace(spec, rerank_weight=settings.rerank_weight, revision=catalog.revision(spec, root))
    return apply(current, settings, base, delta)


def apply(
    spec: ModelSpec, settings: LateInteractionSettings, base: Checkpoint, delta: Mapping[str, Tensor]
) -> Checkpoint:
    """The reranker that a delta makes of an embedder; the base's encoder is taken over, not copied."""
    encoder: nn.Module = base.graph.encoder  # type: ignore[assignment]
    network = assemble(encoder, settings, weight_delta.apply(base_state(encoder), delta))
    return checkpoint(spec, network, settings, base.tokenizer_json)


def base_state(encoder: nn.Module) -> dict[str, Tensor]:
    """An encoder's weights by the names that they have inside the reranker."""
    return {ENCODER + name: tensor for name, tensor in encoder.state_dict().items()}


def _check_agrees(spec: ModelSpec, source: DeltaSource, settings: LateInteractionSettings, folder: Path) -> None:
    stated = {"model_id": settings.model_id, "base": settings.base, "max_tokens": settings.max_tokens}
    wanted = {"model_id": spec.id, "base": source.base, "max_tokens": spec.max_tokens}
    faults = [f"{name} {stated[name]!r} instead of {wanted[name]!r}" for name in wanted if stated[name] != wanted[name]]
    if faults:
        raise InputError(f"{folder}: not the artefact that the catalogue names: {'; '.join(faults)}")
