"""The packages that only an export needs."""

from __future__ import annotations

import importlib.util

from interlingua.base.errors import InputError

_PACKAGES = ("onnx", "onnxruntime", "onnxscript", "tokenizers", "torch", "transformers")


def require_export_extra(packages: tuple[str, ...] = _PACKAGES) -> None:
    """Raises InputError naming what is missing and the command that installs it."""
    if missing := [name for name in packages if importlib.util.find_spec(name) is None]:
        raise InputError(f"this needs {', '.join(missing)}: pip install 'interlingua[export]'")
