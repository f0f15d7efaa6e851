"""Reads the JSON files of a model folder.

file --read_object--> a JSON object, or an InputError that names the file
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def read_object(path: Path, *, required: bool = False) -> dict[str, Any]:
    """A JSON object; empty where an optional file is missing. Raises InputError."""
    if not path.is_file() and not required:
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} is missing or cannot be read: not a model folder ({error.strerror})") from error
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} is not a JSON object")
    return value
