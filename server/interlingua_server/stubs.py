"""The processes that a running Triton keeps for its Python backends, a stub an instance of a model.

    /proc/*/cmdline --stubs_of--> Stub (process, model, instance, shared memory) --is_zombie--> whether it ended unasked

Triton 24.10 takes no notice of a stub that ends, and starts none again: it stays a zombie, and its instance fails every
request that it is given. What its shared memory is called stands in its arguments, and in /dev/shm for ever if Triton
itself is killed.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Triton makes it
_STUB = "triton_python_backend_stub"
_MODEL_FILE, _REGION, _PARENT, _INSTANCE = 1, 2, 5, 8  # its arguments
_ZOMBIE = "Z"  # proc(5)


@dataclass(frozen=True, order=True)
class Stub:
    """One process.

    Attributes:
        instance: of the model, as Triton's log names it: embedder_0_0.
        region: the file of its shared memory, in /dev/shm.
    """

    pid: int
    model: str
    instance: str
    region: str


def stubs_of(server: int) -> list[Stub]:
    """The stubs that run for a tritonserver process, in the order in which they were started."""
    found = (_stub(path.parent, server) for path in _PROC.glob("[0-9]*/cmdline"))
    return sorted(stub for stub in found if stub is not None)


def is_zombie(stub: Stub, server: int) -> bool:
    """Whether it ended and nobody took notice. Where Triton ends a stub, it waits for it, and the process is gone."""
    try:
        state, parent = (_PROC / str(stub.pid) / "stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return False
    return state == _ZOMBIE and int(parent) == server


def remove_regions(regions: Iterable[str]) -> None:
    """Take the shared memory of ended stubs away. Whoever still maps one keeps it."""
    for region in regions:
        if region and region == Path(region).name:
            with suppress(OSError):
                (_SHARED_MEMORY / region).unlink()


def _stub(folder: Path, server: int) -> Stub | None:
    try:
        arguments = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:  # it has just ended
        return None
    if Path(arguments[0]).name != _STUB or len(arguments) <= _INSTANCE or arguments[_PARENT] != str(server):
        return None
    model = Path(arguments[_MODEL_FILE]).parents[1].name  # REPOSITORY/<model>/<version>/<file>
    return Stub(int(folder.name), model, arguments[_INSTANCE], arguments[_REGION].removeprefix("/"))
