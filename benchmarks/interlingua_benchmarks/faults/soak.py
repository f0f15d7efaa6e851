"""Mixed load for a long time: what grows?

clients, a corpus embedded again and again -> the server's processes after the warm-up, and in the end -> a table
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from interlingua.display.grid import Grid, row
from interlingua.display.markdown import markdown
from interlingua_benchmarks.faults.healthy_clients import PATIENCE_S, HealthyClients
from interlingua_benchmarks.faults.served_process import instance_of
from interlingua_client.triton.inference import InferenceClient

if TYPE_CHECKING:
    from interlingua_benchmarks.faults.served_process import ServedProcess

_BATCH = 64
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Triton makes it


@dataclass(frozen=True, kw_only=True)
class ProcessState:
    """One process at one moment; the proportional share counts shared pages once.

    Attributes:
        name: of the process, or of the model's instance.
        resident_mb, proportional_mb: of 2**20 bytes.
    """

    name: str
    resident_mb: float
    proportional_mb: float
    handles: int
    threads: int
    shared_files: int


def soak(served: ServedProcess, texts: Sequence[str], *, clients: int, minutes: float) -> dict[str, Any]:
    """Ask for so long, a tenth of it to warm up; the processes' states after that, and in the end."""
    over = threading.Event()
    embedding = threading.Thread(target=_embed_on, args=(served.address, texts, over))
    with HealthyClients(served.address, clients) as asking:
        embedding.start()
        try:
            _pass(served, 6 * minutes)
            before = states(served)
            _pass(served, 54 * minutes)
            after = states(served)
        finally:
            over.set()
            embedding.join()
    return {"minutes": minutes, "before": before, "after": after} | asking.facts()


def states(served: ServedProcess) -> list[ProcessState]:
    """The processes of the server, by name."""
    found = []
    for process in served.processes():
        with suppress(psutil.NoSuchProcess):
            found.append(_state(process))
    return sorted(found, key=lambda state: state.name)


def table(before: Sequence[ProcessState], after: Sequence[ProcessState]) -> str:
    """What each process had after the warm-up, and has in the end; in Markdown."""
    header = ("process", "RSS, MB", "PSS, MB", "file handles", "threads", "files in /dev/shm")
    rows = tuple(row(now.name, *_moved(was, now)) for was, now in zip(before, after, strict=True))
    return markdown(Grid("after the warm-up, and in the end", header, rows))


def _moved(was: ProcessState, now: ProcessState) -> list[str]:
    return [f"{old:.0f} → {new:.0f}" for old, new in zip(astuple(was)[1:], astuple(now)[1:], strict=True)]


def _state(process: psutil.Process) -> ProcessState:
    memory = process.memory_full_info()
    mapped = {found.path for found in process.memory_maps() if Path(found.path).parent == _SHARED_MEMORY}
    return ProcessState(
        name=instance_of(process) or process.name(),
        resident_mb=memory.rss / 2**20,
        proportional_mb=memory.pss / 2**20,
        handles=process.num_fds(),
        threads=process.num_threads(),
        shared_files=len(mapped),
    )


def _embed_on(address: str, texts: Sequence[str], over: threading.Event) -> None:
    """Bulk work beside the questions: the documents' vectors, again and again."""
    batches = (list(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH))
    endless = itertools.takewhile(lambda _: not over.is_set(), itertools.cycle(batches))
    with InferenceClient.connect(address, patience_s=PATIENCE_S) as client:
        for _ in client.embed_batches(endless, "document"):
            pass


def _pass(served: ServedProcess, seconds: float) -> None:
    until = time.monotonic() + seconds
    served.wait_until(lambda: time.monotonic() > until)
