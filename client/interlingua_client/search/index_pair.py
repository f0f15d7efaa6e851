"""A searcher and the client it asks, changed for others while searches go on.

search: with used() as (searcher, client): both of one embedder, whatever is promoted meanwhile
change: replace(searcher, client) -> new searches take these; the old ones are let go after their last search
"""

from __future__ import annotations

import threading
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypedDict, TypeVar

from interlingua.base.errors import InputError
from interlingua.base.options import is_number
from interlingua_client.index.canary import TEXTS, compare, is_wanted
from interlingua_client.index.index_root import current_folder
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.search.search_options import require_weight
from interlingua_client.search.search_steps import Searcher
from interlingua_client.triton.async_inference import AsyncInferenceClient
from interlingua_client.triton.inference import InferenceClient
from interlingua_client.triton.server_address import DEFAULT_SERVER, ServerAddress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from interlingua_client.embedder import FloatArray

_C = TypeVar("_C", bound=InferenceClient | AsyncInferenceClient)


class IndexPair(NamedTuple, Generic[_C]):
    """What belongs together: the index and the version of the embedder it was built with.

    Attributes:
        note: what a user should know of the two, "" where there is nothing (canary.py).
    """

    searcher: Searcher
    client: _C
    note: str = ""

    @property
    def is_asked(self) -> bool:
        """Whether the server's engine has to be asked what it computes."""
        return is_wanted(self.client.identity.precision) and self.searcher.index.manifest.canary is not None

    def heard(self, vectors: FloatArray, directory: Path) -> IndexPair[_C]:
        """With what there is to say of the canary's vectors. Raises InputError: they are others."""
        return self._replace(note=compare(self.searcher.index.manifest, vectors, directory))


def close_pair(pair: IndexPair[InferenceClient]) -> None:
    """Let go of the connection and of the index."""
    pair.client.close()
    pair.searcher.index.close()


class InUse(Generic[_C]):
    """The pair in use; safe to use from several threads."""

    def __init__(self, pair: IndexPair[_C], let_go: Callable[[IndexPair[_C]], None]) -> None:
        """`let_go` gets every pair that was replaced, after the last search with it; it is to be closed."""
        self._lock = threading.Lock()
        self._let_go = let_go
        self._pair = pair
        self._searches = [0]  # that run with this pair; each pair has a count of its own

    @property
    def pair(self) -> IndexPair[_C]:
        """What the next search takes; another thread may close it."""
        return self._pair

    @contextmanager
    def used(self) -> Iterator[IndexPair[_C]]:
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
                self._let_go(pair)

    def replace(self, pair: IndexPair[_C]) -> None:
        """Change to another index and client."""
        with self._lock:
            old, searches = self._pair, self._searches
            self._pair, self._searches = pair, [0]
            idle = searches[0] == 0
        if idle:
            self._let_go(old)

    def reread(self, require: Callable[[SearchIndex], None]) -> bool:
        """Take in what was committed to the same index, on the same connections; whether there was anything.

        Args:
            require: looks at what is to be searched from now on; when it raises, all stays as it is.
        """
        with self.used() as pair:
            if pair.searcher.index.is_current():
                return False
            index = pair.searcher.index.reopened()
            require(index)
            with self._lock:
                if self._pair is pair:  # else another one was promoted, or read, meanwhile
                    self._pair = pair._replace(searcher=pair.searcher.with_index(index))
        return True


class Opened(TypedDict, total=False):
    """The fields of Opening as keywords, for type checkers."""

    server: str | ServerAddress
    use_offsets: bool
    ef_search: int | None
    patience_s: float
    load_detector: bool
    rerank_weight: float | None


@dataclass(frozen=True, kw_only=True)
class Opening:
    """How a pair is opened, at first and after a promotion. Raises InputError: weight or patience is out of range.

    Attributes:
        use_offsets: False leaves the language offsets in, for comparison (exact search over raw vectors).
        ef_search: in place of the saved one.
        patience_s: how long a search without a deadline waits for a server that went away.
        load_detector: False leaves the language detector (0.4 s) to the first query that needs it.
        rerank_weight: the reranker's share in the score, 0 (dense order) to 1 (reranker alone), in place of the one
            its service states; a search may name another one.
    """

    index_dir: Path
    server: str | ServerAddress = DEFAULT_SERVER
    use_offsets: bool = True
    ef_search: int | None = None
    patience_s: float = 30.0
    load_detector: bool = True
    rerank_weight: float | None = None

    def __post_init__(self) -> None:
        require_weight(self.rerank_weight)
        if not is_number(self.patience_s, low=0):
            raise InputError(f"patience_s is {self.patience_s!r}, it must be a number of seconds from 0 on")

    def open(self) -> IndexPair[InferenceClient]:
        """The index that is current now, and a client of its embedder's version. Raises as `Retriever.open`."""
        with ExitStack() as undo:
            index = self._index()
            undo.callback(index.close)
            digest = index.manifest.embedder.digest
            client = InferenceClient.connect(self.server, patience_s=self.patience_s, digest=digest)
            undo.callback(client.close)
            pair = self._pair(index, client)
            if pair.is_asked:
                pair = pair.heard(client.embed(TEXTS, "document").vectors, self.index_dir)
            undo.pop_all()
        return pair

    async def open_async(self) -> IndexPair[AsyncInferenceClient]:
        """Opens as `open` does; only the network is awaited, reading the index is not."""
        async with AsyncExitStack() as undo:
            index = self._index()
            undo.callback(index.close)
            digest = index.manifest.embedder.digest
            client = await AsyncInferenceClient.connect(self.server, patience_s=self.patience_s, digest=digest)
            undo.push_async_callback(client.close)
            pair = self._pair(index, client)
            if pair.is_asked:
                pair = pair.heard((await client.embed(TEXTS, "document")).vectors, self.index_dir)
            undo.pop_all()
        return pair

    def is_current(self, index: SearchIndex) -> bool:
        """Whether `open` would open the same index."""
        return current_folder(self.index_dir) == index.directory

    def _index(self) -> SearchIndex:
        return SearchIndex.open(self.index_dir, use_offsets=self.use_offsets, ef_search=self.ef_search)

    def _pair(self, index: SearchIndex, client: _C) -> IndexPair[_C]:
        index.manifest.require_embedder(client.identity, self.index_dir)
        searcher = Searcher.of(index, client.services, self.rerank_weight)
        if self.load_detector:
            searcher.load_detector()
        return IndexPair(searcher, client)
