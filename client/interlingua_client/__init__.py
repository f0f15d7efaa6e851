"""The client: documents into an index, questions into ranked hits.

    with Retriever.open("var/index", server="127.0.0.1:8001") as retriever:
        result = retriever.search("¿cómo cambio mi contraseña?", k=10)

Names are imported on first use: `import interlingua_client` loads neither gRPC nor numpy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua_client.async_retriever import AsyncRetriever
    from interlingua_client.document import Document
    from interlingua_client.indexer import Indexer
    from interlingua_client.inference import AsyncInferenceClient, InferenceClient
    from interlingua_client.results import Hit, SearchResult
    from interlingua_client.retriever import Retriever
    from interlingua_client.search_options import SearchOptions

__all__ = [
    "AsyncInferenceClient",
    "AsyncRetriever",
    "Document",
    "Hit",
    "Indexer",
    "InferenceClient",
    "Retriever",
    "SearchOptions",
    "SearchResult",
]

_HOMES = {
    "AsyncInferenceClient": "interlingua_client.inference",
    "AsyncRetriever": "interlingua_client.async_retriever",
    "Document": "interlingua_client.document",
    "Hit": "interlingua_client.results",
    "Indexer": "interlingua_client.indexer",
    "InferenceClient": "interlingua_client.inference",
    "Retriever": "interlingua_client.retriever",
    "SearchOptions": "interlingua_client.search_options",
    "SearchResult": "interlingua_client.results",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
