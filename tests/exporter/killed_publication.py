"""Publishes into copies of a repository, each time killed one file operation later. Run by test_publishing.py.

python -m tests.exporter.killed_publication REPOSITORY SCRATCH --> SCRATCH/<n>/models for every n, n on standard output
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

from tests.support.publication import publish_bytes

_EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}


def killed_at(step: int, root: Path) -> bool:
    """Publish in a child that kills itself before its file operation number `step`; whether it came that far."""
    child = os.fork()
    if child == 0:
        left = step

        def count(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal left
            if event in _EVENTS and str(root.parent) in str(arguments[0]):
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        publish_bytes(root, b"second")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def main() -> None:
    repository, scratch = Path(sys.argv[1]), Path(sys.argv[2])
    for step in range(10_000):
        root = scratch / str(step) / "models"
        root.parent.mkdir()
        if repository.is_dir():
            shutil.copytree(repository, root)
        alive = not killed_at(step, root)
        sys.stdout.write(f"{step} {'whole' if alive else 'killed'}\n")
        if alive:
            return


main()
