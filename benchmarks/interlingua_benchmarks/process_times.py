"""CPU time of a server's processes, by what they run: what other work on the machine disturbs less than wall time."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from interlingua.served.watch.progress import cpu_seconds_of

if TYPE_CHECKING:
    from interlingua_server.embedded import EmbeddedServer

SERVER = "tritonserver"


def cpu_seconds(server: EmbeddedServer) -> dict[str, float]:
    """So far, of the processes that run now: model, or tritonserver, to seconds."""
    pids: dict[str, list[int]] = defaultdict(list)
    for stub in server.stubs():
        pids[stub.model].append(stub.pid)
    return {name: cpu_seconds_of(found) for name, found in ({SERVER: [server.pid]} | pids).items()}
