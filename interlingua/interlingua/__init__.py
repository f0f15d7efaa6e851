"""Interlingua: cross-lingual retrieval on NVIDIA Triton.

The library is `interlingua_client`; its names are here too, and loaded on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua_client import AsyncRetriever, Document, Hit, Retriever, SearchOptions, SearchResult

__all__ = ["AsyncRetriever", "Document", "Hit", "Retriever", "SearchOptions", "SearchResult"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("interlingua_client"), name)
