"""Packages that only public benchmarks need, imported on first use."""

from __future__ import annotations

import importlib
from typing import Any

from interlingua.base.errors import InputError


def require(package: str, used_for: str) -> Any:
    """The imported package.

    Raises:
        InputError: it is not installed; the message names the command that installs it.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise InputError(f"{used_for} needs the package {package}: pip install 'interlingua[benchmarks]'") from error
