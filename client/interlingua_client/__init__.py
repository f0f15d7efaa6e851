"""The client: documents into an index, questions into ranked hits.

    with Index.open("var/index", server="127.0.0.1:8001") as index:
        index.add([{"id": "a1", "text": "Hold the button for ten seconds."}])
    with Retriever.open("var/index", server="127.0.0.1:8001") as retriever:
        result = retriever.search("¿cómo cambio mi contraseña?", k=10)

Names are imported on first use: `import interlingua_client` loads neither gRPC nor numpy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua_client.document import Document
    from interlingua_client.index.indexer import Indexer, IndexSettings
    from interlingua_client.index.writer_lock import IndexBusyError
    from interlingua_client.search.async_retriever import AsyncRetriever
    from interlingua_client.search.results import Hit, SearchResult
    from interlingua_client.search.retriever import Retriever
    from interlingua_client.search.search_options import SearchOptions
    from interlingua_client.triton.async_inference import AsyncInferenceClient
    from interlingua_client.triton.inference import InferenceClient
    from interlingua_client.writing.async_index import AsyncIndex
    from interlingua_client.writing.index import Index

__all__ = [
    "AsyncIndex",
    "AsyncInferenceClient",
    "AsyncRetriever",
    "Document",
    "Hit",
    "Index",
    "IndexBusyError",
    "IndexSettings",
    "Indexer",
    "InferenceClient",
    "Retriever",
    "SearchOptions",
    "SearchResult",
]

_HOMES = {
    "AsyncIndex": "interlingua_client.writing.async_index",
    "AsyncInferenceClient": "interlingua_client.triton.async_inference",
    "AsyncRetriever": "interlingua_client.search.async_retriever",
    "Document": "interlingua_client.document",
    "Hit": "interlingua_client.search.results",
    "Index": "interlingua_client.writing.index",
    "IndexBusyError": "interlingua_client.index.writer_lock",
    "IndexSettings": "interlingua_client.index.indexer",
    "Indexer": "interlingua_client.index.indexer",
    "InferenceClient": "interlingua_client.triton.inference",
    "Retriever": "interlingua_client.search.retriever",
    "SearchOptions": "interlingua_client.search.search_options",
    "SearchResult": "interlingua_client.search.results",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
