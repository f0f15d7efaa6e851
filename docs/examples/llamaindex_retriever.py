"""Interlingua as a retriever of LlamaIndex (llama-index-core 0.14).

with Retriever.open("var/index") as retriever:
    LlamaIndexRetriever(retriever, k=4).retrieve("¿cómo cambio mi contraseña?")
"""

from __future__ import annotations

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from interlingua import Hit, Retriever


class LlamaIndexRetriever(BaseRetriever):
    """Hits as LlamaIndex's nodes with scores, best first; their languages and further fields are metadata."""

    def __init__(self, retriever: Retriever, k: int = 4) -> None:
        super().__init__()
        self._retriever, self._k = retriever, k

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [_node(hit) for hit in self._retriever.search(query_bundle.query_str, k=self._k).hits]


def _node(hit: Hit) -> NodeWithScore:
    own = {"title": hit.title, "language": hit.language}
    return NodeWithScore(node=TextNode(id_=hit.id, text=hit.text, metadata={**hit.metadata, **own}), score=hit.score)
