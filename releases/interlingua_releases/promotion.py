"""Promotion and its way back: the default version and the indexes switch together.

    publish -> parity through the server -> index there, same documents -> default in every server -> current.json

A client with an index asks the version that the index's manifest names, before and after; one that opens the index
anew gets the new pair. Between the last two steps both pairs are served, so no moment is wrong: a run that dies there
is finished by running it again.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_releases.index_pairs import IndexSwitch
from interlingua_releases.loading import publish
from interlingua_releases.parity import Parity, check_answers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua.repository.published import PublishedVersion
    from interlingua_releases.deployment import Deployment, Say


@dataclass(frozen=True)
class Promoted:
    """What is current now.

    Attributes:
        previous: the version that `rollback` goes back to; None where there was none.
        parity: None for a rollback, which does not measure again.
        differing: documents that the index now current lacks, or has with other content, summed over the indexes.
    """

    version: PublishedVersion
    previous: int | None
    indexes: tuple[Path, ...]
    parity: Parity | None
    differing: int = 0


def promote(deployment: Deployment, version: int | None, indexes: Sequence[Path], say: Say) -> Promoted:
    """Make a version the default, and the indexes built for it current.

    Args:
        version: None for the newest.
        indexes: index directories to switch; none for a reranker.

    Raises:
        InputError: no such version, or an index directory without an up-to-date index for it.
        ExportError: its files are not what was published, or it answers otherwise than they do.
        ServerError: no server runs, or one does not load the version.
        IndexBusyError: somebody writes into an index.
    """
    deployment.require_servers()
    found = deployment.find(version)
    switches = [IndexSwitch.to(root, found.spec.digest, found.version) for root in indexes]
    publish(deployment, found.version, say)
    say(f"comparing the answers of {found.name} through the server with its files")
    parity = check_answers(deployment.servers, found)
    with ExitStack() as held:
        for switch in switches:
            held.enter_context(switch.held())
            switch.require_same_documents(found.version)
        _switch(deployment, found.version, switches, say)
    return Promoted(found, deployment.promotion.previous, tuple(indexes), parity)


def rollback(deployment: Deployment, indexes: Sequence[Path], say: Say) -> Promoted:
    """Go back to the version and the indexes that were current before the last promotion.

    What was indexed since is missing there; it is counted, not refused: whoever goes back is in a hurry.

    Raises:
        InputError: nothing was promoted before, it was pruned, or an index directory has no index for it.
        ServerError, IndexBusyError: as `promote`.
    """
    deployment.require_servers()
    previous = deployment.promotion.previous
    if previous is None:
        raise InputError(f"there is no {deployment.role} before the current one in {deployment.repository.root}")
    found = deployment.find(previous)
    switches = [IndexSwitch.to(root, found.spec.digest, found.version) for root in indexes]
    if not deployment.is_ready(previous):
        publish(deployment, previous, say)
    with ExitStack() as held:
        for switch in switches:
            held.enter_context(switch.held())
        differing = sum(switch.differing for switch in switches)
        _switch(deployment, previous, switches, say)
    return Promoted(found, deployment.promotion.previous, tuple(indexes), None, differing)


def _switch(deployment: Deployment, version: int, switches: Sequence[IndexSwitch], say: Say) -> None:
    before = deployment.promotion
    if before.current != version:
        say(f"making version {version} the default")
        deployment.switch(replace(before, current=version, previous=before.current))
    for switch in switches:
        switch.make()
