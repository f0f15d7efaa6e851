"""The search log: what a line holds and what it does not, that none is lost, and that no search fails for it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interlingua.base.errors import DeadlineExceededError, InputError, RequestRejectedError, ServerError
from interlingua_client.deadline import Deadline
from interlingua_client.embedder import Embedded, Reranked, Role, ServiceTimes
from interlingua_client.index.indexer import Indexer
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.log_file import LogFile
from interlingua_client.search.async_retriever import AsyncRetriever
from interlingua_client.search.retriever import Retriever
from interlingua_client.search.search_log import SearchLog
from interlingua_client.triton.server_failures import EmbedderChangedError, ServerAwayError
from tests.client.test_rerank_weight import services, spec
from tests.support.hash_embedder import HashEmbedder

QUERY = "en:cat en:dog"
SECRETS = [b"dog", b"moon", b"en-", b"fr-", b"en:", b"Kennwort"]


class Client(HashEmbedder):
    """An embedder and a reranker in this process: what a retriever asks of a connection."""

    def __init__(self) -> None:
        super().__init__()
        self.services = services(0.8)
        self.embed_error: Exception | None = None
        self.rerank_error: Exception | None = None
        self.logit = 1.0

    def embed(self, texts: Any, role: Role, deadline: Deadline | None = None) -> Embedded:
        if self.embed_error:
            raise self.embed_error
        return super().embed(texts, role, deadline)

    def rerank(self, query: str, passages: list[str], deadline: Deadline | None = None) -> Reranked:  # noqa: ARG002
        if self.rerank_error:
            raise self.rerank_error
        logits = [self.logit * passage.count("moon") for passage in passages]
        return Reranked(np.array(logits, np.float32), ServiceTimes(0.001))

    def close(self) -> None:
        pass


class AsyncClient(Client):
    async def embed(self, *arguments: Any) -> Embedded:  # type: ignore[override]
        return super().embed(*arguments)

    async def rerank(self, *arguments: Any) -> Reranked:  # type: ignore[override]
        return super().rerank(*arguments)

    async def close(self) -> None:  # type: ignore[override]
        pass


def opened(index_dir: Path, log: SearchLog, client: Client | None = None, **index: Any) -> Retriever:
    return Retriever(SearchIndex.open(index_dir, **index), client or Client(), log=log)  # type: ignore[arg-type]


def lines(path: Path) -> list[dict[str, Any]]:
    content = path.read_bytes()
    assert not content or content.endswith(b"\n")
    return [json.loads(line) for line in content.splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "search.log"


def test_a_line_says_what_the_result_says(index_dir: Path, path: Path) -> None:
    with opened(index_dir, SearchLog(path)) as retriever:
        before = datetime.now(UTC)
        result = retriever.search(QUERY, k=3, candidates=20, languages=("EN", "fr"), query_language="en")
    [line] = lines(path)
    said = json.loads(json.dumps(result.to_dict()))
    assert before.timestamp() - 0.001 <= datetime.fromisoformat(line["time"]).timestamp() <= time.time()
    assert line["time"].endswith("+00:00")
    assert (line["format"], line["embedder"], line["reranker"]) == (1, "hash-1", spec(0.8).digest)
    assert (line["k"], line["candidates"], line["languages"]) == (3, 20, ["en", "fr"])
    assert line["language"] == {"tag": "en", "source": "given", "confidence": 1.0}
    assert line["reranking"] == {"depth": 20, "wanted": 20, "reason": "", "weight": 0.8, "stored": 0}
    for name in ("query_tokens", "query_truncated", "exact", "offsets", "vanished"):
        assert line[name] == said[name]
    assert len(line["hits"]) == 3
    for logged, hit in zip(line["hits"], said["hits"], strict=True):
        assert logged.keys() == {"language", "score", "dense_score", "dense_rank", "rerank_score"}
        assert (logged["language"], logged["dense_rank"]) == (hit["language"], hit["dense_rank"])
        for name in ("score", "dense_score", "rerank_score"):
            assert logged[name] == pytest.approx(hit[name], abs=1e-6)
    assert line["times"].keys() == said["times"].keys()
    assert line["times"]["total_s"] == pytest.approx(said["times"]["total_s"], abs=1e-6)
    assert line["times"]["queue_s"] is None


def test_no_texts_and_no_ids_unless_asked(index_dir: Path, path: Path, tmp_path: Path) -> None:
    client = Client()
    with opened(index_dir, SearchLog(path), client) as retriever:
        retriever.search(QUERY)
        retriever.search_many([QUERY, "de:moon Kennwort"])
        client.rerank_error = RequestRejectedError(f"cannot score {QUERY!r}")
        retriever.search(QUERY)
        client.embed_error = RequestRejectedError(f"cannot embed {QUERY!r}")
        with pytest.raises(RequestRejectedError):
            retriever.search(QUERY)
    assert len(lines(path)) == 5
    assert [secret for secret in SECRETS if secret in path.read_bytes()] == []

    asked = tmp_path / "text.log"
    client.embed_error = None
    with opened(index_dir, SearchLog(asked, include_text=True), client) as retriever:
        found = retriever.search("Kennwort en:cat", k=2).hits
        client.embed_error = RequestRejectedError("not UTF-8")
        with pytest.raises(RequestRejectedError):
            retriever.search("half a pair \ud800")
    first, second = lines(asked)
    assert first["query"] == "Kennwort en:cat"
    assert [(hit["id"], hit["title"]) for hit in first["hits"]] == [(hit.id, hit.title) for hit in found]
    assert second["query"] == "half a pair \ud800"
    assert asked.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DeadlineExceededError("late"), "deadline"),
        (RequestRejectedError("no"), "rejected"),
        (ServerAwayError("gone"), "away"),
        (EmbedderChangedError("other"), "server"),
        (RuntimeError("a bug"), "other"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_failed_searches(index_dir: Path, path: Path, error: Exception, kind: str) -> None:
    client = Client()
    client.embed_error = error
    with opened(index_dir, SearchLog(path), client) as retriever:
        with pytest.raises(type(error)):
            retriever.search("Wo ist die Katze geblieben?")
        with pytest.raises(type(error)):
            retriever.search_many(["one", "two"], query_language="fr")
    found = lines(path)
    assert [line["error"] for line in found] == [kind] * 3
    assert [line["language"]["tag"] for line in found] == ["de", "fr", "fr"]
    assert "hits" not in found[0]


def test_a_callers_mistake_is_no_search(index_dir: Path, path: Path) -> None:
    with opened(index_dir, SearchLog(path)) as retriever:
        with pytest.raises(InputError):
            retriever.search(" ")
        with pytest.raises(InputError):
            retriever.search_many(["one", ""])
    assert lines(path) == []


def test_why_reranking_was_not_complete(index_dir: Path, path: Path, tmp_path: Path) -> None:
    client = Client()
    with opened(index_dir, SearchLog(path), client) as retriever:
        retriever.search(QUERY, rerank=False)
        retriever._searcher._second_stage._pace.record(1, 60.0)
        retriever.search(QUERY, deadline_s=5.0)
        client.rerank_error = DeadlineExceededError("late")
        retriever.search(QUERY)
        client.rerank_error = ServerError("down")
        retriever.search(QUERY)
        client.rerank_error, client.logit = None, np.inf
        retriever.search(QUERY)
    with Indexer.open(tmp_path / "empty", HashEmbedder()) as indexer:
        indexer.finish()
    with opened(tmp_path / "empty", SearchLog(path)) as retriever:
        retriever.search(QUERY)
    client.services = services(None)
    with opened(index_dir, SearchLog(path), client) as retriever:
        retriever.search(QUERY)
    found = lines(path)
    kinds = ["not asked", "deadline", "deadline", "failed", "failed", "no candidates", "no reranker"]
    assert [line["reranking"]["reason"] for line in found] == kinds
    assert found[-1]["reranker"] is None
    assert found[-2]["hits"] == []


def test_the_asynchronous_retriever_logs_too(index_dir: Path, path: Path) -> None:
    async def search() -> None:
        client = AsyncClient()
        retriever = AsyncRetriever(SearchIndex.open(index_dir), client, log=SearchLog(path))  # type: ignore[arg-type]
        async with retriever:
            await retriever.search(QUERY, query_language="en")
            await retriever.search_many(["eins", "zwei", "drei"], query_language="de")
            client.embed_error = ServerAwayError("gone")
            with pytest.raises(ServerAwayError):
                await retriever.search(QUERY, query_language="fr")

    asyncio.run(search())
    assert [line["language"]["tag"] for line in lines(path)] == ["en", "de", "de", "de", "fr"]
    assert lines(path)[-1]["error"] == "away"


def test_without_a_log_nothing_is_written(index_dir: Path, tmp_path: Path) -> None:
    with Retriever(SearchIndex.open(index_dir), Client()) as retriever:  # type: ignore[arg-type]
        retriever.search(QUERY)
    assert list(tmp_path.iterdir()) == [index_dir]


WRITER = """
import sys, threading
from pathlib import Path
from interlingua_client.log_file import LogFile
name, path, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
log = LogFile(path)
def write(thread):
    for row in range(number):
        # 3 to 12 thousand bytes: some beyond PIPE_BUF (4096)
        log.append(f"{name}-{thread}-{row} {'x' * (3000 + 9 * row)}\\n".encode())
