"""Takes away versions that nobody needs: out of the configurations, out of the servers, off the disk, in this order.

superseded, or named? -> not current, not previous, no index asks for it -> services, then network unloaded
-> folders deleted, with the index that was built beside for it; the number is never given again
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError, ServerError
from interlingua_client.index.index_root import find_index, folder_of, read_pointer
from interlingua_client.index.writer_lock import writer_lock

if TYPE_CHECKING:
    from interlingua_releases.deployment import Deployment, Say

_FILES_OF_AN_INDEX = ("documents.sqlite*", "vectors*")


@dataclass(frozen=True)
class Pruned:
    """What was taken away: numbers of versions, folders of indexes."""

    versions: tuple[int, ...]
    indexes: tuple[Path, ...]


def superseded(deployment: Deployment) -> tuple[int, ...]:
    """The versions older than the current one that no rollback goes to."""
    current, previous = deployment.served(), deployment.promotion.previous
    return tuple(number for number in deployment.versions if current and number < current and number != previous)


def prune(deployment: Deployment, versions: Sequence[int], roots: Sequence[Path], say: Say) -> Pruned:
    """Take versions away.

    Args:
        versions: numbers, or none for all that are superseded.
        roots: index directories that may have indexes for them.

    Raises:
        InputError: a version is in use, or not there.
        ServerError: a server does not let go of one; then nothing is deleted.
        IndexBusyError: somebody writes into an index of one.
    """
    wanted = tuple(sorted(set(versions))) or superseded(deployment)
    _require_there(deployment, wanted)
    _require_unused(deployment, wanted)
    with ExitStack() as held:
        folders = {folder: root for root in roots for n in wanted if (folder := _index(deployment, n, root))}
        for folder in folders:
            held.enter_context(writer_lock(folder))
        if wanted:
            say(f"unloading {', '.join(f'{deployment.family.network}/{number}' for number in wanted)}")
            _unload(deployment, wanted)
        for number in wanted:
            deployment.repository.remove(deployment.role, number)
        for folder, root in folders.items():
            _delete_index(folder, root)
    return Pruned(wanted, tuple(folders))


def _require_there(deployment: Deployment, wanted: Sequence[int]) -> None:
    there = {*deployment.versions, *deployment.repository.folders(deployment.role)}
    if missing := sorted(set(wanted) - there):
        raise InputError(
            f"{deployment.repository.root} has no version {', '.join(map(str, missing))} of "
            f"{deployment.family.network}; there are {', '.join(map(str, sorted(there))) or 'none'}"
        )


def _require_unused(deployment: Deployment, wanted: Sequence[int]) -> None:
    promotion = deployment.promotion
    uses = {
        promotion.previous: "the previous version: a rollback needs it",
        promotion.current: "current",
        deployment.served(): "current",
    }
    for number in wanted:
        if number in uses:
            raise InputError(f"version {number} of {deployment.family.network} is {uses[number]}. Nothing was pruned.")
    if wanted and not set(deployment.versions) - set(wanted):
        raise InputError(f"{deployment.family.network} would have no version left. Nothing was pruned.")


def _index(deployment: Deployment, number: int, root: Path) -> Path | None:
    """The folder of a version's index. Raises InputError: it is current, or what a rollback goes to."""
    digest = _digest(deployment, number)
    name = find_index(root, digest) if digest else None
    if name is None:
        return None
    pointer = read_pointer(root)
    if name in (pointer.current, pointer.previous):
        use = "current index" if name == pointer.current else "previous index, which a rollback needs,"
        raise InputError(
            f"the {use} in {root} is of version {number} of {deployment.family.network}: promote another one there "
            "first. Nothing was pruned."
        )
    return folder_of(root, name)


def _digest(deployment: Deployment, number: int) -> str | None:
    service = deployment.repository.read().model(deployment.family.services[0])
    try:
        return service.spec(number).digest if service else None
    except InputError:
        return None  # half of a publication; nobody can have indexed with it


def _unload(deployment: Deployment, wanted: Sequence[int]) -> None:
    """The services first: a service is never without its network."""
    repository, family = deployment.repository, deployment.family
    put_back = repository.way_back(deployment.role)
    deployment.pin_default()
    promotion = deployment.promotion
    pruned = replace(promotion, pruned=tuple(sorted({*promotion.pruned, *wanted})))

    deployment.note(pruned)  # first: even if this ends here, the numbers are not given again
    repository.drop(deployment.role, wanted)
    try:
        deployment.load((*family.services, family.network))
        _require_gone(deployment, wanted)
    except ServerError:
        put_back()
        deployment.take_back(family.models)
        raise


def _require_gone(deployment: Deployment, wanted: Sequence[int]) -> None:
    for server in deployment.servers:
        for number in wanted:
            for model in deployment.family.models:
                if server.is_ready(model, number):
                    raise ServerError(f"{server.address} still answers with {model}/{number}. Nothing was deleted.")


def _delete_index(folder: Path, root: Path) -> None:
    """All of it; the first index shares its folder with the others, and goes file by file."""
    if folder != root:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for pattern in _FILES_OF_AN_INDEX:
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
