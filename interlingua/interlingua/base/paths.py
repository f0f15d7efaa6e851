"""Where files live: the cache for what can be fetched again, the repository for what Triton loads."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import platformdirs

from interlingua.base.errors import InputError

_CHECKOUT = Path(__file__).resolve().parents[3]
_IS_CHECKOUT = (_CHECKOUT / "pyproject.toml").is_file() and Path(__file__).resolve().parents[2].name == "interlingua"
PROJECT_ROOT = _CHECKOUT if _IS_CHECKOUT else Path(platformdirs.user_data_dir("interlingua"))
"""What is made lies below it: the checkout or, installed from a wheel, the user's data folder."""

DEFAULT_MODEL_REPOSITORY = PROJECT_ROOT / "model_repository"


def checkout(made: str) -> Path:
    """The checkout. Raises InputError: this is an installed package, and what is `made` is a file of the project's."""
    if not _IS_CHECKOUT:
        raise InputError(f"{made} is made in a checkout of the project, and this is an installed package: clone it")
    return PROJECT_ROOT


def packaged(path: str, root: Path | None = None) -> Path:
    """What comes with a package, named `package/path/in/it`; any other path is relative to the project's root.

    Args:
        root: what every path is relative to instead.
    """
    if root is not None:
        return root / path
    name = Path(path).parts[0]
    package = importlib.util.find_spec(name) if name.isidentifier() else None
    return Path(package.origin).parents[1] / path if package and package.origin else PROJECT_ROOT / path


def cache_dir() -> Path:
    """`$INTERLINGUA_CACHE`, else the user's XDG cache folder. Not created here."""
    override = os.environ.get("INTERLINGUA_CACHE")
    return Path(override).expanduser() if override else Path(platformdirs.user_cache_dir("interlingua"))
