"""Another model while clients ask: publish, index beside, promote, roll back and prune on a live server.

Three embedders of one shape and different random weights. What each has to answer is worked out here, with ONNX
Runtime on the published file and numpy, so that every answer a client got can be told to be of the one or the other.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from tokenizers import Tokenizer

from interlingua.base.errors import ExportError, InputError, InterlinguaError, ServerError
from interlingua.repository.model_repository import ModelRepository
from interlingua.repository.published import Published
from interlingua.served.kinds import Role
from interlingua_client import Document, Indexer, InferenceClient, Retriever
from interlingua_client.index.indexer import IndexSettings
from interlingua_exporter.texts.parity_texts import sentences
from interlingua_releases.deployment import Deployment
from interlingua_releases.parity import check_answers
from interlingua_server.embedded import EmbeddedServer
from interlingua_server.model_control import ModelControl, servers_of
from interlingua_server.run_record import running
from tests.end_to_end.other_weights import publish_with_other_weights
from tests.support.publication import publish_bytes
from tests.support.services import ONE_INSTANCE, settings_for
from tests.support.tiny_models import HIDDEN

DOCUMENTS = [
    Document(f"{number}.{language}", language, "", text)
    for number, row in enumerate(sentences()[:4])
    for language, text in row.items()
]
QUERIES = [row["en"] for row in sentences()[4:8]]


def interlingua(verb: str, *arguments: str | Path) -> None:
    """Run a verb in this process: its errors are raised."""
    import_module(f"interlingua_cli.{verb}").command.main([str(a) for a in arguments], standalone_mode=False)


class Expected:
    """The cosine of every query and document, by one published version."""

    def __init__(self, repository: Path, version: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(repository / f"embed_query/{version}/tokenizer.json"))
        self._session = ort.InferenceSession(str(repository / f"embedder/{version}/model.onnx"))
        documents = np.array([self.vector(document.passage) for document in DOCUMENTS])
        self.scores = {
            query: dict(zip((d.id for d in DOCUMENTS), (documents @ self.vector(query)).tolist(), strict=True))
            for query in QUERIES
        }

    def vector(self, text: str) -> np.ndarray:
        ids = np.array([self._tokenizer.encode(text).ids])
        vector = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]
        return vector / np.linalg.norm(vector)

    def gave(self, answer: Answer) -> bool:
        """Whether an answer has the documents and the scores of this version."""
        scores = self.scores[answer.query]
        best = sorted(scores.values(), reverse=True)[: len(answer.hits)]
        own = [abs(scores[id_] - score) < 1e-3 for id_, score in answer.hits]
        return all(own) and np.allclose([score for _, score in answer.hits], best, atol=1e-3)


@dataclass(frozen=True)
class Answer:
    query: str
    hits: list[tuple[str, float]]


def ask(retriever: Retriever, query: str) -> Answer:
    result = retriever.search(query, k=5, rerank=False, query_language="en")
    return Answer(query, [(hit.id, hit.score) for hit in result.hits])


def ask_all(retriever: Retriever) -> list[Answer]:
    return [ask(retriever, query) for query in QUERIES]


@dataclass
class Load:
    """Clients that ask as long as it lasts."""

    answers: dict[str, list[Answer]]
    failures: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self, name: str, once: Callable[[], list[Answer]]) -> None:
        while not self.over.is_set():
            try:
                self.answers[name] += once()
            except Exception as error:  # whatever a client would have seen
                self.failures.append(f"{name}: {error!r}")
                return

    def wait_for_more(self, number: int = 8) -> None:
        """Until every client has asked so often again; fails if one does not come that far."""
        before = {name: len(answers) for name, answers in self.answers.items()}
        give_up = time.monotonic() + 300
        while any(len(self.answers[name]) < before[name] + number for name in before):
            assert not self.failures, self.failures
            assert time.monotonic() < give_up
            time.sleep(0.02)


@contextmanager
def load(**clients: Callable[[], list[Answer]]) -> Iterator[Load]:
    running_load = Load({name: [] for name in clients})
    threads = [threading.Thread(target=running_load.run, args=client) for client in clients.items()]
    for thread in threads:
        thread.start()
    try:
        yield running_load
    finally:
        running_load.over.set()
        for thread in threads:
            thread.join(60)


@dataclass(frozen=True)
class Site:
    """A repository, the server on it, and an index."""

    repository: Path
    server: EmbeddedServer
    index: Path
    exported: Path

    @property
    def address(self) -> str:
        return self.server.settings.grpc_address

    def publish(self, seed: int, role: Role = "embedder") -> int:
        """Put another version on the disk; its number."""
        return publish_with_other_weights(self.exported, self.repository, role, seed, ONE_INSTANCE)

    def open(self) -> Retriever:
        return Retriever.open(self.index, server=self.address, load_detector=False)

    def run(self, verb: str, *arguments: str | Path) -> None:
        """A verb of this module on this site."""
        index = [] if verb == "publish" else ["--index", self.index]
        interlingua(verb, *arguments, "--model-repository", self.repository, *index)

    def default(self) -> int:
        with InferenceClient.connect(self.address) as client:
            return client.services.embed_query.version

    def state(self) -> dict[str, bytes]:
        """All that a refused command must leave alone: configurations, the pointer, the folders."""
        kept = [*self.repository.rglob("config.pbtxt"), *self.index.glob("current.json")]
        folders = (str(path) for root in (self.repository, self.index) for path in root.glob("*/*") if path.is_dir())
        return {str(path): path.read_bytes() for path in kept} | dict.fromkeys(folders, b"")


@pytest.fixture(scope="module")
def make_site(tiny_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Site]]:
    """Version 1 of an embedder is served, and the documents are indexed with it."""
    with ExitStack() as stack:

        def make() -> Site:
            folder = tmp_path_factory.mktemp("site")
            server = EmbeddedServer(settings_for(folder / "repository"))
            made = Site(folder / "repository", server, folder / "index", tiny_repository)
            assert made.publish(1) == 1
            stack.enter_context(server)
            with (
                InferenceClient.connect(made.address) as client,
                Indexer.open(made.index, client, IndexSettings(offsets=False)) as indexer,
            ):
                indexer.add(DOCUMENTS)
                indexer.finish()
            return made

        yield make


@pytest.fixture(scope="module")
def site(make_site: Callable[[], Site]) -> Site:
    """Its tests may come in any order."""
    made = make_site()
    assert made.publish(2) == 2  # on the disk alone
    return made


def test_another_model_and_back_without_a_failed_or_a_mixed_answer(make_site: Callable[[], Site]) -> None:
    site = make_site()
    expected = {1: Expected(site.repository, 1)}
    steady, fresh = site.open(), site.open()
    bulk = [document.passage for document in DOCUMENTS]

    def refreshed() -> list[Answer]:
        fresh.refresh()
        return ask_all(fresh)

    def reopened() -> list[Answer]:
        with site.open() as retriever:
            return ask_all(retriever)

    def embedding() -> list[Answer]:
        with InferenceClient.connect(site.address, version=1) as client:
            vectors = client.embed(bulk, "document").vectors
        assert np.allclose(vectors[:1] / np.linalg.norm(vectors[:1]), expected[1].vector(bulk[0]), atol=1e-3)
        return [Answer("", [])]

    with steady, fresh, load(steady=lambda: ask_all(steady), fresh=refreshed, again=reopened) as clients:
        with load(bulk=embedding) as indexing:
            clients.wait_for_more()
            assert site.publish(2) == 2
            expected[2] = Expected(site.repository, 2)
            site.run("publish")
            assert site.default() == 1  # loaded, and nobody is moved
            clients.wait_for_more()
            interlingua("index", "--beside", "2", "--index", site.index, "--server", site.address)
            site.run("promote", "2")
            assert site.default() == 2
            clients.wait_for_more()
            indexing.wait_for_more(2)
        assert indexing.failures == []
        assert all(expected[1].gave(answer) for answer in clients.answers["steady"])
        assert all(expected[2].gave(answer) for answer in refreshed() + reopened())

        site.run("rollback")
        assert site.default() == 1
        clients.wait_for_more()
        assert all(expected[1].gave(answer) for answer in refreshed() + reopened())
        site.run("promote", "2")
        clients.wait_for_more()
        assert steady.refresh()
        assert not steady.refresh()

        assert site.publish(3) == 3
        expected[3] = Expected(site.repository, 3)
        interlingua("publish", "--model-repository", site.repository, "--json")
        interlingua("index", "--beside", "3", "--index", site.index, "--server", site.address)
        site.run("promote")
        clients.wait_for_more()
        site.run("prune")
        clients.wait_for_more()
        assert steady.refresh()
        clients.wait_for_more()

    assert clients.failures == []
    for answers in clients.answers.values():
        versions = [[number for number, of in expected.items() if of.gave(answer)] for answer in answers]
        assert all(len(found) == 1 for found in versions), [found for found in versions if len(found) != 1][:3]
        assert {found[0] for found in versions} == {1, 2, 3}
    in_order = [next(n for n, of in expected.items() if of.gave(answer)) for answer in clients.answers["steady"]]
    assert in_order == sorted(in_order)  # it saw nothing of the way back

    assert site.default() == 3
    assert not (site.repository / "embedder" / "1").exists()
    assert not (site.index / "documents.sqlite").exists()  # the first index went with its version
    with pytest.raises(ServerError, match="has no version 1"):
        InferenceClient.connect(site.address, version=1)
    assert Published.read(site.repository).versions("embedder") == (2, 3)


def test_model_control_is_closed_to_all_but_the_owner(site: Site) -> None:
    (record,) = running(site.repository)
    assert record.address == site.address
    with pytest.raises(ServerError, match="refuses to load models with this key"):
        ModelControl(site.address, "guessed").load("embedder")
    arguments = Path(f"/proc/{record.pid}/cmdline").read_bytes()
    assert b"--model-control-mode=explicit" in arguments
    assert record.admin_key.encode() not in arguments


@contextmanager
def refused(site: Site, error: type[InterlinguaError], match: str) -> Iterator[None]:
    """The block fails in these words, and leaves disk and server as they were."""
    before, default = site.state(), site.default()
    with pytest.raises(error, match=match):
        yield
    assert (site.state(), site.default()) == (before, default)


def test_a_version_with_other_weights_than_were_published_is_refused(site: Site) -> None:
    file = site.repository / "embedder" / "2" / "model.onnx"
    content = file.read_bytes()
    file.write_bytes((site.repository / "embedder" / "1" / "model.onnx").read_bytes())
    try:
        with refused(site, ExportError, "embedder/2 is not what was published: embedder's files have digest"):
            site.run("promote", "2", "--no-index")
    finally:
        file.write_bytes(content)


def test_a_version_that_answers_otherwise_than_its_files_is_refused(site: Site) -> None:
    deployment = Deployment(ModelRepository(site.repository), "embedder", servers_of(site.repository))
    found = deployment.find(1)
    assert check_answers(deployment.servers, found).worst < 1e-5
    file = site.repository / "embedder" / "1" / "model.onnx"
    content = file.read_bytes()
    file.write_bytes((site.repository / "embedder" / "2" / "model.onnx").read_bytes())
    try:
        with pytest.raises(ExportError, match="answers otherwise with embed_query/1 than its files do"):
            check_answers(deployment.servers, found)
    finally:
        file.write_bytes(content)


def test_a_network_that_does_not_load_changes_nothing_and_can_be_pruned(site: Site) -> None:
    number = publish_bytes(site.repository, b"no network", dimension=HIDDEN, serving=ONE_INSTANCE).version
    with refused(site, ExportError, "does not load in ONNX Runtime"):
        site.run("publish", str(number))
    with site.open() as retriever:
        assert ask_all(retriever)
    site.run("prune", str(number))
    repository = ModelRepository(site.repository)
    assert number not in repository.folders("embedder")
    assert repository.next_version("embedder") == number + 1  # a client may still ask for that number
    with pytest.raises(InputError, match="was pruned"):
        publish_bytes(site.repository, b"another", version=number, dimension=HIDDEN, serving=ONE_INSTANCE)


def test_a_promotion_wants_an_index_with_the_same_documents(site: Site) -> None:
    with refused(site, InputError, r"has no index for version 2 \(digest .*--beside 2"):
        site.run("promote", "2")
    site.run("publish", "2")
    interlingua("index", "--beside", "2", "--index", site.index, "--server", site.address)
    new = Document("new", "en", "", "a document that came since")
    with Retriever.open(site.index, server=site.address) as retriever:
        folder = retriever.index.directory
    with (
        InferenceClient.connect(site.address, version=1) as client,
        Indexer.open(folder, client) as indexer,
    ):
        indexer.add([new])
        with refused(site, InterlinguaError, "is being written by another process"):
            site.run("promote", "2")
    with refused(site, InputError, "not up to date: 1 documents differ"):
        site.run("promote", "2")
    shutil.rmtree(site.index / "versions")
    with InferenceClient.connect(site.address, version=1) as client, Indexer.open(folder, client) as indexer:
        indexer.delete(["new"])


@pytest.mark.parametrize(
    ("verb", "arguments", "error", "words"),
    [
        pytest.param("publish", ["9"], InputError, "no version 9 of embedder; there are 1, 2", id="publish unknown"),
        pytest.param("prune", ["1"], InputError, "version 1 of embedder is current", id="prune the current one"),
        pytest.param("prune", ["9"], InputError, "no version 9", id="prune unknown"),
        pytest.param("rollback", [], InputError, "no embedder before the current one", id="nothing to go back to"),
        pytest.param(
            "promote",
            ["1", "--server", "127.0.0.1:9", "--admin-key", "k"],
            ServerError,
            "cannot reach a server at 127.0.0.1:9",
            id="a server that is away",
        ),
    ],
)
def test_what_cannot_be_done_is_said(
    site: Site, verb: str, arguments: list[str], error: type[InterlinguaError], words: str
) -> None:
    with refused(site, error, words):
        site.run(verb, *arguments)


def test_without_a_server_nothing_is_promoted(site: Site, tmp_path: Path) -> None:
    shutil.copytree(site.repository, tmp_path / "repository")
    with pytest.raises(ServerError, match="no server of yours runs on"):
        interlingua("promote", "2", "--no-index", "--model-repository", tmp_path / "repository")


def test_a_reranker_is_switched_for_those_who_connect_afterwards(site: Site) -> None:
    for seed in (1, 2):
        assert site.publish(seed, "reranker") == seed
        interlingua("publish", "--role", "reranker", "--model-repository", site.repository)

    def reranker() -> int | None:
        with InferenceClient.connect(site.address) as client:
            return client.services.rerank and client.services.rerank.version

    assert reranker() == 1
    with site.open() as retriever:
        first = [hit.rerank_score for hit in retriever.search(QUERIES[0]).hits]
        interlingua("promote", "--role", "reranker", "--model-repository", site.repository)
        assert reranker() == 2
        assert [hit.rerank_score for hit in retriever.search(QUERIES[0]).hits] == pytest.approx(first, abs=1e-4)
        with site.open() as other:
            second = [hit.rerank_score for hit in other.search(QUERIES[0]).hits]
        assert second != pytest.approx(first, abs=1e-2)
        assert retriever.refresh()
        assert not retriever.refresh()
        assert [hit.rerank_score for hit in retriever.search(QUERIES[0]).hits] == pytest.approx(second, abs=1e-4)
    interlingua("rollback", "--role", "reranker", "--model-repository", site.repository)
    assert reranker() == 1
