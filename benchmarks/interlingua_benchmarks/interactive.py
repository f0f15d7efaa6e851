"""A lone query beside bulk work: what it waits, and what the bulk work loses by it.

    one server:  lone query alone | bulk alone | both | both, the query in a closed loop     in turn, several rounds
    bulk: an index run (`Indexer`, a process of its own), then reranking, where the repository has a reranker
    a query: its embedding, or the reranking of what a search has found

Lone queries come about once a second, at random moments; the bulk rate is tokens a second by the service's counters.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import cycle, takewhile
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from interlingua.base.paths import DEFAULT_MODEL_REPOSITORY
from interlingua.display.grid import Cell, Grid, row
from interlingua.display.markdown import markdown
from interlingua.repository.published import Published
from interlingua.served.service import EMBED_DOCUMENT, EMBED_QUERY, RERANK
from interlingua.served.text.precedence import RECENT_S
from interlingua_benchmarks import command
from interlingua_benchmarks.changed_repository import spared_repository
from interlingua_benchmarks.indexing_benchmark import read_documents
from interlingua_benchmarks.serving_benchmark import CORPUS, machine, token_counts
from interlingua_client.deadline import Deadline
from interlingua_client.index.indexer import Indexer
from interlingua_client.triton.inference import InferenceClient
from interlingua_server.embedded import EmbeddedServer, ServerSettings
from interlingua_server.ports import free_ports

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DOCUMENTS = 480
_PAIRS = 128
_FOUND = 10
_PATIENCE_S = 30.0
_SETTLE_S = 4.0  # until a bulk run is under way, and until it has ended


def _index(address: str, stop: Event) -> None:
    """Index helpdesk12 again and again."""
    documents = read_documents(CORPUS / "corpus.jsonl", _DOCUMENTS)
    with InferenceClient.connect(address) as client:
        while not stop.is_set():
            with (
                tempfile.TemporaryDirectory() as folder,
                Indexer.open(Path(folder) / "index", client) as indexer,
            ):
                indexer.add(takewhile(lambda _: not stop.is_set(), documents))


@cache
def _passages() -> list[str]:
    return [document.passage for document in read_documents(CORPUS / "corpus.jsonl", _PAIRS)]


def _rerank(address: str, stop: Event) -> None:
    """Rerank helpdesk12's articles for one question after another, without deadlines."""
    texts = _passages()
    with InferenceClient.connect(address) as client:
        for question in cycle(questions()):
            if stop.is_set():
                return
            client.rerank(question, texts)


BULK: dict[str, Callable[[str, Event], None]] = {EMBED_DOCUMENT: _index, RERANK: _rerank}


def _rerank_found(client: InferenceClient, question: str) -> None:
    client.rerank(question, _passages()[:_FOUND], Deadline.after(_PATIENCE_S))


ASKED: dict[str, Callable[[InferenceClient, str], object]] = {
    EMBED_QUERY: lambda client, question: client.embed([question], "query"),
    RERANK: _rerank_found,
}


@dataclass(frozen=True, kw_only=True)
class BesideFigures:
    """Latencies in seconds, and rates in tokens a second, of one kind of bulk work; a rate is of a round."""

    idle_s: list[float] = field(default_factory=list)
    first_s: list[float] = field(default_factory=list)
    beside_s: list[float] = field(default_factory=list)
    loop_s: list[float] = field(default_factory=list)
    alone_rates: list[float] = field(default_factory=list)
    beside_rates: list[float] = field(default_factory=list)
    loop_rates: list[float] = field(default_factory=list)

    def rows(self) -> Iterator[tuple[Cell, ...]]:
        """What was asked beside what ran: p50, p99 and their ratio to idle; the bulk rate and its share."""
        idle, alone = np.percentile(self.idle_s, (50, 99)), np.mean(self.alone_rates)
        yield row("lone query, once a second, idle server", *_latency(self.idle_s, idle), "", "")
        yield row("bulk alone", "", "", "", f"{alone:.0f}", "1.00")
        yield row("beside it, the first query after a minute", *_latency(self.first_s, idle), "", "")
        for name, latencies, rates in (
            ("both", self.beside_s, self.beside_rates),
            ("both, the query in a closed loop", self.loop_s, self.loop_rates),
        ):
            rate = np.mean(rates)
            yield row(name, *_latency(latencies, idle), f"{rate:.0f}", f"{rate / alone:.2f}")


