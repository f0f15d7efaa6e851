"""Whether there is room for a model's export, before anything of it is fetched or read.

MODEL --known_size: entry | folder's headers | the Hub's listing--> StoredWeights --require_room--> InputError or not
"""

from __future__ import annotations

import errno
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import ExportError
from interlingua_exporter.models import catalog
from interlingua_exporter.models.export_needs import require_room
from interlingua_exporter.models.spec import FolderSource
from interlingua_exporter.models.stored_weights import StoredWeights, of_entry, of_folder
from interlingua_exporter.models.this_machine import Machine
from interlingua_exporter.weights import hub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.models.export_needs import ExportPlan

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def require_room_for(
    model: str, plan: ExportPlan, *, revision: str | None = None, catalogue: Path | None = None
) -> None:
    """Raises InputError: memory or disk are too small for a model, or the Hub cannot be asked how large it is.

    Args:
        model: a folder, a catalogue name or a Hub id; what is none of these passes.
        revision: of a Hub id that is not in the catalogue.
        catalogue: a file of the user's own entries, in place of the usual one.
    """
    require_room(model, known_size(model, revision, catalogue, dummy=plan.dummy), plan, Machine.here())


def known_size(
    model: str, revision: str | None, catalogue: Path | None, *, dummy: bool = False
) -> StoredWeights | None:
    """What is known of the weights; None where nothing is.

    Args:
        dummy: whether they are made up from the entry's shape, whatever lies in its folder.
    """
    if spec := catalog.find(model, catalog.entries(catalogue)):
        stated = of_entry(spec)
        found = of_folder(spec.source.path) if isinstance(spec.source, FolderSource) and not dummy else None
        return replace(found, activations=stated.activations) if found and stated else found or stated
    if Path(model).is_dir():
        return of_folder(Path(model))
    if hub.is_hub_id(model) and not dummy:
        return hub.published_weights(model, revision=revision)
    return None


@contextmanager
def exhaustion_told() -> Iterator[None]:
    """Turns a disk that is full, or memory that ran out, in the middle of an export into an ExportError."""
    try:
        yield
    except MemoryError as error:
        raise ExportError("memory ran out, and nothing was published: end other programs") from error
    except OSError as error:
        if error.errno not in _FULL:
            raise
        where = f" at {error.filename}" if error.filename else ""
        raise ExportError(
            f"the disk is full{where} ({error.strerror}), and nothing was published: make room, or move the work with "
            "--model-repository and TMPDIR"
        ) from error
