"""What a published network does on this CPU: tokens a second in this process, and the same answer through Triton.

    model repository --texts of the gate, in batches of at most 1024 padded tokens--> OnnxSession --> tokens a second
                     --embedded Triton, one request of the client--> the answer, against the session's own

`python -m interlingua_benchmarks.dummy_figures REPOSITORY ROLE` prints them as JSON;
interlingua_benchmarks/dummy_table.py runs it.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from interlingua.base.errors import InputError
from interlingua.repository.published import Published
from interlingua.repository.text_encoder import Framed, TextEncoder
from interlingua_benchmarks.in_process_limit import sorted_batches
from interlingua_exporter.gate.verify import open_published
from interlingua_exporter.models.this_machine import cores
from interlingua_exporter.texts.parity_texts import sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua.served.kinds import Role
    from interlingua.served.service import ServiceSpec
    from interlingua.served.text.tokenizer import Text, Tokens
    from interlingua_exporter.graphs.network_session import NetworkSession

MAX_BATCH_TOKENS = 1024
LEAST_S = 10.0

_JOINED = (1, 4, 8)  # sentences of a text
_SEED = 7
_START_S = 900.0  # gigabytes are read and warmed up
_DEADLINE_S = 300.0
_TINY = 1e-12


@dataclass(frozen=True)
class Figures:
    """What was measured of one network.

    Attributes:
        tokens_per_second: real tokens, all cores, one session.
        padding_share: padded tokens less the real ones, over the padded ones.
        served_difference: |through Triton - in process| / |in process| of one text's vector or one pair's score.
        ready_s: until Triton had loaded and warmed up everything in the repository.
    """

    tokens_per_second: float
    padding_share: float
    served_difference: float
    ready_s: float


@click.command()
@click.argument("root", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("role", type=click.Choice(["embedder", "reranker"]))
def main(root: Path, role: Role) -> None:
    """Print the figures of the newest network of ROLE in the model repository ROOT as JSON."""
    click.echo(json.dumps(asdict(figures(root, role))))


def figures(root: Path, role: Role) -> Figures:
    """Measure the newest network of a role.

    Raises:
        InputError: there is none.
        ExportError: it does not load, or fails on a batch.
        ServerError: it is not served.
    """
    network = _Network(root, role)
    rate, share = network.speed()
    text = _texts(role)[-1]
    expected = network.answer(text)
    network.close()  # the server's own copy takes as much memory
    found, ready_s = _served(root, text)
    difference = np.linalg.norm(found - expected) / max(float(np.linalg.norm(expected)), _TINY)
    return Figures(rate, share, float(difference), ready_s)


class _Network:
    """A published network in this process, fed as its service would."""

    def __init__(self, root: Path, role: Role) -> None:
        newest = Published.read(root).required(role)
        service = newest.family.document_service
        self._role: Role = role
        self._spec: ServiceSpec = newest.specs[service]
        self._encoder = TextEncoder(
            newest.tokenizer(service).read_bytes(),
            max_tokens=self._spec.max_tokens,
            pad_token_id=self._spec.pad_token_id,
            padding_side=self._spec.padding_side,
        )
        self._session: NetworkSession | None = open_published(newest, cores())

    def speed(self) -> tuple[float, float]:
        """Real tokens a second, and the share of padding, over whole batches for at least ten seconds."""
        batches = sorted_batches(self._tokens(_texts(self._role)), MAX_BATCH_TOKENS)
        random.Random(_SEED).shuffle(batches)
        self._run(batches[0])
        real, padded, begun = 0, 0, time.perf_counter()
        while (passed := time.perf_counter() - begun) < LEAST_S:
            batch = batches.pop(0)
            batches.append(batch)
            self._run(batch)
            real += sum(map(len, batch))
            padded += len(batch) * max(map(len, batch))
        return real / passed, 1 - real / padded

    def answer(self, text: Text) -> Any:
        """A vector or a score, [D]."""
        return self._run(self._tokens([text]))[0]

    def close(self) -> None:
        """Give its memory back."""
        self._session = None

    def _tokens(self, texts: Sequence[Text]) -> list[Tokens]:
        return self._encoder.encode([Framed(text, self._spec.frame) for text in texts])

    def _run(self, rows: Sequence[Tokens]) -> Any:
        if self._session is None:
            raise InputError("the network was closed")
        return self._session.run(self._encoder.collate(rows, self._spec.inputs))


def _texts(role: Role) -> list[Text]:
    """One, four and eight sentences in every language; for a reranker behind a question in the next language."""
    rows = sentences()
    languages = list(rows[0])
    texts: list[Text] = []
    for joined in _JOINED:
        for start in range(0, len(rows) - joined + 1, joined):
            for place, language in enumerate(languages):
                document = " ".join(row[language] for row in rows[start : start + joined])
                question = rows[start][languages[(place + 1) % len(languages)]]
                texts.append(document if role == "embedder" else (question, document))
    return texts


def _served(root: Path, text: Text) -> tuple[Any, float]:
    """The answer of the repository's services on an embedded Triton, and the seconds until it was ready."""
    from interlingua_client.deadline import Deadline
    from interlingua_client.triton.inference import InferenceClient
    from interlingua_server.embedded import EmbeddedServer, ServerSettings
    from interlingua_server.ports import free_ports

    grpc, http, metrics = free_ports(3)
    settings = ServerSettings(
        model_repository=root, grpc_port=grpc, http_port=http, metrics_port=metrics, start_timeout_s=_START_S
    )
    server = EmbeddedServer(settings)
    ready_s = server.start()
    try:
        with InferenceClient.connect(settings.grpc_address) as client:
            deadline = Deadline.after(_DEADLINE_S)
            if isinstance(text, tuple):
                return client.rerank(text[0], [text[1]], deadline).scores, ready_s
            return client.embed([text], "document", deadline).vectors[0], ready_s
    finally:
        server.stop(at_once=True)


if __name__ == "__main__":
    from interlingua_benchmarks.command import run

    run(main)
