"""From a model that was found to its weights.

ResolvedModel: a folder | a catalogue entry | a Hub id --> Checkpoint
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_exporter.models.spec import ArchiveSource, DeltaSource, FolderSource, HubSource, ModelSpec
from interlingua_exporter.texts.text_frame import with_task
from interlingua_exporter.weights import hub
from interlingua_exporter.weights.checkpoint_folder import Overrides
from interlingua_exporter.weights.late_interaction.late_interaction_settings import is_late_interaction
from interlingua_exporter.weights.own_code import require_pinned

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.models.resolve import ResolvedModel


def load(model: ResolvedModel, overrides: Overrides) -> Checkpoint:
    """The model.

    Raises:
        InputError: it cannot be had, or cannot be read.
        ArchiveError: its archive cannot be had.
    """
    from interlingua_exporter.weights import catalogued_folder

    spec = model.entry
    if overrides.task is not None:
        if spec is None:
            raise InputError(f"--task {overrides.task}: {model.name} is not in the catalogue, which names tasks")
        spec, overrides = with_task(spec, overrides.task), replace(overrides, task=None)
    if spec is not None and isinstance(spec.source, HubSource | FolderSource):
        return catalogued_folder.load(spec, overrides)
    if spec is not None:
        if overrides != Overrides():
            raise InputError(f"{spec.id} is a catalogue model: its pooling, prompts and limits are not options")
        return _from_catalogue(spec)
    return _from_hub(model, overrides) if model.folder is None else _from_folder(model.folder, overrides)


def _from_folder(folder: Path, overrides: Overrides) -> Checkpoint:
    from interlingua_exporter.weights import checkpoint_folder

    if is_late_interaction(folder):
        return _from_late_interaction(folder, overrides)
    if overrides.revision is not None:
        raise InputError(f"--revision {overrides.revision}: {folder} is a folder, which has no revisions")
    return checkpoint_folder.load(folder, overrides=overrides)


def _from_hub(model: ResolvedModel, overrides: Overrides) -> Checkpoint:
    from interlingua_exporter.weights import checkpoint_folder

    name, revision, with_code = model.name, overrides.revision, overrides.trust_remote_code
    if with_code:
        require_pinned(name, revision)
    snapshot = hub.fetch(name, revision=revision, with_code=with_code, hint=model.hint)
    return checkpoint_folder.load(snapshot.folder, model_id=name, revision=snapshot.revision, overrides=overrides)


def _from_catalogue(spec: ModelSpec) -> Checkpoint:
    from interlingua_exporter.weights import archive_checkpoint, delta_checkpoint

    match spec.source:
        case ArchiveSource():
            return archive_checkpoint.load(spec, spec.source)
        case DeltaSource():
            return delta_checkpoint.load(spec, spec.source)
        case _:
            raise InputError(f"{spec.id}: the catalogue has neither an archive nor an artefact for it")


def _from_late_interaction(folder: Path, overrides: Overrides) -> Checkpoint:
    from interlingua_exporter.weights.late_interaction import late_interaction_folder

    if replace(overrides, max_tokens=None, trust_remote_code=False) != Overrides():
        raise InputError(f"{folder} is a late-interaction reranker: it has no pooling and no prompts")
    return late_interaction_folder.load(folder, max_tokens=overrides.max_tokens)