@click.command()
@click.option("--model-repository", type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_MODEL_REPOSITORY)
@click.option("--queries", default=60, show_default=True, help="Lone queries of a round, about one a second.")
@click.option("--rounds", default=2, show_default=True, help="How often everything is measured, in turn.")
@click.option("--spare", "spares", type=int, multiple=True, help="Spare instances, in turn.  [default: as exported]")
@click.option("--asked", type=click.Choice(list(ASKED)), default=EMBED_QUERY, show_default=True, help="Of a query.")
@click.option("--bulk", "chosen", type=click.Choice(list(BULK)), multiple=True, help="Bulk work.  [default: all]")
def main(
    model_repository: Path, queries: int, rounds: int, spares: tuple[int, ...], asked: str, chosen: tuple[str, ...]
) -> None:
    """Print, as Markdown, what a lone query waits beside bulk work, and what that costs the bulk work."""

    def measure() -> None:
        facts = machine()
        click.echo(f"{facts['cores']} cores of {facts['cpu']}, {facts['date']}, commit {facts['commit']}\n")
        for spare in spares or (None,):
            with spared_repository(model_repository, spare) as repository:
                click.echo(f"Spare instances: {'as exported' if spare is None else spare}\n")
                _measure(repository, queries, rounds, asked, chosen or tuple(BULK))

    command.run(measure)


def _measure(repository: Path, queries: int, rounds: int, asked: str, chosen: tuple[str, ...]) -> None:
    published = Published.read(repository)
    grpc, http, metrics = free_ports(3)
    settings = ServerSettings(model_repository=repository, grpc_port=grpc, http_port=http, metrics_port=metrics)
    with EmbeddedServer(settings), InferenceClient.connect(settings.grpc_address) as client:
        queried = partial(_lone_queries, partial(ASKED[asked], client))
        queried(20, _at_once)  # warm-up
        for service in (name for name in chosen if name in published.models):
            figures = BesideFigures()
            for number in range(rounds):
                _round(service, queried, settings, figures, queries, random.Random(number))
            header = ("", "p50 ms", "p99 ms", "p99 / idle p99", "tokens/s", "share of alone")
            click.echo(markdown(Grid(f"a lone query ({asked}) beside {service}", header, tuple(figures.rows()))))


def _round(
    service: str,
    queried: Callable[[int, Callable[[], float]], list[float]],
    settings: ServerSettings,
    figures: BesideFigures,
    queries: int,
    chance: random.Random,
) -> None:
    def gap() -> float:
        return chance.uniform(0.5, 1.5)

    def rate(of: Callable[[], object]) -> float:
        before, began = token_counts(settings.metrics_port, service)[0], time.perf_counter()
        of()
        return (token_counts(settings.metrics_port, service)[0] - before) / (time.perf_counter() - began)

    figures.idle_s.extend(queried(queries, gap))
    with _running(BULK[service], settings.grpc_address):
        time.sleep(RECENT_S)  # or else bulk work still expects queries
        figures.alone_rates.append(rate(lambda: time.sleep(queries / 2)))
        figures.first_s.extend(queried(1, gap))
        figures.beside_rates.append(rate(lambda: figures.beside_s.extend(queried(queries, gap))))
        figures.loop_rates.append(rate(lambda: figures.loop_s.extend(queried(5 * queries, _at_once))))


@contextmanager
def _running(work: Callable[[str, Event], None], address: str) -> Iterator[None]:
    """The bulk work in a process of its own."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    process = context.Process(target=work, args=(address, stop))
    process.start()
    try:
        time.sleep(_SETTLE_S)
        yield
    finally:
        stop.set()
        process.join()
        time.sleep(_SETTLE_S)


def questions() -> list[str]:
    """helpdesk12's, in one fixed random order."""
    lines = (CORPUS / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    random.Random(12).shuffle(texts)
    return texts


def _lone_queries(ask: Callable[[str], object], count: int, gap: Callable[[], float]) -> list[float]:
    """Seconds of each query."""
    latencies = []
    for _, text in zip(range(count), cycle(questions()), strict=False):
        time.sleep(gap())
        began = time.perf_counter()
        ask(text)
        latencies.append(time.perf_counter() - began)
    return latencies


def _at_once() -> float:
    return 0.0


def _latency(latencies_s: list[float], idle: NDArray[np.float64]) -> tuple[str, str, str]:
    half, most = np.percentile(latencies_s, (50, 99))
    return f"{1e3 * half:.0f}", f"{1e3 * most:.0f}", f"{most / idle[1]:.2f}"


if __name__ == "__main__":
    main()
