"""From what the user wrote to a loaded model.

MODEL: a folder | a catalogue name | a Hub id --> Checkpoint
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from exporter import catalog, hub
from exporter.checkpoint_folder import Overrides
from exporter.spec import ArchiveSource, ModelSpec
from interlingua.errors import InputError

if TYPE_CHECKING:
    from exporter.checkpoint import Checkpoint


def load(model: str, overrides: Overrides) -> Checkpoint:
    """The model.

    Raises:
        InputError: no such model anywhere, or one that cannot be read.
        ArchiveError: its archive cannot be had.
    """
    from exporter import archive_checkpoint, checkpoint_folder

    spec = catalog.find(model)
    if spec is not None:
        if not isinstance(spec.source, ArchiveSource):
            raise InputError(f"{spec.id}: the catalogue has no archive for it")
        if overrides != Overrides():
            raise InputError(f"{spec.id} is a catalogue model: its pooling, prompts and limits are not options")
        return archive_checkpoint.load(spec, spec.source)
    if Path(model).is_dir():
        return checkpoint_folder.load(Path(model), overrides=overrides)
    if hub.is_hub_id(model) and not model.startswith((".", "/", "~")):
        snapshot = hub.fetch(model, with_code=overrides.trust_remote_code)
        return checkpoint_folder.load(snapshot.folder, model_id=model, revision=snapshot.revision, overrides=overrides)
    raise InputError(f"{model!r} is no folder, no Hub id (organization/name), and not in the catalogue: {known()}")


def known() -> str:
    """The catalogue's models, for a message."""
    specs: list[ModelSpec] = [entry.spec for entry in catalog.read_catalog()]
    return ", ".join(spec.id for spec in specs)
