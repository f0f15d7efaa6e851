"""From what the user wrote to a loaded model.

MODEL: a folder | a catalogue name | a Hub id --> Checkpoint
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_exporter.models import catalog
from interlingua_exporter.models.spec import ArchiveSource, DeltaSource, FolderSource, HubSource, ModelSpec
from interlingua_exporter.texts.text_frame import with_task
from interlingua_exporter.weights import hub
from interlingua_exporter.weights.checkpoint_folder import Overrides
from interlingua_exporter.weights.late_interaction_settings import is_late_interaction
from interlingua_exporter.weights.own_code import require_pinned

if TYPE_CHECKING:
    from interlingua_exporter.graphs.checkpoint import Checkpoint


def load(model: str, overrides: Overrides, catalogue: Path | None = None) -> Checkpoint:
    """The model.

    Args:
        catalogue: a file of the user's own entries, in place of the usual one.

    Raises:
        InputError: no such model anywhere, or one that cannot be read.
        ArchiveError: its archive cannot be had.
    """
    from interlingua_exporter.weights import catalogued_folder, checkpoint_folder

    known = catalog.entries(catalogue)
    spec = catalog.find(model, known)
    if overrides.task is not None:
        if spec is None:
            raise InputError(f"--task {overrides.task}: {model} is not in the catalogue, which names tasks")
        spec, overrides = with_task(spec, overrides.task), replace(overrides, task=None)
    if spec is not None and isinstance(spec.source, HubSource | FolderSource):
        return catalogued_folder.load(spec, overrides)
    if spec is not None:
        if overrides != Overrides():
            raise InputError(f"{spec.id} is a catalogue model: its pooling, prompts and limits are not options")
        return _from_catalogue(spec)
    if is_late_interaction(Path(model)):
        return _from_late_interaction(Path(model), overrides)
    if Path(model).is_dir():
        if overrides.revision is not None:
            raise InputError(f"--revision {overrides.revision}: {model} is a folder, which has no revisions")
        return checkpoint_folder.load(Path(model), overrides=overrides)
    if hub.is_hub_id(model) and not model.startswith((".", "/", "~")):
        if overrides.trust_remote_code:
            require_pinned(model, overrides.revision)
        snapshot = hub.fetch(model, revision=overrides.revision, with_code=overrides.trust_remote_code)
        return checkpoint_folder.load(snapshot.folder, model_id=model, revision=snapshot.revision, overrides=overrides)
    if Path(model).is_file():
        raise InputError(f"{model} is a file: give the folder that holds config.json, the weights and the tokenizer")
    raise InputError(
        f"{model!r} is no folder, no Hub id (organization/name), and not in the catalogue. "
        f"{catalog.suggestion(model, known)}"
    )


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
    from interlingua_exporter.weights import late_interaction_folder

    if replace(overrides, max_tokens=None, trust_remote_code=False) != Overrides():
        raise InputError(f"{folder} is a late-interaction reranker: it has no pooling and no prompts")
    return late_interaction_folder.load(folder, max_tokens=overrides.max_tokens)
