"""What a Python model's source shows without being run.

model.py --ast--> names of models it calls, whether it reads request parameters
"""

from __future__ import annotations

import ast
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from interlingua_exporter.lint import disk

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 4 * 2**20  # bytes


class PythonSource(NamedTuple):
    """`called`: the model names that stand as plain strings in `InferenceRequest(model_name=...)`."""

    called: frozenset[str]
    reads_parameters: bool


def read_python(path: Path) -> PythonSource | None:
    """None where the file is missing, or is not Python that this interpreter parses."""
    return _read(path, disk.size(path), disk.changed(path))


@lru_cache(maxsize=256)
def _read(path: Path, size: int, changed: float) -> PythonSource | None:  # noqa: ARG001 - another time is another file
    if not 0 <= size <= _LARGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in somebody's string is not our reader's concern
            tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return PythonSource(
        called=frozenset(name for call in calls if _is(call, "InferenceRequest") for name in _model_names(call)),
        reads_parameters=any(_is(call, "parameters") and not call.args for call in calls),
    )


def _is(call: ast.Call, name: str) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == name


def _model_names(call: ast.Call) -> list[str]:
    values = [word.value for word in call.keywords if word.arg == "model_name"]
    return [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
