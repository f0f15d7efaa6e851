"""How busy this machine's GPUs are while a run lasts.

nvidia-smi, twice a second -> one ProcessSample a GPU: its name is gpu:INDEX, its share that of the time a kernel ran
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from contextlib import suppress

from interlingua_loadtest.record.record import ProcessSample
from interlingua_loadtest.run.process_samples import PERIOD_S

GPU = "gpu"
_QUERY = "--query-gpu=index,utilization.gpu,memory.used"
_ENDS_WITHIN_S = 5.0


class GpuSampler:
    """A context manager; without nvidia-smi there are no samples."""

    def __init__(self, period_s: float = PERIOD_S) -> None:
        self._period_s = period_s
        self._samples: list[ProcessSample] = []
        self._smi: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._run, name="gpu samples", daemon=True)

    def __enter__(self) -> GpuSampler:
        if command := shutil.which("nvidia-smi"):
            every = f"--loop-ms={round(1e3 * self._period_s)}"
            with suppress(OSError):
                self._smi = subprocess.Popen(
                    [command, _QUERY, "--format=csv,noheader,nounits", every],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
                self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._smi is None:
            return
        self._smi.terminate()
        try:
            self._smi.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._smi.kill()
            self._smi.wait()
        self._thread.join()

    @property
    def samples(self) -> list[ProcessSample]:
        """The samples taken so far, in order; their times are instants of `time.monotonic()`."""
        return list(self._samples)

    def _run(self) -> None:
        for line in (self._smi and self._smi.stdout) or ():
            # A GPU that does not say (a slice of one: "[N/A]") is left out, and so is a message.
            with suppress(ValueError):
                index, busy, memory_mb = (float(part) for part in line.split(","))
                name = f"{GPU}:{index:g}"
                self._samples.append(
                    ProcessSample(time_s=time.monotonic(), pid=0, name=name, cpu_share=busy / 100, rss_mb=memory_mb)
                )
