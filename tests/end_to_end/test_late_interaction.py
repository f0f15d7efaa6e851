"""A late-interaction reranker on a real Triton: scores, token vectors of each side, and what one says of the other."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from interlingua.repository.published import Published
from interlingua.repository.text_encoder import Framed
from interlingua.served.service import ENCODE_DOCUMENT_TOKENS, ENCODE_QUERY_TOKENS, RERANK
from interlingua.served.token_vectors import TokenVectors, max_sim, unpacked
from interlingua.served.watch.canary import QUESTIONS, CanaryQuestion, ask_all, served
from interlingua_client import AsyncRetriever, Retriever
from interlingua_client.document import Document
from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.graphs.late_interaction import LateInteractionReranker
from interlingua_exporter.weights.late_interaction.late_interaction_folder import load
from interlingua_releases.parity import check_answers
from interlingua_server.embedded import EmbeddedServer
from interlingua_server.model_control import ModelControl
from tests.support.command_line import interlingua
from tests.support.services import Services, settings_for, tensor
from tests.support.tiny_reranker import save_tiny_reranker

QUERY = "Where is the parcel?"
DOCUMENTS = ["At the post office.", "ここ", "The library opens at nine and closes at six. " * 20, "</s> <s>", "ja"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, tokenizer_json: dict[str, bytes]) -> Checkpoint:
    return load(save_tiny_reranker(tmp_path_factory.mktemp("late") / "tiny", tokenizer_json["xlm-roberta"]))


@pytest.fixture(scope="module")
def repository(tiny_repository: Path, checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository") / "models"
    shutil.copytree(tiny_repository, root, ignore=shutil.ignore_patterns("rerank*"))
    done = interlingua("export", checkpoint.spec.source.path, "--model-repository", root)  # type: ignore[union-attr]
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture(scope="module")
def server(repository: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(settings_for(repository)) as server:
        yield server


@pytest.fixture(scope="module")
def services(server: EmbeddedServer) -> Services:
    return Services(server)


def pair_logits(checkpoint: Checkpoint, queries: list[str], documents: list[str]) -> np.ndarray:
    """torch's, both sides of a pair in one row."""
    graph, interaction, encoder = checkpoint.graph, checkpoint.interaction, checkpoint.text_encoder()
    assert isinstance(graph, LateInteractionReranker)
    assert interaction is not None
    asked = encoder.encode([Framed(query, interaction.query) for query in queries])
    found = encoder.encode([Framed(document, interaction.document) for document in documents])
    rows = [torch.tensor([[*query.ids, *document.ids]]) for query, document in zip(asked, found, strict=True)]
    return np.array([float(graph.score_pairs(row, torch.ones_like(row))) for row in rows])


def encoded(services: Services, service: str, texts: list[str]) -> list[TokenVectors]:
    answer = services.client.infer(service, [tensor("text", texts)])
    return [unpacked(wire) for wire in answer.as_numpy("token_vectors")[:, 0]]


def reranked(services: Services, queries: list[str], documents: list[str]) -> np.ndarray:
    answer = services.client.infer(RERANK, [tensor("query", queries), tensor("document", documents)])
    scores: np.ndarray = answer.as_numpy("score")[:, 0]
    return scores


def test_a_request_of_many_queries_scores_each_pair(services: Services, checkpoint: Checkpoint) -> None:
    queries = [QUERY, "ja", QUERY, "Wo? " * 40, "ja"]
    scores = reranked(services, queries, DOCUMENTS)
    np.testing.assert_allclose(scores, pair_logits(checkpoint, queries, DOCUMENTS), rtol=1e-3, atol=1e-3)
    assert scores.std() > 0.1


def test_the_sides_score_what_rerank_answers(services: Services) -> None:
    (query,) = encoded(services, ENCODE_QUERY_TOKENS, [QUERY])
    documents = encoded(services, ENCODE_DOCUMENT_TOKENS, DOCUMENTS)
    starts = np.cumsum([0, *(len(document.weights) for document in documents)])
    scores = max_sim(query, np.concatenate([document.vectors for document in documents]), starts, -1.0)
    expected = reranked(services, [QUERY] * len(DOCUMENTS), DOCUMENTS)
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4)
    assert query.vectors.shape[1] == 16
    for text in (query, *documents):
        np.testing.assert_allclose(np.linalg.norm(text.vectors, axis=1), 1, rtol=1e-5)
    assert all((document.weights == 1).all() for document in documents)
    assert query.weights.sum() == pytest.approx(12.0, rel=1e-5)  # the scale


def test_a_text_has_the_same_vectors_in_any_company(services: Services) -> None:
    alone = [encoded(services, ENCODE_DOCUMENT_TOKENS, [document])[0] for document in DOCUMENTS]
    for one, other in zip(alone, encoded(services, ENCODE_DOCUMENT_TOKENS, DOCUMENTS), strict=True):
        np.testing.assert_allclose(one.vectors, other.vectors, atol=1e-5)


def test_tokens_count_both_sides_before_the_cut(services: Services) -> None:
    pair = services.client.infer(RERANK, [tensor("query", [QUERY]), tensor("document", [DOCUMENTS[2]])])
    query = services.client.infer(ENCODE_QUERY_TOKENS, [tensor("text", [QUERY])]).as_numpy("tokens")
    document = services.client.infer(ENCODE_DOCUMENT_TOKENS, [tensor("text", [DOCUMENTS[2]])]).as_numpy("tokens")
    assert pair.as_numpy("tokens").item() == query.item() + document.item() > 100


