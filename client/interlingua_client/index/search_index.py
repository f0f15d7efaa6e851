"""An index opened for searching: the store and the vectors derived from it, as of one generation."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError
from interlingua_client.embedder import require_vectors
from interlingua_client.index.document_store import DocumentStore
from interlingua_client.index.exact_vectors import Block, ExactVectors, join
from interlingua_client.index.index_root import as_path, current_folder
from interlingua_client.index.language_offsets import LanguageOffsets, unit
from interlingua_client.index.scope.document_scopes import DocumentScopes
from interlingua_client.index.scope.scoped_vectors import ScopedVectors
from interlingua_client.index.token_store.stored_tokens import StoredTokens
from interlingua_client.index.vector_repair import Repair, derived_blocks, open_vectors
from interlingua_client.index.words.stored_words import StoredWords
from interlingua_client.language_tag import UNDETERMINED, closest, covered, normalize_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from interlingua_client.document import Document
    from interlingua_client.embedder import FloatArray, IntArray
    from interlingua_client.filtering.filter_tree import DocumentFilter
    from interlingua_client.index.manifest import Manifest
    from interlingua_client.index.passages.passage import StoredPassage
    from interlingua_client.index.scope.search_scope import SearchScope
    from interlingua_client.index.vector_index import Neighbours, VectorIndex
    from interlingua_client.index.words.exact_matches import ExactMatches

# Measured with 384 dimensions on one core: exact search takes 0.06 ms a thousand vectors, and below 20,000 (1.1
# ms, 30 MB) the graph has nothing to add but error. With a filter the graph takes 0.2 ms / (share of the vectors
# that pass), since it walks over those that do not: so exact search is ahead up to 57 * sqrt(all vectors).
EXACT_FLOATS = 20_000 * 384
_FILTERED_EXACT_ROOTS = 57.0
_KEPT_SHARE = 0.25  # of all vectors' bytes, for those of filtered searches; EXACT_FLOATS where that is more


@dataclass(frozen=True)
class Candidates:
    """What the first stage found.

    Attributes:
        labels: int64 [found], of passages, best first.
        scores: float32 [found], cosines in the searched space.
        exact: every allowed document was compared, rather than those that the graph led to.
    """

    labels: IntArray
    scores: FloatArray
    exact: bool


class SearchIndex:
    """One generation of an index; later commits are not seen until it is opened again.

    Attributes:
        languages: how many documents each has; the most first.
        tokens: the passages' token vectors, as they are at the moment of a search.
        words: the passages' words, as they are at the moment of a search.
    """

    def __init__(
        self,
        store: DocumentStore,
        *,
        use_offsets: bool = True,
        ef_search: int | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Read the store's present generation and bring the vectors up to date with it.

        Args:
            use_offsets: False searches the raw vectors, exactly, whatever space the index is built in.
            ef_search: in place of the saved one.
        """
        self._store, self._use_offsets, self._ef_search = store, use_offsets, ef_search
        with store.snapshot():
            self.manifest: Manifest = store.manifest()
            self.offsets: LanguageOffsets | None = store.sound_offsets()
            self._labels = store.labels_by_language()
            self.languages = store.languages()
            self._documents = store.passage_documents() if self.is_split else None
            if ef_search is not None:
                hnsw = replace(self.manifest.hnsw, ef_search=ef_search)
                self.manifest = replace(self.manifest, hnsw=hnsw)
            current = open_vectors(store, ef_search=ef_search, advance=advance)
        self.repair: Repair = current.repair
        self.has_offsets = use_offsets and self.manifest.space != "raw" and self.offsets is not None
        # Searching raw vectors in an index whose graph lives in the other space needs no graph.
        raw_beside_graph = self.manifest.space != "raw" and not self.has_offsets
        self._graph: VectorIndex | None = None if raw_beside_graph else current.graph
        self.tokens = StoredTokens(store)
        self.words = StoredWords(store, self.manifest.words)
        self._exact = ExactVectors(self._read_block)
        dimension = self.manifest.embedder.dimension
        kept = 4 * max(EXACT_FLOATS, int(_KEPT_SHARE * self.passages * dimension))
        self._scoped = ScopedVectors(self._read, dimension, kept)
        self._scopes = DocumentScopes(store, self._labels, self.languages, current.graph.end)

    @classmethod
    def open(cls, directory: Path | str, *, use_offsets: bool = True, ef_search: int | None = None) -> SearchIndex:
        """Open a directory that `interlingua index` made; of several indexes in it, the current one (index_root.py).

        Raises:
            InputError: there is no index, or it was made by another version.
        """
        store = DocumentStore.open(current_folder(as_path(directory)))
        try:
            return cls(store, use_offsets=use_offsets, ef_search=ef_search)
        except BaseException:
            store.close()
            raise

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    @property
    def directory(self) -> Path:
        """Where this index lies: in what `open` was given, or below it."""
        return self._store.directory

    def __len__(self) -> int:
        """How many documents there are."""
        return sum(self.languages.values())

    @property
    def passages(self) -> int:
        """How many passages there are; as many as documents where none was split."""
        return sum(len(labels) for labels in self._labels.values())

    @property
    def is_split(self) -> bool:
        """Whether a document has several passages."""
        return self.passages > len(self)

    def documents_of(self, labels: IntArray) -> IntArray:
        """Numbers of the documents of passages, int64 [labels]; of an index that is not split, the labels."""
        if self._documents is None:
            return labels
        there, numbers = self._documents
        return numbers[np.searchsorted(there, labels)]

    def scope(self, wanted: DocumentFilter | None = None, pinned: DocumentFilter | None = None) -> SearchScope:
        """The passages of the documents that meet a caller's filter and a pinned one.

        Raises:
            InputError: `wanted` names a field, or asks for a kind of values, that no document within `pinned` has; the
                message says nothing of documents that are not within.
        """
        return self._scopes.scope(wanted, pinned)

    def require_filter(self, pinned: DocumentFilter, within: DocumentFilter | None = None) -> None:
        """Refuse a slip in a filter to be pinned. Raises InputError: as `scope` does for a caller's."""
        self._scopes.require(pinned, within)

    def resolve_languages(self, wanted: Sequence[str], scope: SearchScope | None = None) -> list[str]:
        """The index's tags for what a user asked for: `pt` has all its variants, `pt-PT` what is closest to it.

        Args:
            scope: whose languages these have to be; the index's without it.

        Raises:
            InputError: a language that no document has, or a malformed tag; names those there are.
        """
        languages = self.languages if scope is None else scope.languages
        resolved = [_resolve(tag, languages) for tag in wanted]
        unknown = [tag for tag, found in zip(wanted, resolved, strict=True) if not found]
        if unknown:
            there = ", ".join(f"{language} ({count})" for language, count in languages.items())
            raise InputError(f"no document is in {', '.join(unknown)}; the index has {there or 'no documents'}")
        return list(dict.fromkeys(tag for found in resolved for tag in found))

    def nearest(
        self,
        vector: FloatArray,
        language: str | None,
        k: int,
        languages: Collection[str] = (),
        *,
        quota: float = 0.0,
        scope: SearchScope | None = None,
    ) -> Candidates:
        """The passages nearest to a query.

        Args:
            vector: float32 [D], as the network gave it.
            language: of the query; None when unknown.
            k: at most so many.
            languages: tags of the index to search in; empty for all.
            quota: share of the k that is divided evenly among these languages; the rest goes to the nearest of any.
            scope: to search in; everywhere without it.

        Raises:
            ServerError: the vector is of another length, or not finite.
        """
        require_vectors(vector[None], 1, self.manifest.embedder.dimension, lambda _: "the query")
        query = self._query(vector, language)
        within = self._scopes.whole if scope is None else scope
        pool = sorted(set(languages) & within.labels.keys()) if languages else list(within.labels)
        nearest = self._nearest(query, k, pool, within)
        each = reserved_per_language(k, len(pool), quota)
        if not each or len(pool) == 1:
            return nearest
        reserved = [self._nearest(query, each, [tag], within) for tag in pool]
        return _shared_out(nearest, reserved, k)

    def _nearest(self, query: FloatArray, k: int, pool: Sequence[str], scope: SearchScope) -> Candidates:
        size = scope.size(pool)
        k = min(k, size)
        if k == 0:
            return Candidates(np.empty(0, np.int64), np.empty(0, np.float32), exact=True)
        found = None if self._is_exact(size) else self._search_graph(query, k, pool, scope)
        if found is None:
            return Candidates(*self._compared(query, k, pool, scope), exact=True)
        return Candidates(*found, exact=False)

    def exact_matches(
        self,
        question: str,
        languages: Collection[str] = (),
        *,
        scope: SearchScope | None = None,
        known: SearchScope | None = None,
    ) -> ExactMatches:
        """The passages that hold the question's names and codes, in these languages; in all where none is given.

        Args:
            scope: to search in; everywhere without it.
            known: passages that the asker may know of: which words are names, and rare, is told by these alone.

        Raises:
            InterlinguaError: the store cannot be read.
        """
        among = self._scopes.whole if known is None else known
        found = self.words.exact(
            question,
            lambda labels: self._languages_of(labels, scope=among),
            sum(among.languages.values()),
            lambda labels: self.documents_of(np.array(labels, np.int64)).tolist(),
            among.holds(list(among.labels)),
        )
        if not languages and (scope is None or scope is among):
            return found
        return found.among(self._languages_of(list(found.weights), languages, scope))

    def best_by_words(
        self,
        question: str,
        language: str | None,
        k: int,
        languages: Collection[str] = (),
        *,
        scope: SearchScope | None = None,
    ) -> Candidates:
        """The k passages with the greatest BM25, in these languages; in all where none is given.

        Args:
            scope: to search in; everywhere without it.

        Raises:
            InterlinguaError: the store cannot be read.
        """
        within = self._scopes.whole if scope is None else scope
        is_wanted = within.holds([tag for tag in within.labels if not languages or tag in languages])
        found = self.words.best(question, language or UNDETERMINED, is_wanted, k)
        labels, scores = [label for label, _ in found], [score for _, score in found]
        return Candidates(np.array(labels, np.int64), np.array(scores, np.float32), exact=True)

    def similarities(self, vector: FloatArray, language: str | None, labels: IntArray) -> FloatArray:
        """A query's cosines with passages in the searched space, float32 [n], -1 with those that are gone.

        Args:
            labels: int64 [n].
        """
        return self._cosines(self._query(vector, language), self.offsets if self.has_offsets else None, labels)

    def raw_similarities(self, vector: FloatArray, labels: Sequence[int]) -> list[float]:
        """A query's cosines with passages as the network gave the vectors, -1 with those that are gone."""
        scores: list[float] = self._cosines(unit(vector), None, np.array(labels, np.int64)).tolist()
        return scores

    def _cosines(self, query: FloatArray, offsets: LanguageOffsets | None, labels: IntArray) -> FloatArray:
        order = np.argsort(labels)
        ordered, scores = labels[order], np.full(len(labels), -1, np.float32)
        for block in derived_blocks(self._store, offsets, ordered):
            scores[order[np.searchsorted(ordered, block.labels)]] = block.vectors @ query
        return scores

    def _languages_of(
        self, labels: Sequence[int], languages: Collection[str] = (), scope: SearchScope | None = None
    ) -> dict[int, str]:
        """Tags of those labels that this generation has, in these languages and a scope."""
        wanted = np.sort(np.array(labels, np.int64))
        found: dict[int, str] = {}
        for tag, there in (self._scopes.whole if scope is None else scope).labels.items():
            if not languages or tag in languages:
                places = np.minimum(np.searchsorted(there, wanted), len(there) - 1)
                found.update(dict.fromkeys(wanted[there[places] == wanted].tolist(), tag))
        return found

    def documents(self, labels: IntArray) -> dict[int, Document]:
        """The documents of the labels, whole; those deleted since this generation are left out."""
        return self._store.documents(labels.tolist())

    def found(self, labels: IntArray) -> dict[int, StoredPassage]:
        """The passages of the labels; those deleted since this generation are left out."""
        return self._store.passages(labels.tolist())

    def is_current(self) -> bool:
        """Whether nothing was committed since."""
        return self._store.manifest().generation == self.manifest.generation

    def reopened(self) -> SearchIndex:
        """The store's present generation, on the same connection; this one goes on until it is dropped."""
        return SearchIndex(
            self._store,
            use_offsets=self._use_offsets,
            ef_search=self._ef_search,
        )

    def _query(self, vector: FloatArray, language: str | None) -> FloatArray:
        if not self.has_offsets or self.offsets is None:
            return unit(vector)
        return self.offsets.remove_from_query(vector, language)

    def _is_exact(self, size: int) -> bool:
        if self._graph is None or size * self.manifest.embedder.dimension <= EXACT_FLOATS:
            return True
        return size < self.passages and size <= _FILTERED_EXACT_ROOTS * math.sqrt(self.passages)

    def _search_graph(self, query: FloatArray, k: int, pool: Sequence[str], scope: SearchScope) -> Neighbours | None:
        if self._graph is None:
            return None
        everything = scope.size(pool) == self.passages
        return self._graph.search(query, k, None if everything else scope.look_up(pool))

    def _compared(self, query: FloatArray, k: int, pool: Sequence[str], scope: SearchScope) -> Neighbours:
        if scope.whole:
            return self._exact.search(query, k, pool)
        if self._graph is None or self.passages * self.manifest.embedder.dimension <= EXACT_FLOATS:
            return self._exact.search(query, k, pool, scope)
        return self._scoped.search(query, k, pool, scope)

    def _read(self, labels: IntArray) -> Iterator[Block]:
        return derived_blocks(self._store, self.offsets if self.has_offsets else None, labels)

    def _read_block(self, language: str) -> Block:
        return join(list(self._read(self._labels[language])), self.manifest.embedder.dimension)


