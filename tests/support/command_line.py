"""`python -m interlingua ...` in a process of its own, forked from one that has imported what commands import.

    arguments --fork server--> child: environment, folder, fds 1 and 2 --runpy--> status, output, errors

Importing torch and transformers takes a command longer than most of its work; with a fork server each worker does it
once. Who tests the start of a process itself, its imports or a signal, starts a real one.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.support.command_imports"])


def interlingua(*arguments: str | Path, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
    """Run our command line; fails the test if it hangs."""
    return python_m("interlingua", *arguments, timeout_s=timeout_s)


def python_m(module: str, *arguments: str | Path, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a module as `python -m` does."""
    words = [module, *map(str, arguments)]
    with tempfile.TemporaryDirectory(prefix="command-") as scratch:
        files = [Path(scratch) / name for name in ("stdout", "stderr")]
        process = _FORKS.Process(target=_run, args=(words, dict(os.environ), Path.cwd(), *files))
        process.start()
        process.join(timeout_s)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(words, timeout_s)
        return subprocess.CompletedProcess(words, process.exitcode, *(file.read_text("utf-8") for file in files))


def _run(words: list[str], environment: dict[str, str], folder: Path, *files: Path) -> None:
    """In the child, which is to be as one that was started from `folder` in this environment."""
    from tests.support import shared_exports

    for number, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    if places := environment.get(shared_exports.PLACES):
        shared_exports.share_exports(*map(Path, places.split(os.pathsep)))
    sys.argv = words
    try:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()
