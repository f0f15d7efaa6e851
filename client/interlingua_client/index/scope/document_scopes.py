"""An index's documents as filters see them, and the passages that are theirs.

    label -> row of its document    filters -> bool [documents] -> SearchScope, kept by the filters' digests

What filters look at is read when the first one comes. A passage that is gone by then is in no scope but the whole; one
that came since is in none.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua.base.errors import InputError
from interlingua_client.filtering.document_fields import DocumentFields
from interlingua_client.filtering.evaluation import mask_of, require_fields
from interlingua_client.index.scope.bounded_cache import BoundedCache
from interlingua_client.index.scope.search_scope import LookUps, SearchScope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from interlingua_client.embedder import IntArray
    from interlingua_client.filtering.columns import Mask
    from interlingua_client.filtering.filter_tree import DocumentFilter
    from interlingua_client.index.document_store import DocumentStore


_NONE = np.empty(0, np.int64)
_LEAST_KEPT = 32 * 1024 * 1024
_WHOLE_KEPT = 4  # as many scopes as these with every passage in them, where that is more


class _Documents(NamedTuple):
    """The documents of this generation.

    Attributes:
        fields: of each row.
        rows: of each language's passages, the rows of their documents; -1 where it is gone.
        languages: the tags' places in `rows`, int32 [documents].
    """

    fields: DocumentFields
    rows: Mapping[str, npt.NDArray[np.int32]]
    languages: npt.NDArray[np.int32]


class DocumentScopes:
    """The scopes of one generation; safe to use from several threads."""

    def __init__(
        self, store: DocumentStore, labels: Mapping[str, IntArray], languages: Mapping[str, int], end: int
    ) -> None:
        """Takes the generation's labels and numbers of documents, by language.

        Args:
            end: beyond every label.
        """
        self._store, self._labels, self._look_ups = store, labels, LookUps(end)
        self.whole = SearchScope(("", ""), labels, languages, whole=True, look_ups=self._look_ups)
        budget = max(_LEAST_KEPT, _WHOLE_KEPT * self.whole.weight)
        self._kept = BoundedCache[tuple[str, str], SearchScope](budget, lambda made: made.weight)

    def scope(self, wanted: DocumentFilter | None, pinned: DocumentFilter | None) -> SearchScope:
        """The passages whose documents meet both.

        Raises:
            InputError: `wanted` asks for what no document that meets `pinned` has, of the others nothing is told; or
                `pinned` for what no document has any more.
        """
        if wanted is None and pinned is None:
            return self.whole
        key = (_digest(wanted), _digest(pinned))
        return self._kept.get(key, lambda: self._made(key, wanted, pinned))

    def require(self, pinned: DocumentFilter, within: DocumentFilter | None) -> None:
        """Refuse a slip in a filter to be pinned. Raises InputError: as `scope`."""
        fields = self._documents.fields
        require_fields(pinned, fields, None if within is None else mask_of(within, fields))

    def _made(self, key: tuple[str, str], wanted: DocumentFilter | None, pinned: DocumentFilter | None) -> SearchScope:
        documents = self._documents
        mask: Mask = np.ones(len(documents.fields), bool)
        if pinned is not None:
            _require_pinned(pinned, documents.fields)
            mask = mask_of(pinned, documents.fields)
        if wanted is not None:
            require_fields(wanted, documents.fields, mask)
            mask = mask & mask_of(wanted, documents.fields)
        passing = np.append(mask, False)  # what row -1 is
        labels = {tag: found[passing[documents.rows[tag]]] for tag, found in self._labels.items()}
        counts = np.bincount(documents.languages[mask], minlength=len(labels))
        languages = {tag: int(count) for tag, count in zip(labels, counts, strict=True)}
        return SearchScope(key, labels, languages, whole=False, look_ups=self._look_ups)

    @cached_property
    def _documents(self) -> _Documents:
        passages, owners = self._store.passage_documents()
        mine = np.isin(passages, np.concatenate([_NONE, *self._labels.values()]))
        numbers = np.unique(owners[mine])
        rows, languages = {}, np.zeros(len(numbers), np.int32)
        for place, (tag, labels) in enumerate(self._labels.items()):
            there = np.isin(labels, passages, assume_unique=True)
            rows[tag] = np.full(len(labels), -1, np.int32)
            rows[tag][there] = np.searchsorted(numbers, owners[np.searchsorted(passages, labels[there])])
            languages[rows[tag][there]] = place
        return _Documents(DocumentFields(numbers, self._metadata, self._store.identity_rows), rows, languages)

    def _metadata(self) -> Iterator[tuple[int, Mapping[str, object]]]:
        for number, text in self._store.metadata_rows():
            yield number, json.loads(text)


def _require_pinned(pinned: DocumentFilter, fields: DocumentFields) -> None:
    """Refuse a pin of an earlier generation that fits no more; says nothing of what lies outside to who searches."""
    try:
        require_fields(pinned, fields)
    except InputError:
        raise InputError(
            "the pinned filter asks for what no document of this index has any more: nothing is searched, as a `not` "
            "in it would let everything through. Pin again, to be told what it is"
        ) from None


def _digest(asked: DocumentFilter | None) -> str:
    """Stands for a filter of any length; one that another tenant could make collide would show what is not theirs."""
    return hashlib.blake2b(asked.canonical.encode(), digest_size=32).hexdigest() if asked else ""
