"""Where files live: the cache for what can be fetched again, the repository for what Triton loads."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DEFAULT_MODEL_REPOSITORY = PROJECT_ROOT / "model_repository"


def cache_dir() -> Path:
    """`$INTERLINGUA_CACHE`, else the user's XDG cache folder. Not created here."""
    override = os.environ.get("INTERLINGUA_CACHE")
    return Path(override).expanduser() if override else Path(platformdirs.user_cache_dir("interlingua"))