threads = [threading.Thread(target=write, args=(thread,)) for thread in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_eight_threads_of_two_processes_lose_nothing(path: Path) -> None:
    number = 200
    commands = [[sys.executable, "-c", WRITER, name, str(path), str(number)] for name in ("a", "b")]
    processes = [subprocess.Popen(command) for command in commands]
    assert [process.wait(300) for process in processes] == [0, 0]
    found = [line.split(" ") for line in path.read_text().splitlines()]
    assert all(len(line[1]) == 3000 + 9 * int(line[0].rsplit("-", 1)[1]) for line in found)
    expected = {f"{name}-{thread}-{row}" for name in "ab" for thread in range(8) for row in range(number)}
    assert len(found) == len(expected) == 3200
    assert {line[0] for line in found} == expected


def test_searches_of_many_threads(index_dir: Path, path: Path) -> None:
    log = SearchLog(path)
    with opened(index_dir, log) as retriever, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: retriever.search(QUERY, k=1 + number % 9), range(80)))
    assert (log.written, log.lost) == (80, 0)
    assert sorted(line["k"] for line in lines(path)) == sorted(1 + number % 9 for number in range(80))


@pytest.mark.parametrize("create", [True, False], ids=["logrotate creates the next", "nobody does"])
def test_rotation(path: Path, create: bool) -> None:
    log = LogFile(path)
    log.append(b"one\n")
    old = path.rename(path.with_suffix(".1"))
    if create:
        path.touch()
    log.append(b"two\n")
    log.append(b"three\n")
    assert (old.read_bytes(), path.read_bytes()) == (b"one\n", b"two\nthree\n")
    os.truncate(path, 0)  # copytruncate
    log.append(b"four\n")
    assert path.read_bytes() == b"four\n"


