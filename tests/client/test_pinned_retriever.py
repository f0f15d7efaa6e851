"""Retrievers for a part of the documents: pinned when they are opened, or views of one that is open."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from interlingua.base.errors import InputError
from interlingua_client.document import Document
from interlingua_client.filtering.filter_parsing import parse
from interlingua_client.index.indexer import Indexer
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.search.async_retriever import AsyncRetriever
from interlingua_client.search.pinned_filter import pinned_to
from interlingua_client.search.retriever import Retriever
from interlingua_client.search.search_log import SearchLog
from interlingua_client.search.search_options import SearchOptions
from interlingua_client.triton.inference import InferenceClient
from tests.client.sample_documents import make_documents
from tests.client.test_search_log import AsyncClient, Client, lines
from tests.support.hash_embedder import HashEmbedder

TENANTS = ("acme", "rival", "third")
WIDER: list[dict[str, Any]] = [
    {"or": [{"tenant": "acme"}, {"tenant": "rival"}]},
    {"not": {"tenant": "third"}},
    {"tenant": list(TENANTS)},
    {"or": [{"not": {"tenant": "acme"}}, {"tenant": {"exists": True}}]},
]


@pytest.fixture(scope="module")
def tenants_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """90 documents of three tenants, in turn, of two levels each."""
    directory = tmp_path_factory.mktemp("tenants") / "index"
    with Indexer.open(directory, HashEmbedder()) as indexer:
        indexer.add(
            document._replace(metadata={"tenant": TENANTS[row % 3], "level": row % 2})
            for row, document in enumerate(make_documents())
        )
        indexer.finish()
    return directory


@pytest.fixture
def retriever(tenants_dir: Path, tmp_path: Path) -> Iterator[Retriever]:
    index, log = SearchIndex.open(tenants_dir), SearchLog(tmp_path / "search.log")
    with Retriever(index, Client(), log=log) as opened:  # type: ignore[arg-type]
        yield opened


def commit(directory: Path, **owners: str) -> None:
    with Indexer.open(directory, HashEmbedder()) as indexer:
        indexer.add([Document(id_, "en", "", f"en:{id_}", {"tenant": tenant}) for id_, tenant in owners.items()])
        indexer.finish()


def tenants(result: Any) -> set[str]:
    return {str(hit.metadata["tenant"]) for hit in result.hits}


def test_a_filter_is_an_option_of_a_search(retriever: Retriever) -> None:
    wanted = {"tenant": ["acme", "third"], "level": {"gt": 0}}
    result = retriever.search("en:cat", k=100, filter=wanted)
    assert len(result.hits) == 30
    assert tenants(result) == {"acme", "third"}
    assert {hit.metadata["level"] for hit in result.hits} == {1}
    assert retriever.search("en:cat", k=100, options=SearchOptions(filter=wanted)).hits == result.hits


def test_a_view_cannot_be_widened(retriever: Retriever) -> None:
    view = retriever.within({"tenant": "acme"})
    assert tenants(view.search("en:cat", k=100)) == {"acme"}
    for wanted in WIDER:
        assert tenants(view.search("en:cat", k=100, filter=wanted)) == {"acme"}
        assert all(tenants(found) == {"acme"} for found in view.search_many(["en:cat", "de:sun"], k=100, filter=wanted))
    assert view.search("en:cat", k=100, filter={"tenant": "acme"}).hits
    assert tenants(retriever.search("en:cat", k=100)) == set(TENANTS)


def test_a_view_of_a_view_is_narrower(retriever: Retriever) -> None:
    view = retriever.within({"tenant": ["acme", "rival"]}).within({"tenant": ["rival", "third"]})
    assert tenants(view.search("en:cat", k=100)) == {"rival"}
    narrow = view.within({"level": 0})
    assert {hit.metadata["level"] for hit in narrow.search("en:cat", k=100).hits} == {0}


def test_closing_a_view_closes_nothing(retriever: Retriever) -> None:
    with retriever.within({"tenant": "acme"}) as view:
        view.search("en:cat")
    assert len(retriever.search("en:cat").hits) == 10


def test_a_view_sees_what_its_retriever_takes_in(tmp_path: Path) -> None:
    directory = tmp_path / "index"
    commit(directory, one="acme", two="rival")
    retriever = Retriever(SearchIndex.open(directory), Client())  # type: ignore[arg-type]
    view = retriever.within({"tenant": "acme"})
    assert [hit.id for hit in view.search("en:cat").hits] == ["one"]
    commit(directory, one="rival", two="rival", three="acme")
    assert retriever.refresh()
    assert [hit.id for hit in view.search("en:cat").hits] == ["three"]
    retriever.close()


def test_a_pin_that_fits_no_more_finds_nothing_rather_than_everything(tmp_path: Path) -> None:
    directory, withheld = tmp_path / "index", {"not": {"tenant": "rival"}}
    commit(directory, one="acme", two="rival")
    plain, pinned = (Retriever(SearchIndex.open(directory), Client()) for _ in range(2))  # type: ignore[arg-type]
    pinned._pinned = pinned_to(pinned.index, withheld, None)
    view = plain.within(withheld)
    assert [hit.id for hit in view.search("en:cat").hits] == ["one"]
    with Indexer.open(directory, HashEmbedder()) as indexer:  # the field is called otherwise from now on
        indexer.add([Document(id_, "en", "", f"en:{id_}", {"owner": "rival"}) for id_ in ("one", "two", "hidden")])
        indexer.finish()
    assert plain.refresh()
    assert len(plain.search("en:cat").hits) == 3
    with pytest.raises(InputError) as caught:
        view.search("en:cat", filter={"owner": "rival"})
    assert "the pinned filter asks for what no document of this index has any more" in str(caught.value)
    assert "owner" not in str(caught.value)
    with pytest.raises(InputError, match="has no longer what is pinned: filter: no document has a field 'tenant'"):
        pinned.refresh()
    assert pinned.index.manifest.generation < plain.index.manifest.generation
    plain.close()
    pinned.close()


@pytest.mark.parametrize(
    ("pinned", "said"),
    [
        ({}, "it must have a condition"),
        ({"tennant": "acme"}, "did you mean 'tenant'?"),
        ({"not": {"tennant": "acme"}}, "did you mean 'tenant'?"),
        ({"tenant": 5}, "asks for numbers, and the field holds texts"),
        ({"and": []}, "filter.and is []"),
        ("tenant=acme", "it must be a JSON object"),
    ],
    ids=str,
)
def test_a_slip_in_a_pinned_filter_is_told_when_it_is_pinned(retriever: Retriever, pinned: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        retriever.within(pinned)
    assert said in str(caught.value)


def test_what_a_view_s_caller_is_told_is_of_the_view_alone(retriever: Retriever) -> None:
    view = retriever.within({"tenant": "acme", "language": "en"})
    with pytest.raises(InputError, match=r"no document is in de; the index has en \(10\)$"):
        view.search("en:cat", languages=["de"])
    with pytest.raises(InputError) as caught:
        view.search("en:cat", filter={"tenants": "x"})
    assert "rival" not in str(caught.value)


def test_asyncio_does_the_same(tenants_dir: Path) -> None:
    async def search() -> None:
        retriever = AsyncRetriever(SearchIndex.open(tenants_dir), AsyncClient())  # type: ignore[arg-type]
        async with retriever.within({"tenant": "acme"}) as view:
            for wanted in WIDER:
                assert tenants(await view.search("en:cat", k=100, filter=wanted)) == {"acme"}
                [found] = await view.search_many(["en:cat"], k=100, filter=wanted)
                assert tenants(found) == {"acme"}
        assert tenants(await retriever.search("en:cat", k=100)) == set(TENANTS)
        await retriever.close()

    asyncio.run(search())


def test_opening_pins(tenants_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InferenceClient, "connect", lambda *_, **__: Client())
    with Retriever.open(tenants_dir, pinned={"tenant": "acme"}, load_detector=False) as retriever:
        for wanted in (None, *WIDER):
            assert tenants(retriever.search("en:cat", k=100, query_language="en", filter=wanted)) == {"acme"}
    with pytest.raises(InputError, match="did you mean 'tenant'"):
        Retriever.open(tenants_dir, pinned={"tennant": "acme"}, load_detector=False)


def test_an_empty_index_can_be_pinned(tmp_path: Path) -> None:
    with Indexer.open(tmp_path / "empty", HashEmbedder()) as indexer:
        indexer.finish()
    index = SearchIndex.open(tmp_path / "empty")
    pinned = pinned_to(index, {"tenant": "acme"}, None)
    assert pinned is not None
    assert len(index.scope(parse({"level": 3}), pinned)) == 0


@pytest.mark.parametrize("with_text", [False, True])
def test_the_log_says_that_there_was_a_filter(tenants_dir: Path, tmp_path: Path, *, with_text: bool) -> None:
    path = tmp_path / f"{with_text}.log"
    log = SearchLog(path, include_text=with_text)
    with Retriever(SearchIndex.open(tenants_dir), Client(), log=log) as retriever:  # type: ignore[arg-type]
        retriever.search("en:cat")
        retriever.within({"tenant": "acme"}).search("en:cat", filter={"level": 1})
        retriever.search("en:cat", filter=MappingProxyType({"or": [MappingProxyType({"level": {"gte": 0}})]}))
    plain, filtered, by_mapping = lines(path)
    assert by_mapping["filter"] == ({"or": [{"level": {"gte": 0}}]} if with_text else True)
    assert (log.written, log.lost) == (3, 0)
    assert (plain["filter"], plain["pinned"]) == (None, False)
    assert (filtered["filter"], filtered["pinned"]) == ({"level": 1} if with_text else True, True)
    assert b"acme" not in path.read_bytes()
    assert json.dumps(filtered)
