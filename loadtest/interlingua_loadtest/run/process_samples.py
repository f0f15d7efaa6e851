"""CPU and memory of the server's and the generator's processes while a run lasts.

pids (a root each; its children belong to it) --twice a second--> ProcessSample ... -> processes.parquet
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import psutil

from interlingua_loadtest.record.record import ProcessSample

PERIOD_S = 0.5

_STUB = re.compile(r"\w+_\d+_\d+")  # a Python-backend stub's command line names its model instance: embed_query_0_1


class ProcessSampler:
    """A context manager; samples in a thread of its own.

    Shared memory is divided among its users in the first and the last sample alone, when nothing is asked: summing up
    the pages of a server takes a core for 50 ms and more, which the slowest percent of a run's requests would show.
    """

    def __init__(self, roots: Mapping[str, Callable[[], int | None]], period_s: float = PERIOD_S) -> None:
        """`roots` gives the process that each name begins at, as soon as there is one."""
        self._roots, self._period_s = roots, period_s
        self._samples: list[ProcessSample] = []
        self._known: dict[int, tuple[psutil.Process, str]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="process samples", daemon=True)

    def __enter__(self) -> ProcessSampler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def samples(self) -> list[ProcessSample]:
        """The samples taken so far, in order; their times are instants of `time.monotonic()`."""
        return list(self._samples)

    def _run(self) -> None:
        self._take(with_pss=True)
        began, number = time.monotonic(), 1
        while not self._over.wait(max(began + number * self._period_s - time.monotonic(), 0.0)):
            self._take(with_pss=False)
            number += 1
        self._take(with_pss=True)

    def _take(self, *, with_pss: bool) -> None:
        for root_name, find in self._roots.items():
            root = find()
            if root is None:
                continue
            for process, name in self._tree(root, root_name):
                with suppress(psutil.Error):
                    self._samples.append(_sample(process, name, with_pss=with_pss))

    def _tree(self, root: int, root_name: str) -> list[tuple[psutil.Process, str]]:
        with suppress(psutil.Error):
            top = psutil.Process(root)
            return [self._remembered(process, root_name) for process in (top, *top.children(recursive=True))]
        return []

    def _remembered(self, process: psutil.Process, root_name: str) -> tuple[psutil.Process, str]:
        """psutil counts CPU from an object's last call: so the object is kept."""
        known = self._known.get(process.pid)
        if known is None or known[0] != process:
            known = self._known[process.pid] = (process, f"{root_name}:{_name(process)}")
        return known


def listening_process(port: int) -> int | None:
    """The process on this machine that listens on a TCP port; None where it is not ours to see."""
    with suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                pid: int | None = connection.pid
                return pid
    return None


def _sample(process: psutil.Process, name: str, *, with_pss: bool) -> ProcessSample:
    first = getattr(process, "_last_sys_cpu_times", None) is None
    with process.oneshot():
        share = process.cpu_percent() / 100
        rss = process.memory_info().rss / 2**20
    pss = math.nan
    if with_pss:
        with suppress(psutil.Error):
            pss = process.memory_full_info().pss / 2**20
    return ProcessSample(
        time_s=time.monotonic(),
        pid=process.pid,
        name=name,
        cpu_share=math.nan if first else share,
        rss_mb=rss,
        pss_mb=pss,
    )


def _name(process: psutil.Process) -> str:
    command: list[str] = process.cmdline()
    stub = next((part for part in command if _STUB.fullmatch(part)), None)
    return stub or str(process.name())
