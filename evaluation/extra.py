"""The packages that only an evaluation needs."""

from __future__ import annotations

import importlib.util

from interlingua.errors import InputError

_PACKAGES = ("ir_measures", "lxml", "tokenizers", "torch", "transformers")


def require_evaluate_extra() -> None:
    """Raises InputError naming what is missing and the command that installs it."""
    if missing := [name for name in _PACKAGES if importlib.util.find_spec(name) is None]:
        raise InputError(f"evaluating needs {', '.join(missing)}: pip install 'interlingua[evaluate]'")
