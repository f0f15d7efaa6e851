"""Interlingua: cross-lingual retrieval on NVIDIA Triton.

The library is `interlingua_client`; its names are here too, and loaded on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua.base.errors import InputError, InterlinguaError, ServerError
    from interlingua_client import (
        AsyncIndex,
        AsyncRetriever,
        Document,
        Hit,
        Index,
        IndexBusyError,
        IndexSettings,
        Retriever,
        SearchOptions,
        SearchResult,
    )

__all__ = [
    "AsyncIndex",
    "AsyncRetriever",
    "Document",
    "Hit",
    "Index",
    "IndexBusyError",
    "IndexSettings",
    "InputError",
    "InterlinguaError",
    "Retriever",
    "SearchOptions",
    "SearchResult",
    "ServerError",
]

_ERRORS = ("InputError", "InterlinguaError", "ServerError")


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "interlingua.base.errors" if name in _ERRORS else "interlingua_client"
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
