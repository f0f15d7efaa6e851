"""Some candidate lists, reranked through a live service, as clients do it.

CandidateLists --draw--> a few of them --one request a list, n clients at once--> logits, pairs a second
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua.base.errors import ServerError
from interlingua_client.triton.inference import InferenceClient
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, CandidateLists
from interlingua_server.embedded import EmbeddedServer, ServerSettings
from interlingua_server.ports import free_ports

if TYPE_CHECKING:
    from interlingua_client.embedder import FloatArray

_LONE_LISTS = 4
_QUESTION_ROUNDS = 20  # a question is a hundredth of a list


class Served(NamedTuple):
    """What the clients saw.

    Attributes:
        logits: float32 [queries, documents]; nan where nothing was asked.
        pairs_per_second: of all clients together.
        lone_pairs_per_second: of one client that asks for one list after another.
        lone_list_p50_ms: what such a list takes.
        questions_per_second, lone_question_p50_ms: the same of the questions' sides alone, which is all that a search
            asks where documents' token vectors are stored; None of a cross-encoder.
    """

    logits: FloatArray
    pairs_per_second: float
    lone_pairs_per_second: float
    lone_list_p50_ms: float
    questions_per_second: float | None = None
    lone_question_p50_ms: float | None = None


def draw(lists: CandidateLists, number: int, seed: int) -> CandidateLists:
    """At most `number` of the test half's lists across languages, the same for the same seed."""
    across = [pair.pool not in (MIXED, pair.asked) for pair in lists.pairs]
    eligible = np.flatnonzero(lists.of_half("test") & np.array(across))
    chosen = np.sort(np.random.default_rng(seed).permutation(eligible)[:number])
    return CandidateLists(
        dataset=lists.dataset,
        queries=lists.queries[chosen],
        pools=tuple(lists.pools[row] for row in chosen),
        documents=lists.documents[chosen],
        scores=lists.scores[chosen],
        not_a_number=lists.not_a_number[chosen],
    )


def rerank_through_service(repository: Path, digest: str, lists: CandidateLists, clients: int) -> Served:
    """Start a server, warm it up, ask for some lists one after another, then for all from `clients` threads.

    Args:
        digest: the reranker's that is meant to answer.

    Raises:
        ServerError: another one answers.
    """
    asked = [
        (lists.dataset.queries[query].text, [document for document in row if document != NOTHING])
        for query, row in zip(lists.queries.tolist(), lists.documents.tolist(), strict=True)
    ]
    texts = [document.indexed.passage for document in lists.dataset.documents]
    grpc, http, metrics = free_ports(3)
    settings = ServerSettings(model_repository=repository, grpc_port=grpc, http_port=http, metrics_port=metrics)
    with EmbeddedServer(settings), InferenceClient.connect(settings.grpc_address) as client:
        found = client.services.rerank
        if found is None or found.spec.digest != digest:
            raise ServerError(f"{repository} serves another reranker than {digest}: remove the folder")

        def answer(number: int) -> tuple[FloatArray, float]:
            query, documents = asked[number]
            began = time.perf_counter()
            scores = client.rerank(query, [texts[document] for document in documents]).scores
            return scores, time.perf_counter() - began

        def encode(number: int) -> float:
            began = time.perf_counter()
            client.encode([asked[number][0]], "query")
            return time.perf_counter() - began

        lone = range(min(_LONE_LISTS, len(asked)))
        answer(0)
        seconds = [answer(number)[1] for number in lone]
        with ThreadPoolExecutor(clients) as pool:
            began = time.perf_counter()
            answers = list(pool.map(answer, range(len(asked))))
            wall_s = time.perf_counter() - began
        questions_per_second = lone_question_p50_ms = None
        if client.encoder is not None:
            encode(0)
            lone_question_p50_ms = 1e3 * float(np.median([encode(number) for number in range(len(asked))]))
            with ThreadPoolExecutor(clients) as pool:
                began = time.perf_counter()
                done = len(list(pool.map(encode, [*range(len(asked))] * _QUESTION_ROUNDS)))
                questions_per_second = done / (time.perf_counter() - began)
    logits = np.full((len(lists.dataset.queries), len(texts)), np.nan, dtype=np.float32)
    for (_, documents), query, (scores, _) in zip(asked, lists.queries.tolist(), answers, strict=True):
        logits[query, documents] = scores
    return Served(
        logits,
        pairs_per_second=sum(len(documents) for _, documents in asked) / wall_s,
        lone_pairs_per_second=sum(len(asked[number][1]) for number in lone) / sum(seconds),
        lone_list_p50_ms=1e3 * float(np.median(seconds)),
        questions_per_second=questions_per_second,
        lone_question_p50_ms=lone_question_p50_ms,
    )
