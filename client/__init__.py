"""The client: documents into an index, questions into ranked hits.

    with Retriever.open("var/index", server="127.0.0.1:8001") as retriever:
        result = retriever.search("¿cómo cambio mi contraseña?", k=10)

Names are imported on first use: `import client` loads neither gRPC nor numpy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from client.async_retriever import AsyncRetriever
    from client.document import Document
    from client.indexer import Indexer
    from client.inference import AsyncInferenceClient, InferenceClient
    from client.results import Hit, SearchResult
    from client.retriever import Retriever

__all__ = [
    "AsyncInferenceClient",
    "AsyncRetriever",
    "Document",
    "Hit",
    "Indexer",
    "InferenceClient",
    "Retriever",
    "SearchResult",
]

_HOMES = {
    "AsyncInferenceClient": "client.inference",
    "AsyncRetriever": "client.async_retriever",
    "Document": "client.document",
    "Hit": "client.results",
    "Indexer": "client.indexer",
    "InferenceClient": "client.inference",
    "Retriever": "client.retriever",
    "SearchResult": "client.results",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'client' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
