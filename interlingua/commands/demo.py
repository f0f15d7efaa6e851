"""`interlingua demo`: the main job once, on real weights and the corpus that comes with the project."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from interlingua.commands.search import stage_line
from interlingua.errors import InterlinguaError
from interlingua.paths import DEFAULT_MODEL_REPOSITORY, PROJECT_ROOT

if TYPE_CHECKING:
    from client import SearchResult

DATASET = PROJECT_ROOT / "evaluation" / "data" / "helpdesk12"
INDEX = PROJECT_ROOT / "var" / "demo-index"

# Question of the dataset, language of the documents searched (None: all of them). The last one is there because
# it fails: an error code alone says little to an embedder.
ASKED = (
    ("ja.plain.10", "en"),
    ("es.plain.13", "en"),
    ("hi.plain.13", "en"),
    ("sw.plain.06", "en"),
    ("ru.plain.12", "de"),
    ("ar.plain.02", "fr"),
    ("zh.plain.10", "es"),
    ("ko.plain.04", "ja"),
    ("de.mixed-script.03", "pt"),
    ("fr.jargon.01", "zh"),
    ("pt.code-switched.01", "ko"),
    ("en.entity.01", None),
)


@click.command()
@click.option("--precision", type=click.Choice(["fp32", "int8"]), default="fp32", show_default=True)
def command(precision: str) -> None:
    """Export, serve, index 480 documents in 12 languages, ask a dozen questions across languages."""
    console = Console()
    began = time.monotonic()
    step(1, "Weights to ONNX, through the parity gate, into model_repository/")
    export_once(precision)
    step(2, "Triton on model_repository/")
    with serving() as address:
        step(3, "Documents into an index")
        run("index", str(DATASET / "corpus.jsonl"), "--index", str(INDEX), "--server", address)
        step(4, "Questions across languages")
        found = ask_all(console, address)
    click.echo(f"{found} of {len(ASKED)} questions have their answer among the first three hits.")
    click.echo(f"Done in {time.monotonic() - began:.0f} s; the server is stopped.\n{_NEXT}")


_NEXT = """
Try your own:

  .venv/bin/interlingua serve &
  .venv/bin/interlingua search "pourquoi ma caméra est hors ligne ?" --index var/demo-index
  .venv/bin/interlingua index my-documents.jsonl --index var/mine    # lines of {"id", "language", "title", "text"}
  .venv/bin/interlingua search "your question" --index var/mine
"""


def step(number: int, what: str) -> None:
    click.echo(f"\n[{number}/4] {what}")


def export_once(precision: str) -> None:
    """Export unless a version of that precision is published."""
    from exporter.repository import ModelRepository
    from exporter.verify import published

    try:
        there = list(published(ModelRepository(DEFAULT_MODEL_REPOSITORY), None))
    except InterlinguaError:
        there = []
    if any(found.family.network == "embedder" and found.spec.precision == precision for found in there):
        click.echo("already published; `interlingua export --verify` checks it again")
    else:
        run("export", "--precision", precision)


@contextmanager
def serving() -> Iterator[str]:
    """A server on ports that are free, so that one that runs already is left alone."""
    from server.embedded import EmbeddedServer, ServerSettings
    from server.ports import free_ports

    grpc, http, metrics = free_ports(3)
    settings = ServerSettings(DEFAULT_MODEL_REPOSITORY, grpc_port=grpc, http_port=http, metrics_port=metrics)
    click.echo(f"$ interlingua serve --grpc-port {grpc} --http-port {http} --metrics-port {metrics}")
    server = EmbeddedServer(settings)
    try:
        click.echo(f"ready after {server.start():.1f} s")
        yield settings.grpc_address
    finally:
        server.stop()


def run(*arguments: str) -> None:
    """Show one of our own commands and run it."""
    click.echo(f"$ interlingua {shlex.join(_shortened(argument) for argument in arguments)}")
    done = subprocess.run([sys.executable, "-m", "interlingua", *arguments], check=False)
    if done.returncode:
        raise InterlinguaError(f"`interlingua {arguments[0]}` failed (exit code {done.returncode}), see above")


def _shortened(argument: str) -> str:
    path = Path(argument)
    return str(path.relative_to(PROJECT_ROOT)) if path.is_absolute() and path.is_relative_to(PROJECT_ROOT) else argument


def ask_all(console: Console, address: str) -> int:
    """Ask, print, and count the questions whose answer is among the first three hits."""
    from client import Retriever

    lines = (DATASET / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    questions = {question["_id"]: question for question in map(json.loads, lines)}
    answers = read_answers()
    good = 0
    with Retriever.open(INDEX, server=address) as retriever:
        for number, target in ASKED:
            question = questions[number]
            result = retriever.search(question["text"], k=3, languages=[target] if target else [])
            good += any(hit.id in answers[number] for hit in result.hits)
            where = f"documents in {target}" if target else "documents in all 12 languages"
            console.print(f"[bold]{escape(question['text'])}[/bold]", highlight=False)
            console.print(f"{question['language']}, {question['kind']} -> {where}", style="dim", highlight=False)
            console.print(hits_table(result, answers[number]))
            click.echo(f"{stage_line(result.times)}\n")
        click.echo(f"reranking: {result.reranking.reason or 'on'}")
    return good


def read_answers() -> dict[str, set[str]]:
    """The documents that answer each question (grade 2)."""
    answers: dict[str, set[str]] = {}
    for line in (DATASET / "qrels" / "test.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        if int(grade) == 2:
            answers.setdefault(query, set()).add(document)
    return answers


def hits_table(result: SearchResult, wanted: set[str]) -> Table:
    """Rank, score, language and title; the right answer is marked."""
    table = Table(box=None, show_header=False, padding=(0, 1))
    for justify in ("right", "right", "left", "left", "left"):
        table.add_column(justify=justify)
    for hit in result.hits:
        mark = "[green]<- answers it[/green]" if hit.id in wanted else ""
        table.add_row(str(hit.rank), f"{hit.score:.3f}", hit.language, escape(hit.title), mark)
    return table
