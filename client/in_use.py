"""A searcher and the client it asks, changed for others while searches go on.

search: with used() as (searcher, client): both of one embedder, whatever is promoted meanwhile
change: replace(searcher, client) -> new searches take these; the old ones are closed after their last search
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from client.index_root import current_folder
from client.inference import InferenceClient
from client.search_index import SearchIndex
from client.search_steps import Searcher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from client.server_address import ServerAddress


class Pair(NamedTuple):
    """What belongs together: the index and the version of the embedder it was built with."""

    searcher: Searcher
    client: InferenceClient

    def close(self) -> None:
        """Let go of the connection and of the index."""
        self.client.close()
        self.searcher.index.close()


class InUse:
    """The pair in use; safe to use from several threads."""

    def __init__(self, pair: Pair) -> None:
        self._lock = threading.Lock()
        self._pair = pair
        self._searches = [0]  # that run with this pair; each pair has a count of its own

    @property
    def pair(self) -> Pair:
        """What the next search takes; another thread may close it."""
        return self._pair

    @contextmanager
    def used(self) -> Iterator[Pair]:
        """The pair, open until the block ends."""
        with self._lock:
            pair, searches = self._pair, self._searches
            searches[0] += 1
        try:
            yield pair
        finally:
            with self._lock:
                searches[0] -= 1
                last = searches[0] == 0 and searches is not self._searches
            if last:
                pair.close()

    def replace(self, pair: Pair) -> None:
        """Change to another index and client."""
        with self._lock:
            old, searches = self._pair, self._searches
            self._pair, self._searches = pair, [0]
            idle = searches[0] == 0
        if idle:
            old.close()

    def replace_searcher(self, searcher: Searcher) -> None:
        """Change to another generation of the same index, on the same connections."""
        with self._lock:
            self._pair = self._pair._replace(searcher=searcher)


@dataclass(frozen=True)
class Opening:
    """How a pair is opened, at first and after a promotion; `Retriever.open` explains each."""

    index_dir: Path
    server: str | ServerAddress
    use_offsets: bool
    ef_search: int | None
    patience_s: float
    load_detector: bool
    rerank_weight: float | None

    def open(self) -> Pair:
        """The index that is current now, and a client of its embedder's version. Raises as `Retriever.open`."""
        index = SearchIndex.open(self.index_dir, use_offsets=self.use_offsets, ef_search=self.ef_search)
        try:
            client = self._connected(index)
        except BaseException:
            index.close()
            raise
        pair = Pair(Searcher.of(index, client.services, self.rerank_weight), client)
        if self.load_detector:
            pair.searcher.load_detector()
        return pair

    def is_current(self, pair: Pair) -> bool:
        """Whether `open` would open the same index."""
        return current_folder(self.index_dir) == pair.searcher.index.directory

    def _connected(self, index: SearchIndex) -> InferenceClient:
        wanted = index.manifest.embedder.digest
        client = InferenceClient.connect(self.server, patience_s=self.patience_s, digest=wanted)
        try:
            index.manifest.require_embedder(client.identity, self.index_dir)
        except BaseException:
            client.close()
            raise
        return client
