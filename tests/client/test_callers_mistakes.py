"""What callers give in place of what is asked for is named in an InputError, and nothing is searched or deleted."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from interlingua.base.errors import InputError, ServerError
from interlingua.display.progress import progress, remaining_s
from interlingua_cli.indexing.index_report import summary
from interlingua_cli.indexing.index_work import IndexWork, carry_out
from interlingua_client.document import Document
from interlingua_client.index.document_store import DocumentStore
from interlingua_client.index.indexer import Indexer
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.search.async_retriever import AsyncRetriever
from interlingua_client.search.retriever import Retriever
from interlingua_client.search.search_options import SearchOptions
from interlingua_client.triton.async_inference import AsyncInferenceClient
from interlingua_client.triton.inference import InferenceClient
from interlingua_server.model_control import ModelControl
from tests.client.test_async_refresh import Client as AsyncClient
from tests.client.test_search_log import Client
from tests.support.hash_embedder import HashEmbedder

QUERY = "en:cat"


@pytest.fixture
def retriever(index_dir: Path) -> Iterator[Retriever]:
    with Retriever(SearchIndex.open(index_dir), Client()) as retriever:  # type: ignore[arg-type]
        yield retriever


@pytest.mark.parametrize("query", [None, b"x", 3, ["a"], "", " \n", "a\0"], ids=repr)
def test_a_query_that_is_none(retriever: Retriever, query: Any) -> None:
    with pytest.raises(InputError, match="the query"):
        retriever.search(query)
    with pytest.raises(InputError, match="the query"):
        retriever.search_many([QUERY, query])


@pytest.mark.parametrize("queries", [None, "abc", b"abc", 5], ids=repr)
def test_queries_that_are_none(retriever: Retriever, queries: Any) -> None:
    with pytest.raises(InputError, match="list of texts"):
        retriever.search_many(queries)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("k", "3"), ("k", None), ("k", 2.5), ("k", True), ("candidates", "5"), ("candidates", float("nan")),
        ("languages", "de"), ("languages", None), ("languages", [None]), ("query_language", b"en"),
        ("query_language", "xx"), ("rerank", "no"), ("rerank_weight", "0.5"), ("balance", 1), ("quota", "a"),
        ("deadline_s", "3"), ("deadline_s", float("nan")), ("deadline_s", float("inf")),
        ("deadline_s", float("-inf")), ("deadline_s", 1e300), ("deadline_s", -1e300), ("deadline_s", 2**70),
        ("deadline_s", 1e12), ("deadline_s", 10**400), ("k", 10**400), ("options", {"k": 3}),
    ],
)  # fmt: skip
def test_an_option_of_another_kind(retriever: Retriever, name: str, value: Any) -> None:
    with pytest.raises(InputError, match=name.replace("_language", " ?_?language").removesuffix("s")):
        retriever.search(QUERY, **{name: value})


def test_a_number_that_python_does_not_write(retriever: Retriever) -> None:
    with pytest.raises(InputError, match="deadline_s is a number of thousands of digits"):
        retriever.search(QUERY, deadline_s=10**5000)


def test_whole_numbers_of_other_types_are_taken(retriever: Retriever) -> None:
    assert [len(retriever.search(QUERY, k=k).hits) for k in (2, 2.0)] == [2, 2]  # type: ignore[arg-type]
    assert [len(found.hits) for found in retriever.search_many(iter([QUERY]), k=1)] == [1]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "how",
    [{"index_dir": None}, {"index_dir": b"x"}, {"server": None}, {"server": 8001}, {"ef_search": "5"},
     {"patience_s": "x"}, {"rerank_weight": "x"}],
)  # fmt: skip
def test_opening_with_a_value_of_another_kind(index_dir: Path, how: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Retriever.open(**{"index_dir": index_dir, "server": "127.0.0.1:1", **how})


@pytest.mark.parametrize(
    "given",
    [None, "abc", [None], [("a", "en", "t", "x")], [Document("a", None, "t", "x")], [Document(1, "en", "t", "x")],  # type: ignore[arg-type]
     [Document("a", "en", "", " ")], [Document("", "en", "", "x")], [Document("a", "en", "", "x\0")],
     [Document("a\ud800", "en", "", "x")], [Document("a", "e n", "", "x")]],
)  # fmt: skip
def test_documents_that_are_none(tmp_path: Path, given: Any) -> None:
    with Indexer.open(tmp_path, HashEmbedder()) as indexer:
        with pytest.raises(InputError, match="document"):
            indexer.add(given)
        assert indexer.store.ids() == set()


def test_a_document_has_its_languages_one_tag_whoever_makes_it(tmp_path: Path) -> None:
    tags = ("eng", "en", "deu-Latn", "German", "pt-BR", "pt")
    with Indexer.open(tmp_path, HashEmbedder()) as indexer:
        indexer.add([Document(str(n), tag, "", f"en:word{n}") for n, tag in enumerate(tags)])
        indexer.finish()
    index = SearchIndex.open(tmp_path)
    assert index.languages == {"de": 2, "en": 2, "pt": 1, "pt-BR": 1}
    assert index.resolve_languages(["por"]) == ["pt", "pt-BR"]
    assert index.resolve_languages(["German", "pt-PT"]) == ["de", "pt"]
    index.close()


def test_a_corpus_says_what_its_tags_came_to(tmp_path: Path) -> None:
    rows = [
        ("a", "eng", "The camera shows a red light and does not connect."),
        ("b", "German", "Wo finde ich meine Rechnung vom letzten Monat?"),
        ("c", "xx", "nuqneH"),
        ("d", None, "Como faço para mudar a minha senha do aplicativo?"),
        ("e", "pt-BR", "Onde encontro a minha fatura do mês passado?"),
        ("f", "nb", "Hvordan tilbakestiller jeg passordet mitt?"),
        ("g", None, "Hvordan bytter jeg abonnement på kontoen min?"),
    ]
    lines = [{"id": id_, "text": text} | ({"language": tag} if tag else {}) for id_, tag, text in rows]
    (tmp_path / "c.jsonl").write_text("\n".join(map(json.dumps, lines)))
    work = IndexWork(
        corpus=str(tmp_path / "c.jsonl"),
        delete=None,
        delete_missing=False,
        delete_at_most=0.5,
        skip_bad=False,
        rebuild=False,
        verify=False,
    )
    with Indexer.open(tmp_path / "index", HashEmbedder()) as indexer:
        facts = carry_out(indexer, work) | {"index": "there"}
    assert facts["languages"] == {"no": 2, "pt-BR": 2, "de": 1, "en": 1, "xx": 1}
    assert facts["detected_languages"] == {"pt-BR": 1, "no": 1}
    assert "no registered language's (IANA), each taken for a language: xx 1" in summary(facts)


# -- deletions -------------------------------------------------------------------------------------------------


def delete_missing(directory: Path, corpus: Path, at_most: float = 0.5) -> dict[str, Any]:
    work = IndexWork(
        corpus=str(corpus),
        delete=None,
        delete_missing=True,
        delete_at_most=at_most,
        skip_bad=False,
        rebuild=False,
        verify=False,
    )
    with Indexer.open(directory, HashEmbedder()) as indexer:
        return carry_out(indexer, work)


@pytest.mark.parametrize("kept", [0, 44])
def test_a_corpus_that_came_short_deletes_nothing(
    index_dir: Path, documents: list[Document], tmp_path: Path, kept: int
) -> None:
    corpus = tmp_path / "c.jsonl"
    write_corpus(corpus, documents[:kept])
    with pytest.raises(InputError, match=rf"{90 - kept} of the 90 documents.*more than 50%.*--delete-at-most 1"):
        delete_missing(index_dir, corpus)
    assert size(index_dir) == 90
    assert delete_missing(index_dir, corpus, at_most=1)["documents"] == kept


@pytest.mark.parametrize("ids", ["12", b"12", None, 3, [1], ["1", None]], ids=repr)
def test_ids_that_are_none_delete_nothing(tmp_path: Path, ids: Any) -> None:
    """A text has letters for items: "12" is not the documents 1 and 2."""
    with Indexer.open(tmp_path, HashEmbedder()) as indexer:
        indexer.add([Document(id_, "en", "", "x") for id_ in ("1", "2", "12")])
        with pytest.raises(InputError, match="a list of texts"):
            indexer.delete(ids)
        with pytest.raises(InputError, match="a list of texts"):
            indexer.delete_missing(ids, at_most=1)
        assert indexer.store.ids() == {"1", "2", "12"}
        assert indexer.delete(id_ for id_ in ("1", "gone")) == 1


def test_a_share_is_of_what_a_run_put_in_where_there_was_nothing(tmp_path: Path) -> None:
    with Indexer.open(tmp_path, HashEmbedder()) as indexer:
        indexer.add([Document(f"{number}", "en", "", f"x {number}") for number in range(10)])
        indexer.delete([f"{number}" for number in range(5)])
        assert indexer.delete_missing([f"{number}" for number in range(5, 10)]) == 0
        with pytest.raises(InputError, match="3 of the 5 documents"):
            indexer.delete_missing(["5", "6"])
        assert indexer.delete_missing(["5", "6", "7"]) == 2


def test_a_share_that_is_no_number_allows_nothing(index_dir: Path, documents: list[Document], tmp_path: Path) -> None:
    write_corpus(tmp_path / "c.jsonl", documents[:45])
    with pytest.raises(InputError, match="none was deleted"):
        delete_missing(index_dir, tmp_path / "c.jsonl", at_most=float("nan"))
    assert size(index_dir) == 90


def test_of_what_was_there_before(index_dir: Path, documents: list[Document], tmp_path: Path) -> None:
    write_corpus(tmp_path / "c.jsonl", [document._replace(id=f"new-{document.id}") for document in documents])
    with pytest.raises(InputError, match="90 of the 90 documents"):
        delete_missing(index_dir, tmp_path / "c.jsonl")
    assert size(index_dir) == 180


def test_less_is_deleted(index_dir: Path, documents: list[Document], tmp_path: Path) -> None:
    write_corpus(tmp_path / "c.jsonl", documents[:45])
    assert delete_missing(index_dir, tmp_path / "c.jsonl")["deleted"] == 45


def write_corpus(path: Path, documents: list[Document]) -> None:
    path.write_text("".join(json.dumps(document._asdict()) + "\n" for document in documents))


def size(directory: Path) -> int:
    store = DocumentStore.open(directory)
    try:
        return len(store.ids())
    finally:
        store.close()


# -- progress --------------------------------------------------------------------------------------------------


def test_what_was_there_is_told_apart_from_what_is_done(index_dir: Path, documents: list[Document]) -> None:
    done, skipped = [], []
    with Indexer.open(index_dir, HashEmbedder()) as indexer:
        indexer.add([*documents, Document("new", "en", "", "en:new")], done.append, skipped.append)
    assert (sum(done), sum(skipped)) == (1, 90)


def test_the_rate_is_of_work_done(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 0.0, 10.0, 10.0])
    monkeypatch.setattr("interlingua.display.progress.time", SimpleNamespace(monotonic=lambda: next(now)))
    stream = io.StringIO()
    with progress("indexing", unit="documents", total=1000, stream=stream) as bar:
        bar.skip(900)
        bar.advance(20)
    # 20 in 10 s, and 80 are left
    assert stream.getvalue().splitlines()[0] == "indexing: 920/1000 documents, 2.0/s, 40 s left"
    assert remaining_s(920, 1000, 10.0, 900) == 40.0
    assert remaining_s(900, 1000, 10.0, 900) is None


# -- connections -----------------------------------------------------------------------------------------------


@pytest.fixture
def http_port() -> Iterator[int]:
    """Answers HTTP/1 as Triton's own port does: what is no HTTP is cut off."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                if connection.recv(64).startswith(b"GET"):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def test_a_port_for_http_is_named(http_port: int) -> None:
    address = f"127.0.0.1:{http_port}"
    message = rf"{address} speaks HTTP, where gRPC is meant: .* as in 127\.0\.0\.1:8001"
    with pytest.raises(ServerError, match=message):
        InferenceClient.connect(address)
    with pytest.raises(ServerError, match=message):
        asyncio.run(AsyncInferenceClient.connect(address))  # type: ignore[arg-type]
    with pytest.raises(ServerError, match=message):
        ModelControl(address, "key").is_ready("embedder", 1)


def test_an_asyncio_retriever_is_entered_or_awaited(index_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[AsyncClient] = []

    async def connect(*_: object, digest: str, **__: object) -> AsyncClient:
        made.append(AsyncClient(digest))
        return made[-1]

    monkeypatch.setattr(AsyncInferenceClient, "connect", connect)

    async def search() -> list[int]:
        async with AsyncRetriever.open(index_dir) as retriever:
            first = await retriever.search(QUERY, options=SearchOptions(k=2, rerank=False))
        retriever = await asyncio.create_task(AsyncRetriever.open(index_dir))
        second = await retriever.search(QUERY, k=3, rerank=False)
        await retriever.close()
        return [len(first.hits), len(second.hits)]

    assert asyncio.run(search()) == [2, 3]
    assert [client.is_closed for client in made] == [True, True]