def test_a_request_that_cannot_be_read_fails_alone(services: Services) -> None:
    with pytest.raises(Exception, match=r"invalid text: document\[0\] is empty"):
        reranked(services, [QUERY], [" "])
    assert np.isfinite(reranked(services, [QUERY], DOCUMENTS[:1])).all()


def test_a_server_is_asked_whether_every_service_works(server: EmbeddedServer) -> None:
    http = server.http
    assert set(served(http)) == set(QUESTIONS)
    said = ask_all(http, QUESTIONS, 30.0)
    assert said == ", ".join(f"{name} answers" for name in QUESTIONS)
    done = interlingua("ready", "--server", server.settings.grpc_address)
    assert (done.returncode, done.stdout) == (0, f"ready: {said}\n"), done.stderr
    question = CanaryQuestion.of(http, ENCODE_DOCUMENT_TOKENS)
    assert question.answer(http, 30.0) == question.answer(http, 30.0)


def test_a_version_is_promoted_if_it_answers_as_its_files(server: EmbeddedServer, repository: Path) -> None:
    found = Published.read(repository).required("reranker")
    parity = check_answers([ModelControl(server.settings.grpc_address, server.admin_key)], found)
    assert parity.texts == 2 * 39  # as pairs, and as sides
    assert parity.worst < 1e-3


def test_the_repository_has_nothing_to_mend(repository: Path) -> None:
    done = interlingua("lint", repository, "--json")
    assert [finding for finding in json.loads(done.stdout)["findings"] if finding["severity"] != "note"] == []


WORDS = ("parcel", "library", "camera", "invoice", "password")


def index(services: Services, directory: Path, *options: str) -> dict[str, object]:
    done = interlingua("index", *options, "--index", directory, "--server", services.address, "--json")
    assert done.returncode == 0, done.stderr
    facts: dict[str, object] = json.loads(done.stdout)["token_vectors"]
    return facts


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "corpus.jsonl"
    documents = [
        {"id": f"{a}-{b}", "language": "en", "title": a, "text": f"The {a} and the {b} are not there. " * 3}
        for a in WORDS
        for b in WORDS
    ]
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


def test_a_search_compares_what_the_index_keeps(services: Services, corpus: Path, tmp_path: Path) -> None:
    kept = index(services, tmp_path / "index", str(corpus))
    assert (kept["format"], kept["documents"], kept["added"]) == ("4bit", 25, 25)
    assert index(services, tmp_path / "pairs", str(corpus), "--token-vectors", "none")["format"] == "none"
    with Retriever.open(tmp_path / "index", server=services.address) as stored:
        found = stored.search("where is my parcel?", k=25)
        many = stored.search_many(["where is my parcel?", "password"], k=25)
    with Retriever.open(tmp_path / "pairs", server=services.address) as pairs:
        expected = pairs.search("where is my parcel?", k=25)
    assert (found.reranking.depth, found.reranking.stored, found.reranking.reason) == (25, 25, "")
    assert (expected.reranking.depth, expected.reranking.stored) == (25, 0)
    assert expected.reranking.pairs_reason == "the index has no token vectors"
    scores = {hit.id: hit.rerank_score for hit in expected.hits}  # of 12 at most
    assert {hit.id: hit.rerank_score for hit in found.hits} == pytest.approx(scores, abs=0.15)
    assert [hit.id for hit in many[0].hits] == [hit.id for hit in found.hits]
    assert many[1].reranking.stored == 25

    async def search() -> list[str]:
        async with AsyncRetriever.open(tmp_path / "index", server=services.address) as retriever:
            result = await retriever.search("where is my parcel?", k=25)
            assert result.reranking.stored == 25
            return [hit.id for hit in result.hits]

    assert asyncio.run(search()) == [hit.id for hit in found.hits]


def test_they_are_made_later_by_one_command_and_said(services: Services, corpus: Path, tmp_path: Path) -> None:
    index(services, tmp_path / "index", str(corpus), "--token-vectors", "none")
    ask = ["search", "parcel", "--index", tmp_path / "index", "--server", services.address]
    assert "pair by pair: the index has no token vectors" in " ".join(interlingua(*ask).stdout.split())
    made = index(services, tmp_path / "index", "--token-vectors", "int8")
    assert (made["documents"], made["format"]) == (25, "int8")
    assert "by stored token vectors" in interlingua(*ask).stdout
    with Retriever.open(tmp_path / "index", server=services.address) as retriever:
        hits = retriever.search("where is my parcel?", k=25).hits
    with Retriever.open(tmp_path / "index", server=services.address) as retriever:
        client = retriever._in_use.pair.client
        pairs = client.rerank("where is my parcel?", [Document("", "", hit.title, hit.text).passage for hit in hits])
    assert [hit.rerank_score for hit in hits] == pytest.approx(pairs.scores.tolist(), abs=0.03)
    shown = interlingua("index", corpus, "--index", tmp_path / "index", "--server", services.address)
    assert "token vectors (int8): 25 of 25 documents, " in shown.stdout


def test_a_deadline_that_is_over_leaves_the_dense_order(services: Services, corpus: Path, tmp_path: Path) -> None:
    index(services, tmp_path / "index", str(corpus))
    with Retriever.open(tmp_path / "index", server=services.address) as retriever:
        query_sides = retriever._in_use.pair.client.query_sides
        retriever._in_use.pair.client.query_sides = lambda query, _: query_sides(query, None)  # type: ignore[method-assign]
        late = retriever.search("parcel", deadline_s=1e-9)
    assert late.reranking.depth == 0
    assert "the deadline left time for 0 of" in late.reranking.reason
