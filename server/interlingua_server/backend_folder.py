"""The folder that Triton loads backends from: its own Python backend, ours, and what they import of ours."""

from __future__ import annotations

import shutil
from pathlib import Path

from interlingua.base.errors import ServerError
from interlingua_server.environment import BACKENDS, SERVED, Runtime
from interlingua_server.scratch import ROOM


def compose_backends(runtime: Runtime, folder: Path) -> None:
    """Copy Triton's Python backend, this Python's stub, our backends and what they import of ours into one folder.

    Copies, not links: Triton refuses a backend library that resolves to a place outside the folder.

    Raises:
        ServerError: they cannot be written; none are left.
    """
    sources = shutil.ignore_patterns("__pycache__")
    try:
        shutil.copytree(runtime.python_backend, folder / "python")
        shutil.copy2(runtime.stub, folder / "python")
        shutil.copytree(BACKENDS, folder, dirs_exist_ok=True, ignore=sources)
        shutil.copytree(SERVED, folder / "interlingua" / SERVED.name, ignore=sources)
        shutil.copy2(SERVED.parent / "__init__.py", folder / "interlingua")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        # copytree collects what it could not copy: (from, to, why) of each
        why = error.args[0][0][2].partition(": ")[0] if isinstance(error, shutil.Error) else error.strerror
        raise ServerError(f"cannot copy Triton's backends into {folder} ({why}): {ROOM}") from error