def test_half_a_line_of_a_killed_process_stays_by_itself(path: Path) -> None:
    log = LogFile(path)
    log.append(b"one\n")
    with path.open("ab") as other:
        other.write(b'{"half')
    log.append(b"two\n")
    assert path.read_bytes() == b'one\n{"half\ntwo\n'


def test_a_stopped_holder_of_the_lock_does_not_stop_others(path: Path) -> None:
    log = LogFile(path)
    log.append(b"one\n")
    with path.open("ab") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        log.append(b"two\n")  # comes back, though the lock does not
    assert path.read_bytes() == b"one\ntwo\n"


def test_a_full_disk_costs_lines_and_not_searches(
    index_dir: Path, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = SearchLog(path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with opened(index_dir, log) as retriever, caplog.at_level(logging.WARNING, "interlingua_client.search.search_log"):
        retriever.search(QUERY)
        try:
            # Room for half a line more, and then for none.
            resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size * 3 // 2, limits[1]))
            assert [len(retriever.search(QUERY).hits) for _ in range(3)] == [10, 10, 10]
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        retriever.search(QUERY)
    assert (log.written, log.lost) == (2, 3)
    assert len(lines(path)) == 2
    [message] = caplog.messages
    assert str(path) in message
    assert "lost" in message


def test_the_loss_is_said_on_standard_error(path: Path) -> None:
    program = (
        "import sys; from interlingua_client.search.search_log import SearchLog;"
        "log = SearchLog(sys.argv[1]); log.found(None, None, None); log.found(None, None, None); print(log.lost)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"
    assert done.stderr.count("\n") == 1
    assert "has lost a line" in done.stderr


def test_a_path_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"cannot write the search log .*/no/file: No such file"):
        SearchLog(tmp_path / "no" / "file")
    with pytest.raises(InputError, match="Is a directory"):
        SearchLog(tmp_path)
    with pytest.raises(InputError, match="not a regular file"):
        SearchLog(tmp_path / "pipe")
    with pytest.raises(InputError, match="log_text needs a path"):
        SearchLog.of(None, include_text=True)


def test_texts_without_a_log_are_a_usage_mistake() -> None:
    program = "from interlingua_cli import main; main()"
    command = [sys.executable, "-c", program, "search", "x", "--log-text"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--log-text needs --log" in done.stderr
