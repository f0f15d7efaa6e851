"""From documents to hits through the command line and the library, on a real server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from interlingua.base.errors import InputError
from interlingua.repository.triton_config import CONFIG_FILE, read_config, write_config
from interlingua_cli import demo
from interlingua_client import AsyncRetriever, Retriever
from interlingua_client.search.results import SearchResult
from interlingua_client.triton.server_failures import RpcFailedError
from interlingua_exporter.models import catalog
from interlingua_exporter.models.spec import FolderSource, ModelSpec
from interlingua_server.embedded import EmbeddedServer
from tests.support.command_line import interlingua
from tests.support.installed_wheel import InstalledWheel
from tests.support.services import settings_for

DATASET = Path(__file__).resolve().parents[2] / "evaluation" / "interlingua_evaluation" / "data" / "helpdesk12"
TOPICS = ("password-reset", "camera-offline", "refund-request", "slow-wifi", "api-rate-limit")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five topics in twelve languages: 60 documents."""
    path = tmp_path_factory.mktemp("corpus") / "corpus.jsonl"
    lines = (DATASET / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if json.loads(line)["_id"].rsplit(".", 1)[0] in TOPICS]
    assert len(kept) == 60
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def index(corpus: Path, server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index") / "index"
    done = interlingua("index", corpus, "--index", folder, "--server", server.settings.grpc_address)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize(
    ("question", "language", "topic"),
    [
        ("パスワードを忘れてログインできません", "en", "password-reset"),
        ("mi cámara aparece como desconectada", "en", "camera-offline"),
        ("I want my money back for something I bought", "ru", "refund-request"),
        ("मेरा वाईफाई बहुत धीमा चल रहा है", "de", "slow-wifi"),
        ("ошибка 429 при запросах к API", "zh", "api-rate-limit"),
        ("nimesahau nywila yangu", "fr", "password-reset"),
    ],
)
def test_a_question_finds_its_answer_in_another_language(
    index: Path, server: EmbeddedServer, question: str, language: str, topic: str
) -> None:
    done = interlingua(
        "search", question, "--index", index, "--server", server.settings.grpc_address,
        "--language", language, "--no-rerank", "-k", "3", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["hits"][0]["id"] == f"{topic}.{language}"
    assert result["reranked"] is False
    assert result["times"]["total_s"] >= result["times"]["compute_s"] > 0


def test_an_installed_wheel_indexes_and_searches(
    corpus: Path, server: EmbeddedServer, installed_wheel: InstalledWheel, tmp_path: Path
) -> None:
    """In an empty environment, outside of the checkout; the index lies where the command is run."""
    asked = ("--index", "mine", "--server", server.settings.grpc_address)
    indexed = installed_wheel.run("-m", "interlingua", "index", corpus, *asked, folder=tmp_path)
    assert indexed.returncode == 0, indexed.stderr
    question = "mi cámara aparece como desconectada"
    found = installed_wheel.run(
        "-m", "interlingua", "search", question, *asked, "--language", "en", "--no-rerank", "--json", folder=tmp_path
    )
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["hits"][0]["id"] == "camera-offline.en"
    assert (tmp_path / "mine").is_dir()


def test_indexing_again_embeds_nothing(index: Path, corpus: Path, server: EmbeddedServer) -> None:
    done = interlingua("index", corpus, "--index", index, "--server", server.settings.grpc_address, "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["added"], facts["changed"], facts["unchanged"]) == (0, 0, 60)


def test_reranking_orders_by_the_reranker(index: Path, server: EmbeddedServer) -> None:
    with Retriever.open(index, server=server.settings.grpc_address) as retriever:
        result = retriever.search("password", k=10, candidates=20)
        assert result.reranked
        assert result.reranking.depth == 20
        scores = [hit.rerank_score for hit in result.hits]
        assert None not in scores
        assert scores == sorted(scores, key=lambda score: -(score or 0))
        assert result.reranking.weight == 1.0  # what the exporter writes for a model that states nothing


@pytest.mark.parametrize("balance", [True, False], ids=["balanced", "as they are"])
@pytest.mark.parametrize("weight", [0, 0.35, 1])
def test_the_weight_mixes_both_stages(index: Path, server: EmbeddedServer, weight: float, balance: bool) -> None:
    done = interlingua(
        "search", "password", "--index", index, "--server", server.settings.grpc_address, "--query-language", "en",
        "-k", "20", "--candidates", "20", "--rerank-weight", str(weight), "--json",
        *([] if balance else ["--no-balance"]),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    hits = result["hits"]
    as_pairs = {"stored": 0, "pairs_reason": ""}
    assert result["reranking"] == {"depth": 20, "wanted": 20, "reason": "", "weight": weight, **as_pairs}
    own = [balance and weight > 0 and hit["language"] == result["language"]["tag"] for hit in hits]
    assert any(own) == (balance and weight > 0)
    dense, logits = (
        z_scores(without_advantage([hit[name] for hit in hits], own)) for name in ("dense_score", "rerank_score")
    )
    expected = [(1 - weight) * first + weight * second for first, second in zip(dense, logits, strict=True)]
    assert [hit["score"] for hit in hits] == pytest.approx(expected, abs=1e-4)
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
    by_dense_rank = sorted(hits, key=lambda hit: hit["dense_rank"])
    assert [hit["dense_rank"] for hit in by_dense_rank] == list(range(1, 21))
    with Retriever.open(index, server=server.settings.grpc_address) as retriever:
        first_stage = [
            hit.id for hit in retriever.search("password", k=20, candidates=20, query_language="en", rerank=False).hits
        ]
    assert [hit["id"] for hit in by_dense_rank] == first_stage
    if weight == 0:
        assert [hit["id"] for hit in hits] == first_stage


def without_advantage(values: list[float], own: list[bool]) -> list[float]:
    """docs/search.md, Balance: n / (n + 2) of what the own language's mean is above the others'."""
    if not any(own) or all(own):
        return values
    mine, others = (
        statistics.mean(value for value, flag in zip(values, own, strict=True) if flag is side)
        for side in (True, False)
    )
    advantage = max(0.0, mine - others) * sum(own) / (sum(own) + 2)
    return [value - advantage * flag for value, flag in zip(values, own, strict=True)]


def z_scores(values: list[float]) -> list[float]:
    return [(value - statistics.mean(values)) / statistics.pstdev(values) for value in values]


@pytest.mark.parametrize(("parameter", "weight"), [("0.25", 0.25), (None, 1.0)], ids=["stated", "an older export"])
def test_the_service_states_the_weight(
    tiny_repository: Path, corpus: Path, tmp_path: Path, parameter: str | None, weight: float
) -> None:
    copy, index = tmp_path / "repository", tmp_path / "index"
    shutil.copytree(tiny_repository, copy)
    path = copy / "rerank" / "config.pbtxt"
    config = read_config(path)
    del config.parameters["1/rerank_weight"]
    if parameter:
        config.parameters["1/rerank_weight"].string_value = parameter
    write_config(config, path)
    with EmbeddedServer(settings_for(copy)) as server:
        address = server.settings.grpc_address
        indexed = interlingua("index", corpus, "--index", index, "--server", address)
        assert indexed.returncode == 0, indexed.stderr
        with Retriever.open(index, server=address) as own:
            assert own.search("password").reranking.weight == weight
            assert own.search("password", rerank_weight=0.5).reranking.weight == 0.5
            with Retriever.open(index, server=address, rerank_weight=0.75) as opened:
                assert opened.search("password").reranking.weight == 0.75


def test_the_table_shows_what_reranking_changed(index: Path, server: EmbeddedServer) -> None:
    arguments = ["search", "password", "--index", index, "--server", server.settings.grpc_address, "-k", "20"]
    reranked, dense = interlingua(*arguments), interlingua(*arguments, "--no-rerank")
    assert "reranked 50 candidates, weight 1" in reranked.stdout
    assert "↑ was " in reranked.stdout
    assert "was " not in dense.stdout.partition("not reranked")[0]


def test_the_demo_reranks(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    # The demo wants both models in one precision, and random weights do not pass the gate in the embedder's.
    both = Path(shutil.copytree(repository, tmp_path / "repository"))
    for path in (both / "reranker" / CONFIG_FILE, both / "rerank" / CONFIG_FILE):
        config = read_config(path)
        config.parameters["1/precision"].string_value = "int8"
        write_config(config, path)
    monkeypatch.setattr(demo, "DEFAULT_MODEL_REPOSITORY", both)
    monkeypatch.setattr(demo, "INDEX", tmp_path / "index")
    demo.command.main(["--precision", "int8"], standalone_mode=False)
    printed = capfd.readouterr().out
    assert "reranker/1 (tiny-xlm-roberta, int8) is already published" in printed
    assert printed.count("ms: ") == printed.count("reranking ") + printed.count("the answer is not among") == 12
    assert "Answered by the first hit: " in printed
    assert "of 12 questions before reranking" in printed


def forked(*arguments: str) -> None:
    """`demo.run` without the start of a process."""
    done = interlingua(*arguments)
    assert done.returncode == 0, done.stderr
    sys.stdout.write(done.stdout)


def test_the_demo_exports_what_is_not_there_or_outlived(
    tmp_path: Path, make_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "run", forked)
    monkeypatch.setattr(demo, "DEFAULT_MODEL_REPOSITORY", tmp_path / "repository")
    folder = make_folder("bert", labels=1)

    def exported() -> str:
        demo.export_once("reranker", str(folder), "fp32")
        return capfd.readouterr().out

    assert "published tiny-bert in fp32" in exported()
    assert "reranker/1 (tiny-bert, fp32) is already published; " in exported()
    source = FolderSource(folder)
    own = ModelSpec(id=folder.name, role="reranker", source=source, revision="newer", pooling="none", head="classifier")
    monkeypatch.setattr(catalog, "find", lambda name: own if name == str(folder) else None)
    assert "already published;" not in exported()


def _soonest(retriever: Retriever, query: str, candidates: int) -> SearchResult:
    """The answer to the first of ever longer deadlines in which this machine can embed the question."""
    for deadline_s in (0.05, 0.2, 0.8, 3.2):
        try:
            return retriever.search(query, candidates=candidates, deadline_s=deadline_s)
        except RpcFailedError as refused:
            if "deadline" not in str(refused):
                raise
    return retriever.search(query, candidates=candidates, deadline_s=30)


def test_a_tight_deadline_keeps_the_dense_order_and_says_so(index: Path, server: EmbeddedServer) -> None:
    with Retriever.open(index, server=server.settings.grpc_address) as retriever:
        dense = retriever.search("password", rerank=False)
        tight = _soonest(retriever, "password", candidates=60)
        if tight.reranking.depth < tight.reranking.wanted:
            assert tight.reranking.reason
        if not tight.reranked:
            assert [hit.id for hit in tight.hits] == [hit.id for hit in dense.hits]


def test_async_and_sync_agree(index: Path, server: EmbeddedServer) -> None:
    queries = ["slow wifi", "remboursement", "カメラ"]

    async def search() -> list[list[str]]:
        async with await AsyncRetriever.open(index, server=server.settings.grpc_address) as retriever:
            results = await asyncio.gather(*(retriever.search(query, rerank=False) for query in queries))
            return [[hit.id for hit in result.hits] for result in results]

    with Retriever.open(index, server=server.settings.grpc_address) as retriever:
        many = [[hit.id for hit in result.hits] for result in retriever.search_many(queries, rerank=False)]
        single = [[hit.id for hit in retriever.search(query, rerank=False).hits] for query in queries]
    assert many == single == asyncio.run(search())


def test_async_and_sync_agree_on_the_weight(index: Path, server: EmbeddedServer) -> None:
    address = server.settings.grpc_address

    async def search() -> list[float | None]:
        async with await AsyncRetriever.open(index, server=address, rerank_weight=0.2) as retriever:
            results = [
                await retriever.search("slow wifi", candidates=10),
                await retriever.search("slow wifi", candidates=10, rerank_weight=0.6),
                *await retriever.search_many(["slow wifi"], candidates=10, rerank_weight=0.9),
            ]
        return [result.reranking.weight for result in results]

    with Retriever.open(index, server=address, rerank_weight=0.2) as retriever:
        results = [
            retriever.search("slow wifi", candidates=10),
            retriever.search("slow wifi", candidates=10, rerank_weight=0.6),
            *retriever.search_many(["slow wifi"], candidates=10, rerank_weight=0.9),
        ]
    assert [result.reranking.weight for result in results] == asyncio.run(search()) == [0.2, 0.6, 0.9]


def test_an_index_of_another_embedder_is_refused(
    corpus: Path, index: Path, tmp_path: Path, make_folder: object
) -> None:
    repository = tmp_path / "repository"
    other = make_folder("bert", pooling="mean", hidden=384)  # type: ignore[operator]
    assert interlingua("export", other, "--model-repository", repository).returncode == 0
    with EmbeddedServer(settings_for(repository)) as second:
        with pytest.raises(InputError) as caught:
            Retriever.open(index, server=second.settings.grpc_address)
        done = interlingua("index", corpus, "--index", index, "--server", second.settings.grpc_address)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "intfloat/multilingual-e5-small" in str(caught.value)


def test_a_client_goes_on_when_the_server_is_killed_and_restarted(index: Path, repository: Path) -> None:
    settings = settings_for(repository)
    first = EmbeddedServer(settings)
    first.start()
    outcomes: list[str] = []
    stop = threading.Event()

    with Retriever.open(index, server=settings.grpc_address, patience_s=300) as retriever:

        def keep_asking() -> None:
            while not stop.is_set():
                hit = retriever.search("I forgot my password", k=1, languages=["en"], rerank=False).hits[0]
                outcomes.append(hit.id)

        asking = threading.Thread(target=keep_asking)
        asking.start()
        time.sleep(0.5)
        first.stop(at_once=True)
        time.sleep(0.5)
        with EmbeddedServer(settings):
            before = len(outcomes)
            give_up = time.monotonic() + 300
            while len(outcomes) < before + 20 and time.monotonic() < give_up:
                time.sleep(0.05)
            stop.set()
            asking.join(300)
    assert len(outcomes) >= before + 20
    assert set(outcomes) == {"password-reset.en"}


def test_killed_while_indexing_it_goes_on_where_it_stopped(
    corpus: Path, server: EmbeddedServer, tmp_path: Path
) -> None:
    folder = tmp_path / "index"
    arguments = ["index", str(corpus), "--index", str(folder), "--server", server.settings.grpc_address]
    command = [sys.executable, "-m", "interlingua", *arguments, "--batch", "4"]
    for delay_s in (0.4, 1.0, 1.6):
        process = subprocess.Popen(command)
        time.sleep(delay_s)
        process.kill()
        process.wait()
    process = subprocess.Popen(command)
    wait_for_documents(folder)  # on a busy machine none of the three may have come so far
    process.kill()
    process.wait()
    done = interlingua(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["added"] + facts["unchanged"] == 60
    assert facts["added"] < 60  # something had been committed before one of the kills
    again = json.loads(interlingua(*arguments, "--json").stdout)
    assert (again["added"], again["unchanged"]) == (0, 60)


def wait_for_documents(folder: Path) -> None:
    """Until a batch is committed."""
    for _ in range(3000):
        time.sleep(0.1)
        with (
            contextlib.suppress(sqlite3.OperationalError),
            contextlib.closing(sqlite3.connect(f"file:{folder}/documents.sqlite?mode=ro", uri=True)) as store,
        ):
            if store.execute("SELECT count(*) FROM documents").fetchone()[0]:
                return
    pytest.fail("no document was committed within five minutes")
