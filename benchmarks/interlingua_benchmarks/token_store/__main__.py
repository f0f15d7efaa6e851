"""What stored token vectors take, lose and save; docs/token-vectors.md has the figures.

size CORPUS  bytes a document, of a corpus of one's own
quality      nDCG@10 of every form beside whole vectors, on GNOME's help and helpdesk12
search       a search with them, with pairs and without reranking, on a running server
million      comparing among a million documents
opening      what opening an index with them costs
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np

from interlingua.base.counted import counted
from interlingua.base.extras import require
from interlingua.display.grid import Grid, row
from interlingua.display.terminal import print_parts
from interlingua_benchmarks.command import run
from interlingua_benchmarks.reranker_table import DATASETS, DEFAULT, datasets
from interlingua_client.index.token_store.quantization import CHOICES, DEFAULT_FORMAT, FORMATS, NO_TOKENS
from interlingua_evaluation import options

_FORMAT = click.Choice([name for name in CHOICES if name != NO_TOKENS])
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def main() -> None:
    """What stored token vectors take, lose and save."""


@main.command()
@click.argument("corpus", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--skip-bad", is_flag=True, help="Leave bad lines out and count them, rather than stop.")
@options.model_repository
def size(corpus: Path, model_repository: Path, *, skip_bad: bool) -> None:
    """What the token vectors of CORPUS take, with the reranker that is published."""
    from interlingua.repository.published import Published
    from interlingua_benchmarks.token_store.corpus_size import stored_tokens
    from interlingua_client.corpus import Corpus

    documents = Corpus(corpus, lambda _: "und", skip_bad=skip_bad)
    tokens = stored_tokens(documents, Published.read(model_repository).required("reranker"))
    if documents.bad_lines:
        click.echo(f"{counted(len(documents.bad_lines), 'bad line')} left out", err=True)
    mean = float(tokens.mean())
    rows = [
        row(name, f"{kind.width(kind.values)}", *(_size(kind.width(kind.values) * mean * count) for count in _COUNTS))
        for name, kind in FORMATS.items()
    ]
    half = f"half have at most {np.median(tokens):.0f}"
    title = f"{counted(len(tokens), 'document')}, {mean:.0f} tokens each that are compared ({half})"
    shown = [f"{count:,} documents" if count > 1 else "a document" for count in _COUNTS]
    print_parts([Grid(title, ("--token-vectors", "bytes a token", *shown), tuple(rows))])


_COUNTS = (1, 1_000_000, 100_000_000)


def _size(size: float) -> str:
    for unit, bytes_ in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size >= bytes_:
            return f"{size / bytes_:,.1f} {unit}"
    return f"{size / 1e3:.1f} kB"


@main.command()
@click.option(
    "--dataset",
    "wanted",
    type=click.Choice(DATASETS),
    multiple=True,
    default=DATASETS,
    show_default=True,
    help="What it is measured on; repeat.",
)
@options.gnome
@click.option("--reranker", default=DEFAULT.source, show_default=True, help="A catalogue name or a folder.")
@click.option("--half", type=click.Choice(["test", "development"]), default="test", show_default=True)
@options.model_repository
@options.cache
@options.server
def quality(
    wanted: tuple[str, ...],
    gnome: Path | None,
    reranker: str,
    half: Any,
    model_repository: Path,
    cache: Path,
    server: str | None,
) -> None:
    """nDCG@10 of every form beside whole vectors, as Markdown."""
    require("evaluate")
    from interlingua.repository.published import Published
    from interlingua_benchmarks.token_store.loss_table import losses
    from interlingua_evaluation.rerankers.reranker_report import RerankerReport
    from interlingua_evaluation.rerankers.reranker_report_tables import as_markdown
    from interlingua_evaluation.serving import published_embedder
    from interlingua_exporter.models.resolve import resolve
    from interlingua_exporter.weights.checkpoint_folder import Overrides
    from interlingua_exporter.weights.sources import load

    embedder = published_embedder(Published.read(model_repository), server)
    checkpoint = load(resolve(reranker), Overrides())
    reports = tuple(losses(dataset, half, checkpoint, embedder, cache) for dataset in datasets(gnome, wanted))
    click.echo(as_markdown(RerankerReport(embedder.digest, (), reports)))


@main.command()
@click.option("--documents", default=1_000_000, show_default=True, type=click.IntRange(1))
@click.option("--tokens", default=100, show_default=True, type=click.IntRange(1), help="Mean of a document.")
@click.option("--format", "kind", type=_FORMAT, default=DEFAULT_FORMAT, show_default=True)
@click.option("--depth", default=100, show_default=True, type=click.IntRange(1))
@click.option("--searches", default=200, show_default=True, type=click.IntRange(1))
@click.option("--folder", type=_FOLDER, help="Keep the index here, or use the one that is here.")
@click.option("--warm/--as-it-is", "warmed", default=True, help="Read the file once before.", show_default=True)
def million(
    documents: int, tokens: int, kind: str, depth: int, searches: int, folder: Path | None, warmed: bool
) -> None:
    """Comparing among many documents: the file in memory, and read from the disk."""
    from interlingua_benchmarks.token_store.million import build, compare, warm

    with tempfile.TemporaryDirectory(prefix="interlingua-tokens-") as scratch:
        directory = folder or Path(scratch) / "index"
        if not directory.exists():
            build(directory, documents, tokens, kind)
        [file] = directory.glob("tokens-*")
        if warmed:
            warm(file)
        compare(directory, searches, depth, cold=False)  # SQLite's pages, too
        found = {how: compare(directory, searches, depth, cold=how == "cold") for how in ("warm", "cold")}
        facts = {
            "documents": documents,
            "bytes": file.stat().st_size,
            "depth": depth,
            **{
                f"{how}_{clock}_ms": {
                    f"p{share}": round(1e3 * float(np.percentile(seconds, share)), 2) for share in (50, 95)
                }
                for how, compared in found.items()
                for clock, seconds in (("cpu", compared.cpu_s), ("wall", compared.wall_s))
            },
        }
    click.echo(json.dumps(facts, indent=1))


@main.command()
@click.option("--candidates", default=50, show_default=True, type=click.IntRange(1))
@click.option("--searches", default=40, show_default=True, type=click.IntRange(1), help="Of one client, each way.")
@click.option("--clients", default=8, show_default=True, type=click.IntRange(1))
@click.option("--seconds", default=60.0, show_default=True, help="Of the clients together, each way.")
@click.option("--format", "tokens", type=_FORMAT, default=DEFAULT_FORMAT, show_default=True)
@options.model_repository
def search(model_repository: Path, **wanted: Any) -> None:
    """A search with stored token vectors, with pairs and without reranking, and what indexing costs, on helpdesk12."""
    from interlingua_benchmarks.serving_benchmark import machine
    from interlingua_benchmarks.token_store.search_cost import measure
    from interlingua_server.embedded import EmbeddedServer, ServerSettings
    from interlingua_server.ports import free_ports

    grpc, http, metrics = free_ports(3)
    settings = ServerSettings(model_repository=model_repository, grpc_port=grpc, http_port=http, metrics_port=metrics)
    with tempfile.TemporaryDirectory(prefix="interlingua-tokens-") as scratch, EmbeddedServer(settings):
        found = measure(settings.grpc_address, Path(scratch), say=lambda what: click.echo(what, err=True), **wanted)
    click.echo(json.dumps({"machine": machine(), **wanted, **found}, indent=1))


@main.command()
@click.option("--documents", default=100_000, show_default=True, type=click.IntRange(1))
@click.option("--tokens", default=100, show_default=True, type=click.IntRange(1), help="Mean of a document.")
def opening(documents: int, tokens: int) -> None:
    """What opening an index with token vectors costs, beyond the same index without."""
    from interlingua_benchmarks.token_store.million import build, opening_cost

    with tempfile.TemporaryDirectory(prefix="interlingua-tokens-") as scratch:
        directory = Path(scratch) / "index"
        build(directory, documents, tokens, DEFAULT_FORMAT)
        click.echo(json.dumps(opening_cost(directory), indent=1))


if __name__ == "__main__":
    run(main)
