"""An open asyncio retriever takes in what was committed, and what was promoted, while searches go on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from interlingua.base.errors import InputError
from interlingua_client.document import Document
from interlingua_client.embedder import Embedded
from interlingua_client.index.index_root import IndexPointer, write_pointer
from interlingua_client.index.indexer import Indexer
from interlingua_client.search.async_retriever import AsyncRetriever
from interlingua_client.triton.async_inference import AsyncInferenceClient
from tests.client.test_index_root import OTHER, build_beside
from tests.client.test_rerank_weight import services
from tests.support.hash_embedder import HashEmbedder


class Client(HashEmbedder):
    """A connection to one version of the embedder, in this process; it waits, if it is told to."""

    def __init__(self, digest: str) -> None:
        super().__init__(digest)
        self.services = services(None)
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.is_closed = False
        self.is_left_behind = False

    async def is_outdated(self) -> bool:
        await asyncio.sleep(0)
        assert not self.is_closed
        return self.is_left_behind

    async def embed(self, *arguments: Any) -> Embedded:  # type: ignore[override]
        await self.may_answer.wait()
        assert not self.is_closed
        return super().embed(*arguments)

    async def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[Client]:
    """Those that were connected, in turn."""
    made: list[Client] = []

    async def connect(*_: object, digest: str, **__: object) -> Client:
        made.append(Client(digest))
        return made[-1]

    monkeypatch.setattr(AsyncInferenceClient, "connect", connect)
    return made


async def ids(retriever: AsyncRetriever) -> list[str]:
    result = await retriever.search("en:zebra", k=1, query_language="en")
    return [hit.id for hit in result.hits]


def test_what_was_committed_is_found_after_a_refresh(index_dir: Path, clients: list[Client]) -> None:
    async def search() -> None:
        async with await AsyncRetriever.open(index_dir, load_detector=False) as retriever:
            with Indexer.open(index_dir, HashEmbedder()) as indexer:
                indexer.add([Document("new", "en", "", "en:zebra")])
                indexer.finish()
            assert await ids(retriever) != ["new"]
            assert await retriever.refresh()
            assert await ids(retriever) == ["new"]
            assert not await retriever.refresh()

    asyncio.run(search())
    assert [client.is_closed for client in clients] == [True]


def test_after_a_promotion_running_searches_end_with_what_they_began_with(
    index_dir: Path, clients: list[Client]
) -> None:
    build_beside(index_dir)

    async def search() -> None:
        async with await AsyncRetriever.open(index_dir, load_detector=False) as retriever:
            clients[0].may_answer.clear()
            running = asyncio.create_task(ids(retriever))
            await asyncio.sleep(0)  # it asks for its vector
            write_pointer(index_dir, IndexPointer("versions/hash-2", "."))
            assert await retriever.refresh()
            assert retriever.index.manifest.embedder.digest == OTHER.identity.digest
            await ids(retriever)
            assert clients[1].embedded == ["en:zebra"]
            assert not clients[0].is_closed
            clients[0].may_answer.set()
            await running
            assert clients[0].embedded == ["en:zebra"]
            assert clients[0].is_closed
            assert not await retriever.refresh()

    asyncio.run(search())
    assert [client.is_closed for client in clients] == [True, True]


def test_another_reranker_is_asked_after_a_refresh(index_dir: Path, clients: list[Client]) -> None:
    async def search() -> None:
        async with await AsyncRetriever.open(index_dir, load_detector=False) as retriever:
            clients[0].may_answer.clear()
            running = asyncio.create_task(ids(retriever))
            await asyncio.sleep(0)  # it asks for its vector
            assert not await retriever.refresh()
            clients[0].is_left_behind = True
            assert await retriever.refresh()
            assert not clients[0].is_closed
            clients[0].may_answer.set()
            await running
            assert clients[0].is_closed
            assert not await retriever.refresh()
            await ids(retriever)
            assert clients[1].embedded == ["en:zebra"]

    asyncio.run(search())
    assert [client.is_closed for client in clients] == [True, True]


def test_a_refresh_that_fails_leaves_the_retriever_as_it_was(index_dir: Path, clients: list[Client]) -> None:
    async def search() -> None:
        async with await AsyncRetriever.open(index_dir, load_detector=False) as retriever:
            before = await ids(retriever)
            write_pointer(index_dir, IndexPointer("versions/nothing", "."))
            with pytest.raises(InputError):
                await retriever.refresh()
            assert await ids(retriever) == before

    asyncio.run(search())
    assert [client.is_closed for client in clients] == [True]
