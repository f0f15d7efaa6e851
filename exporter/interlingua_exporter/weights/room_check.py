"""Whether there is room for a model's export, before anything of it is fetched or read.

ResolvedModel --known_size: entry, folder's headers, the Hub's listing--> StoredWeights --require_room--> InputError
"""

from __future__ import annotations

import errno
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua.base.errors import ExportError
from interlingua_exporter.models.export_needs import require_room
from interlingua_exporter.models.spec import FolderSource
from interlingua_exporter.models.stored_weights import StoredWeights, of_entry, of_folder
from interlingua_exporter.models.this_machine import Machine
from interlingua_exporter.weights import hub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.models.export_needs import ExportPlan
    from interlingua_exporter.models.resolve import ResolvedModel

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def require_room_for(model: ResolvedModel, plan: ExportPlan, *, revision: str | None = None) -> None:
    """Raises InputError: memory or disk are too small for a model, or the Hub cannot be asked how large it is.

    Args:
        revision: of a Hub id that is not in the catalogue.
    """
    require_room(model.name, known_size(model, revision, dummy=plan.dummy), plan, Machine.here())


def known_size(model: ResolvedModel, revision: str | None, *, dummy: bool = False) -> StoredWeights | None:
    """What is known of the weights; None where nothing is.

    Args:
        dummy: whether they are made up from the entry's shape, whatever lies in its folder.
    """
    if spec := model.entry:
        stated = of_entry(spec)
        found = of_folder(spec.source.path) if isinstance(spec.source, FolderSource) and not dummy else None
        return replace(found, activations=stated.activations) if found and stated else found or stated
    if model.folder is not None:
        return of_folder(model.folder)
    return None if dummy else hub.published_weights(model.name, revision=revision, hint=model.hint)


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
