"""Text in, ranked hits out: the retriever for asyncio.

Only the network is awaited; what runs on the CPU in between (the nearest vectors, some rows of SQLite) takes a
millisecond or so and stays on the event loop.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from interlingua_client.deadline import Deadline
from interlingua_client.index.index_root import as_path
from interlingua_client.search.index_pair import IndexPair, InUse, Opened, Opening
from interlingua_client.search.pinned_filter import pinned_to, require_pinned
from interlingua_client.search.search_log import SearchLog, noting
from interlingua_client.search.search_options import DEFAULT_OPTIONS, SearchChanges, SearchOptions, require_options
from interlingua_client.search.search_request import SearchRequest, require_queries
from interlingua_client.search.search_steps import Searcher
from interlingua_client.search.search_walk import SearchWalk, carried_out_async

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from interlingua_client.filtering.filter_tree import DocumentFilter
    from interlingua_client.index.search_index import SearchIndex
    from interlingua_client.search.results import SearchResult
    from interlingua_client.triton.async_inference import AsyncInferenceClient

_SEARCHES_IN_FLIGHT = 32


class AsyncRetriever:
    """`Retriever` for asyncio; belongs to the event loop it was opened in."""

    def __init__(
        self,
        index: SearchIndex,
        client: AsyncInferenceClient,
        *,
        rerank_weight: float | None = None,
        log: SearchLog | None = None,
    ) -> None:
        """Use `open`, unless all is at hand; the retriever closes index and client."""
        self._log = log
        self._left: list[IndexPair[AsyncInferenceClient]] = []  # replaced, searched with no more, still to be closed
        self._in_use = InUse(IndexPair(Searcher.of(index, client.services, rerank_weight), client), self._left.append)
        self._opening: Opening | None = None
        self._pinned: DocumentFilter | None = None
        self._is_view = False

    @classmethod
    def open(
        cls,
        index_dir: Path | str,
        *,
        log: SearchLog | Path | str | None = None,
        log_text: bool = False,
        pinned: Mapping[str, Any] | None = None,
        **how: Unpack[Opened],
    ) -> OpenedRetriever:
        """Opens an index as `Retriever.open` does; reading it blocks the loop, so do it before there is traffic.

        async with AsyncRetriever.open(...) as retriever: ...       retriever = await AsyncRetriever.open(...)
        """
        return OpenedRetriever(cls._opened(index_dir, log, log_text, pinned, how))

    @classmethod
    async def _opened(
        cls,
        index_dir: Path | str,
        log: SearchLog | Path | str | None,
        log_text: bool,
        pinned: Mapping[str, Any] | None,
        how: Opened,
    ) -> AsyncRetriever:
        opening = Opening(index_dir=as_path(index_dir), **how)
        pair = await opening.open_async()
        retriever = cls(pair.searcher.index, pair.client)
        retriever._in_use, retriever._opening = InUse(pair, retriever._left.append), opening
        try:
            retriever._log = SearchLog.of(log, include_text=log_text)
            retriever._pinned = pinned_to(retriever.index, pinned, None)
        except BaseException:
            await retriever.close()
            raise
        return retriever

    def within(self, pinned: Mapping[str, Any]) -> AsyncRetriever:
        """A view of some documents, as `Retriever.within` makes it; a first filter's reading blocks the loop."""
        view = copy.copy(self)
        with self._in_use.used() as (searcher, _, _):
            view._pinned, view._is_view = pinned_to(searcher.index, pinned, self._pinned), True
        return view

    async def __aenter__(self) -> AsyncRetriever:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the index and of the connection."""
        if self._is_view:
            return
        await self._close_left()
        await _close(self._in_use.pair)
        if self._log is not None:
            self._log.close()

    @property
    def note(self) -> str:
        """What a user should know of this server beside this index, "" where there is nothing (canary.py)."""
        return self._in_use.pair.note

    @property
    def index(self) -> SearchIndex:
        """The index as it was when opened, or at the last `refresh`."""
        return self._in_use.pair.searcher.index

    async def refresh(self) -> bool:
        """Looks for a newer index as `Retriever.refresh` does; reading the index blocks the loop."""
        if self._opening is not None and not await self._is_current(self._opening):
            pair = await self._opening.open_async()
            try:
                require_pinned(pair.searcher.index, self._pinned)
            except BaseException:
                await _close(pair)
                raise
            self._in_use.replace(pair)
            await self._close_left()
            return True
        return self._in_use.reread(lambda index: require_pinned(index, self._pinned))

    async def _is_current(self, opening: Opening) -> bool:
        try:
            with self._in_use.used() as (searcher, client, _):
                return opening.is_current(searcher.index) and not await client.is_outdated()
        finally:
            await self._close_left()

    async def search(
        self,
        query: str,
        *in_place: Any,
        options: SearchOptions = DEFAULT_OPTIONS,
        deadline_s: float | None = None,
        **changes: Unpack[SearchChanges],
    ) -> SearchResult:
        """Searches as `Retriever.search` does."""
        request = SearchRequest(
            query, require_options(options).changed(in_place, changes), Deadline.within(deadline_s), self._pinned
        )
        return await self._noted(request)

    async def search_many(
        self,
        queries: Sequence[str],
        *in_place: Any,
        options: SearchOptions = DEFAULT_OPTIONS,
        **changes: Unpack[SearchChanges],
    ) -> list[SearchResult]:
        """`search` for many queries, up to 32 at a time; the server batches them."""
        gate, chosen = asyncio.Semaphore(_SEARCHES_IN_FLIGHT), require_options(options).changed(in_place, changes)

        async def one(query: str) -> SearchResult:
            async with gate:
                return await self._noted(SearchRequest(query, chosen, pinned=self._pinned))

        tasks = [asyncio.create_task(one(query)) for query in require_queries(queries)]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _noted(self, request: SearchRequest) -> SearchResult:
        try:
            with (
                self._in_use.used() as (searcher, client, _),
                noting(self._log, searcher, client.services, [request]) as note,
            ):
                return note(request, await carried_out_async(SearchWalk(searcher.steps(request)), client))
        finally:
            await self._close_left()

    async def _close_left(self) -> None:
        while self._left:
            await _close(self._left.pop())


class OpenedRetriever(Coroutine[Any, Any, AsyncRetriever]):
    """A retriever that is being opened: a coroutine to be awaited, or entered with `async with`, which closes it."""

    def __init__(self, opening: Coroutine[Any, Any, AsyncRetriever]) -> None:
        self._opening = opening

    def __await__(self) -> Generator[Any, Any, AsyncRetriever]:
        return self._opening.__await__()

    def send(self, value: Any) -> Any:
        """Goes on as a coroutine does."""
        return self._opening.send(value)

    def throw(self, *error: Any) -> Any:
        """Goes on with an error as a coroutine does."""
        return self._opening.throw(*error)

    def close(self) -> None:
        """Gives the opening up as a coroutine does; what is open is closed by `AsyncRetriever.close`."""
        self._opening.close()

    async def __aenter__(self) -> AsyncRetriever:
        self._retriever = await self._opening
        return self._retriever

    async def __aexit__(self, *_: object) -> None:
        await self._retriever.close()


async def _close(pair: IndexPair[AsyncInferenceClient]) -> None:
    await pair.client.close()
    pair.searcher.index.close()
