"""Stored vectors that are none, made again.

SQLite --length, finiteness--> labels --passages--> embed --> commit;  all vectors --> sums by language
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua_client.embedder import Embedder
    from interlingua_client.index.document_store import DocumentStore


def heal(store: DocumentStore, embedder: Embedder, batch: int) -> int:
    """Embed again what has no finite vector of the right length, and count the languages' sums anew; how many had none.

    Raises:
        ServerError: the server is away, or gives such a vector again.
    """
    labels = store.unsound_labels()
    for start in range(0, len(labels), batch):
        passages = store.passages(labels[start : start + batch])
        vectors = embedder.embed([passage.embedded for passage in passages.values()], "document").vectors
        store.renew(list(passages), vectors)
    store.recount()
    return len(labels)
