"""Whether the packages of the load tests are there."""

from __future__ import annotations

import importlib.util

from interlingua.base.errors import InputError

LOADING = ("hdrh", "locust", "psutil", "pyarrow")
PLANNING = ("onnx", "scipy", "tokenizers")


def require_extra(*needed: str) -> None:
    """Raises InputError naming those that are missing."""
    # Looked for, not imported: importing Locust patches this process.
    if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
        raise InputError(f"this needs {', '.join(missing)}: pip install 'interlingua[loadtest]'")
