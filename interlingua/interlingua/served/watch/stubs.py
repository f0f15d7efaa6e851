"""The processes that a running Triton keeps for its Python backends, a stub an instance of a model.

    /proc/*/cmdline --stubs_of--> Stub (process, model, instance, shared memory)
    /proc/*/stat --unnamed_zombies--> which of a server's processes ended unasked

Triton 24.10 takes no notice of a stub that ends, and starts none again: it stays a zombie, and its instance fails every
request that it is given. A stub that loses its Triton while it starts goes on for ever, unless it asks for its parent.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.served.watch.stat import PROC, ZOMBIE, processes

if TYPE_CHECKING:
    from collections.abc import Iterable

_STUB = "triton_python_backend_stub"
_MODEL_FILE, _REGION, _PARENT, _INSTANCE = 1, 2, 5, 8  # its arguments
_LOOK_S = 1.0


@dataclass(frozen=True, order=True)
class Stub:
    """One process.

    Attributes:
        instance: of the model, as Triton's log names it: embedder_0_0.
        region: the file of its shared memory, in /dev/shm.
        server: the tritonserver that it states as its parent.
    """

    pid: int
    model: str
    instance: str
    region: str
    server: int = 0


def stubs_of(server: int) -> list[Stub]:
    """The stubs that run for a tritonserver process, in the order in which they were started."""
    pids = (int(path.name) for path in PROC.glob("[0-9]*"))
    return sorted(stub for pid in pids if (stub := stub_of(pid)) and stub.server == server)


def stub_of(pid: int) -> Stub | None:
    """What a process runs, if it is a stub; nothing of one that has ended."""
    stated = _stated(pid)
    if len(stated) <= _INSTANCE:
        return None
    path = stated[_MODEL_FILE].split("/")  # REPOSITORY/<model>/<version>/<file>
    if len(path) < 3:  # read while the process was being ended, and its memory taken apart
        return None
    return Stub(pid, path[-3], stated[_INSTANCE], stated[_REGION].removeprefix("/"), int(stated[_PARENT]))


def unnamed_zombies(server: int, known: Iterable[Stub] = ()) -> set[int]:
    """Processes of a tritonserver that ended, and nobody took notice: all of them, or those that are none of the known.

    Where Triton ends a stub, it waits for it, and the process is gone.
    """
    named = {stub.pid for stub in known}
    return {
        found.pid
        for found in processes()
        if found.state == ZOMBIE and found.parent == server and found.pid not in named
    }


def end_orphans() -> int:
    """End the stubs of this user whose Triton is gone; how many there were.

    One of another PID namespace (a container's) is left alone: what it states of its parent cannot be compared.
    """
    ended = 0
    for found in processes():
        stated = _stated(found.pid)
        if len(stated) > _PARENT and stated[_PARENT] != str(found.parent) and _is_of_our_namespace(found.pid):
            with suppress(OSError):
                os.kill(found.pid, signal.SIGKILL)
                ended += 1
    return ended


def end_with_parent() -> None:
    """Called in a stub, first of all: it ends when its Triton is gone, however that went, and whatever it does then."""
    stated = _stated(os.getpid())
    parent = int(stated[_PARENT]) if len(stated) > _PARENT else os.getppid()
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    threading.Thread(target=_end_after, args=(parent,), name="parent", daemon=True).start()


def _end_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os.kill(os.getpid(), signal.SIGKILL)


def _stated(pid: int) -> list[str]:
    """A stub's arguments; none where it is no stub."""
    try:
        arguments = (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:  # it has just ended
        return []
    return arguments if arguments[0].rpartition("/")[2] == _STUB else []


def _is_of_our_namespace(pid: int) -> bool:
    with suppress(OSError):
        return (PROC / str(pid) / "ns" / "pid").stat().st_ino == (PROC / "self" / "ns" / "pid").stat().st_ino
    return False
