"""What of some documents is not in the store as it is to be.

documents --digest, plan--> the same: nothing to do
                        --> split --digests of passages--> those that have no vector yet: to be embedded
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from interlingua_client.document import Document
    from interlingua_client.index.document_store import DocumentStore
    from interlingua_client.index.passages.passage import SplitDocument


class DocumentChange(NamedTuple):
    """A document that is to be written.

    Attributes:
        embedded: its passages that need a vector, by position.
        is_edited: it has other content; else it is only split otherwise than before.
    """

    split: SplitDocument
    embedded: Sequence[int]
    is_edited: bool

    @property
    def texts(self) -> list[str]:
        """What is to be embedded."""
        return [self.split.passages[position].embedded for position in self.embedded]


def document_changes(
    store: DocumentStore,
    documents: Sequence[Document],
    split: Callable[[Sequence[Document]], list[SplitDocument]],
    in_flight: Collection[str],
) -> list[DocumentChange]:
    """The documents that are new, have other content, or are split otherwise.

    Args:
        split: gives each document its passages.
        in_flight: ids of documents that are being embedded: what the store will have of them is not known yet. It is
            not of an id that is here twice, either: the store refuses both in one commit, and takes the last of two.
    """
    ids = [document.id for document in documents]
    unsure = {*in_flight, *(id_ for id_, times in Counter(ids).items() if times > 1)}
    known, plan = store.digests(ids), store.manifest().plan_name
    planned = store.plans(ids)
    edited = [known.get(document.id) != document.digest or document.id in unsure for document in documents]
    chosen = [
        (document, is_edited)
        for document, is_edited in zip(documents, edited, strict=True)
        if is_edited or planned[document.id] != plan
    ]
    digests = store.passage_digests([document.id for document, _ in chosen if document.id not in unsure])
    changes = []
    for found, (document, is_edited) in zip(split([document for document, _ in chosen]), chosen, strict=True):
        there = Counter(digests.get(document.id, ()))
        lacking = []
        for position, passage in enumerate(found.passages):
            if there[passage.digest] > 0:
                there[passage.digest] -= 1
            else:
                lacking.append(position)
        changes.append(DocumentChange(found, lacking, is_edited))
    return changes
