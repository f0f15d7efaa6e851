"""A start that gets on, however slowly, is told from one that does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from interlingua.served.watch.progress import CpuProgress, cpu_seconds

SPIN = "import sys; print('on', flush=True)\nwhile True: pass"


def test_a_working_group_gets_on_and_a_stopped_one_does_not() -> None:
    """Bounds are one-sided: a busy machine makes every step later, and changes none of them."""
    child = subprocess.Popen([sys.executable, "-c", SPIN], stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        progress = CpuProgress(lambda: cpu_seconds(child.pid))
        while cpu_seconds(child.pid) < 2:
            time.sleep(0.1)
        assert progress.stalled_s() < 0.5
        os.killpg(child.pid, signal.SIGSTOP)
        progress.stalled_s()
        while progress.stalled_s() < 1.5:
            time.sleep(0.1)
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def test_other_groups_do_not_count() -> None:
    assert cpu_seconds(os.getpid() if os.getpgrp() != os.getpid() else 2**22) == 0
