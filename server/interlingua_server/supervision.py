"""Keeps an embedded server answering until it is told to stop; the rules are interlingua/served/watch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.base.errors import ServerError
from interlingua.served.watch.restarts import RestartLimits, TritonProcessError
from interlingua.served.watch.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlingua_server.embedded import EmbeddedServer


def supervise(server: EmbeddedServer, say: Callable[[str], None], limits: RestartLimits | None = None) -> None:
    """Watch a server that runs; never returns by itself. `say` is told each restart, in a line.

    Raises:
        ServerError: too many restarts, or a server that does not start again.
    """
    try:
        Watcher(server, say, limits, counts=server.restart_counts).run()
    except TritonProcessError as fault:
        raise ServerError(str(fault)) from fault
