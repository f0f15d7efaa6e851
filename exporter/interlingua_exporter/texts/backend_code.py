"""The `text` backend's own code, where the exporter has to do the same: there is one copy of it.

interlingua_server/backends/text/NAME.py --backend_code(NAME)--> module

model.py puts its folder on the path of the Python that Triton starts; here the folder is there for an import alone.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from typing import TYPE_CHECKING

from interlingua_server.environment import BACKENDS

if TYPE_CHECKING:
    from types import ModuleType

_FOLDER = str(BACKENDS / "text")


@cache
def backend_code(name: str) -> ModuleType:
    """A file of the text backend as a module. Raises ImportError: there is none of that name, or it cannot run."""
    sys.path.insert(0, _FOLDER)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(_FOLDER)
