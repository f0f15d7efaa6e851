"""`Index` for asyncio: every call runs in the index's own thread, one after the other.

async generator --_Drawn, item by item through the loop--> the thread --> Index
a call that is cancelled: its source ends, what was drawn before is committed
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

from interlingua.base.errors import InputError, InterlinguaError
from interlingua_client.index.indexer import DELETED_SHARE
from interlingua_client.writing.index import Index

if TYPE_CHECKING:
    from collections.abc import Generator

    from interlingua_client.index.indexer import IndexOutcome, IndexProgress, IndexSettings
    from interlingua_client.triton.server_address import ServerAddress
    from interlingua_client.writing.given_documents import GivenDocument

_T = TypeVar("_T")


class OpenedForWriting(TypedDict, total=False):
    """What `Index.open` takes, for type checkers."""

    server: str | ServerAddress
    settings: IndexSettings | None
    batch: int
    patience_s: float


class AsyncIndex:
    """`Index` for asyncio; belongs to the event loop it was opened in."""

    def __init__(self, index: Index, thread: concurrent.futures.ThreadPoolExecutor | None = None) -> None:
        """Use `open`, unless an index is at hand; it is closed with this one."""
        self._index = index
        self._is_closed = False
        self._thread = thread or concurrent.futures.ThreadPoolExecutor(1, "interlingua-index")

    @classmethod
    def open(cls, directory: Path | str, **how: Unpack[OpenedForWriting]) -> OpenedIndex:
        """Opens an index as `Index.open` does.

        async with AsyncIndex.open(...) as index: ...       index = await AsyncIndex.open(...)
        """
        return OpenedIndex(partial(Index.open, directory, **how))

    async def __aenter__(self) -> AsyncIndex:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *error: object) -> None:
        await self._end(lambda: self._index.__exit__(kind, *error))

    @property
    def note(self) -> str:
        """What a user should know of the server beside the index, "" where there is nothing (canary.py)."""
        return self._index.note

    async def add(
        self,
        documents: Iterable[GivenDocument] | AsyncIterable[GivenDocument],
        progress: Callable[[int], None] = lambda _: None,
    ) -> IndexProgress:
        """Puts documents in as `Index.add` does, also those of an async generator; `progress` is called in the loop."""
        loop = asyncio.get_running_loop()
        source = _Drawn(documents, loop)
        return await self._run(lambda: self._index.add(source, _in_loop(progress, loop)), source)

    async def update(
        self, changes: Iterable[Mapping[str, object]], progress: Callable[[int], None] = lambda _: None
    ) -> IndexProgress:
        """Changes fields of documents as `Index.update` does; `progress` is called in the loop."""
        loop = asyncio.get_running_loop()
        source = _Drawn(changes, loop)
        return await self._run(lambda: self._index.update(source, _in_loop(progress, loop)), source)

    async def delete(self, ids: Iterable[str]) -> int:
        """Takes documents out as `Index.delete` does."""
        return await self._run(lambda: self._index.delete(ids))

    async def delete_missing(self, kept: Iterable[str], *, at_most: float = DELETED_SHARE) -> int:
        """Takes out what is not among `kept` as `Index.delete_missing` does."""
        return await self._run(lambda: self._index.delete_missing(kept, at_most=at_most))

    async def finish(self) -> IndexOutcome:
        """Puts what was written to full use as `Index.finish` does."""
        return await self._run(self._index.finish)

    async def close(self) -> None:
        """Finishes what is not, and lets go as `Index.close` does."""
        await self._end(self._index.close)

    async def _end(self, close: Callable[[], None]) -> None:
        if not self._is_closed:
            try:
                await self._run(close)
            finally:
                self._is_closed = True
                self._thread.shutdown(wait=False)

    async def _run(self, call: Callable[[], _T], source: _Drawn | None = None) -> _T:
        """The call's answer; when the waiting task is cancelled, its source ends and the call is waited for."""
        if self._is_closed:
            raise InputError(f"the index {self._index.directory} is closed: open it again to write")
        running = asyncio.get_running_loop().run_in_executor(self._thread, call)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            if source is not None:
                source.stop()
            await asyncio.wait([running])
            running.exception()  # it has ended with that of its source, which nobody waits for
            raise


class OpenedIndex:
    """An index that is being opened: to be awaited, or entered with `async with`, which closes it."""

    def __init__(self, opening: Callable[[], Index]) -> None:
        self._opening = opening

    def __await__(self) -> Generator[Any, Any, AsyncIndex]:
        return self._opened().__await__()

    async def __aenter__(self) -> AsyncIndex:
        self._index = await self._opened()
        return self._index

    async def __aexit__(self, *error: Any) -> None:
        await self._index.__aexit__(*error)

    async def _opened(self) -> AsyncIndex:
        thread = concurrent.futures.ThreadPoolExecutor(1, "interlingua-index")
        opening = asyncio.get_running_loop().run_in_executor(thread, self._opening)
        try:
            return AsyncIndex(await asyncio.shield(opening), thread)
        except asyncio.CancelledError:
            await asyncio.wait([opening])
            if opening.exception() is None:
                opening.result().close()
            raise


class _StoppedError(InterlinguaError):
    """The task that gave the documents was cancelled."""


class _Drawn(Iterable[Any]):
    """A source, drawn from in the index's thread until it is stopped."""

    def __init__(self, source: Iterable[Any] | AsyncIterable[Any], loop: asyncio.AbstractEventLoop) -> None:
        self._source, self._loop = source, loop
        self._drawing: concurrent.futures.Future[Any] | None = None
        self._is_stopped = False

    def stop(self) -> None:
        """Ends the source with an error, at its next item."""
        self._is_stopped = True
        if self._drawing is not None:
            self._drawing.cancel()

    def __iter__(self) -> Iterator[Any]:
        source = self._source
        if not isinstance(source, AsyncIterable | Iterable) or isinstance(source, str | bytes | Mapping):
            raise InputError(f"{source!r:.80} was given where several documents are expected")
        for item in self._from_loop(aiter(source)) if isinstance(source, AsyncIterable) else source:
            if self._is_stopped:
                raise _StoppedError("the writing was cancelled")
            yield item

    def _from_loop(self, source: AsyncIterator[Any]) -> Iterator[Any]:
        while True:
            self._drawing = asyncio.run_coroutine_threadsafe(_next(source), self._loop)
            if self._is_stopped:
                self._drawing.cancel()
            try:
                yield self._drawing.result()
            except StopAsyncIteration:
                return
            except concurrent.futures.CancelledError:
                raise _StoppedError("the writing was cancelled") from None


async def _next(source: AsyncIterator[Any]) -> Any:
    return await anext(source)


def _in_loop(progress: Callable[[int], None], loop: asyncio.AbstractEventLoop) -> Callable[[int], None]:
    """The callback, called in the loop from another thread."""

    def tell(count: int) -> None:
        loop.call_soon_threadsafe(progress, count)

    return tell
