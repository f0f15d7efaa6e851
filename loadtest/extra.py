"""Whether the packages of the load tests are there."""

from __future__ import annotations

import importlib.util

from interlingua.errors import InputError

_NEEDED = ("hdrh", "locust", "psutil", "pyarrow")


def require_extra() -> None:
    """Raises InputError naming those that are missing."""
    # Looked for, not imported: importing Locust patches this process.
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        raise InputError(f"load tests need {', '.join(missing)}: pip install 'interlingua[loadtest]'")