def _resolve(tag: str, languages: Collection[str]) -> list[str]:
    try:
        tag = normalize_tag(tag)
    except ValueError as error:
        raise InputError(str(error)) from None
    nearest = closest(tag, languages)
    return covered(tag, languages) or ([nearest] if nearest else [])


def reserved_per_language(candidates: int, languages: int, share: float) -> int:
    """Candidates that each of the languages is sure of, as far as it has documents.

    Without any, a language whose offset was estimated badly, or that a query does not favour, may have none at all, and
    no reranker can bring back what it never sees.

    Args:
        share: of the candidates that is divided among the languages, 0 to 1; what is left goes to the nearest of any.
    """
    return int(share * candidates) // max(languages, 1)


def _shared_out(nearest: Candidates, reserved: Sequence[Candidates], k: int) -> Candidates:
    """The reserved ones, then the nearest of all until there are k; best first."""
    labels = np.concatenate([part.labels for part in (*reserved, nearest)])
    scores = np.concatenate([part.scores for part in (*reserved, nearest)])
    _, first = np.unique(labels, return_index=True)
    kept = np.sort(first)[:k]
    best = np.lexsort((labels[kept], -scores[kept]))
    exact = all(part.exact for part in (*reserved, nearest))
    return Candidates(labels[kept][best], scores[kept][best], exact)
