"""Interlingua as a retriever of LangChain (langchain-core 1.x).

with Retriever.open("var/index") as retriever:
    LangChainRetriever(retriever=retriever, k=4).invoke("¿cómo cambio mi contraseña?")
"""

from __future__ import annotations

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from interlingua import Hit, Retriever


class LangChainRetriever(BaseRetriever):
    """Hits as LangChain's documents, best first; their scores, languages and further fields are metadata."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    retriever: Retriever
    k: int = 4

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [_document(hit) for hit in self.retriever.search(query, k=self.k).hits]


def _document(hit: Hit) -> Document:
    own = {"title": hit.title, "language": hit.language, "score": hit.score}
    return Document(id=hit.id, page_content=hit.text, metadata={**hit.metadata, **own})
