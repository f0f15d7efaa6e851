"""`interlingua demo`: the main job once, on real weights and the corpus that comes with the project."""

from __future__ import annotations

import json
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from interlingua.base.errors import InputError, InterlinguaError
from interlingua.base.extras import require
from interlingua.base.paths import DEFAULT_MODEL_REPOSITORY, PROJECT_ROOT
from interlingua_cli.search import moved, stage_line
from interlingua_client.document import Document
from interlingua_client.index.token_store.quantization import DEFAULT_FORMAT
from interlingua_evaluation.data_folders import HELPDESK12
from interlingua_exporter.models import catalog
from interlingua_exporter.models.catalog import DEFAULT_MODEL

if TYPE_CHECKING:
    from interlingua.served.service import ServiceSpec
    from interlingua_client import SearchResult

DATASET = HELPDESK12
INDEX = PROJECT_ROOT / "var" / "demo-index"
SERVER_INDEX = PROJECT_ROOT / "var" / "demo-index-server"  # another server may have another embedder
DEFAULT_RERANKER = "interlingua/e5-small-reranker"

# Of a language's 40 documents: the first stage has 95% of helpdesk12's answers in another language among its first 20,
# 85% among 10, 99% among 30.
CANDIDATES = 20
SHOWN = 3
PAIRED = 3  # questions whose candidates are scored as pairs too, for comparison

# Question of the dataset, language of the documents searched (None: all of them): the first question of each language,
# whatever becomes of it. The last one is an error code, which says little to an embedder: the articles that hold it
# come first.
ASKED = (
    ("ja.plain.01", "en"),
    ("es.plain.01", "en"),
    ("hi.plain.01", "en"),
    ("sw.plain.01", "en"),
    ("ru.plain.01", "de"),
    ("ar.plain.01", "fr"),
    ("zh.plain.01", "es"),
    ("ko.plain.01", "ja"),
    ("de.plain.01", "pt"),
    ("fr.plain.01", "zh"),
    ("pt.plain.01", "ko"),
    ("en.entity.01", None),
)


@click.command()
@click.option(
    "--precision",
    type=click.Choice(["fp32", "int8"]),
    help="The numbers of the networks that are exported.  [default: fp32]",
)
@click.option("--server", metavar="HOST:PORT", help="Ask this server; export and start nothing.")
def command(precision: str | None, server: str | None) -> None:
    """Export, serve, index 480 documents in 12 languages, ask a dozen questions across languages, rerank."""
    if server and precision:
        raise click.UsageError("--precision is for the export, and --server exports nothing: leave one of them out")
    if not server:
        require("export")
    console = Console()
    began = time.monotonic()
    if server:
        asked = index_and_ask(console, server, SERVER_INDEX, first_step=1, steps=2)
        ending = f"{server} was asked"
    else:
        asked = export_and_serve(console, precision or "fp32")
        ending = "the server is stopped"
    click.echo(summary(asked))
    again = f" --server {server}" if server else ""
    click.echo(f"Done in {time.monotonic() - began:.0f} s; {ending}.\n{_next_steps(again)}")


def export_and_serve(console: Console, precision: str) -> Demonstrated:
    """All four steps, on a server of its own."""
    step(1, 4, "Weights to ONNX, through the parity gate, into model_repository/")
    export_once("embedder", DEFAULT_MODEL, precision)
    export_once("reranker", DEFAULT_RERANKER, precision)
    step(2, 4, "Triton on model_repository/")
    with serving() as address:
        return index_and_ask(console, address, INDEX, first_step=3, steps=4)


def index_and_ask(console: Console, address: str, index: Path, *, first_step: int, steps: int) -> Demonstrated:
    """The two steps that need a server, wherever it runs."""
    from interlingua_client.triton.inference import InferenceClient

    step(first_step, steps, "Documents into an index")
    _drop_unreadable(index)
    with InferenceClient.connect(address) as client:
        tokens = ["--token-vectors", DEFAULT_FORMAT] if client.encoder else []
    run("index", str(DATASET / "corpus.jsonl"), "--index", str(index), "--server", address, *tokens)
    step(first_step + 1, steps, "Questions across languages")
    return ask_all(console, address, index)


def _drop_unreadable(index: Path) -> None:
    """The demo's own index goes where another version of Interlingua made it: its documents are at hand."""
    from interlingua_client.index.index_root import embedder_digest

    try:
        embedder_digest(index)
    except InputError:
        shutil.rmtree(index, ignore_errors=True)


def _next_steps(server: str) -> str:
    """What to try now; `server` is the option that says where, or nothing."""
    index = _shortened(str(SERVER_INDEX if server else INDEX))
    serve = [] if server else ["  .venv/bin/interlingua serve &"]
    return "\n".join(
        [
            "\nTry your own:\n",
            *serve,
            f'  .venv/bin/interlingua search "pourquoi ma caméra est hors ligne ?" --index {index}{server}',
            f"  .venv/bin/interlingua index my-documents.jsonl --index var/mine{server}"
            '    # lines of {"id", "language", "title", "text"}',
            f'  .venv/bin/interlingua search "your question" --index var/mine{server}',
            "",
        ]
    )


def step(number: int, steps: int, what: str) -> None:
    click.echo(f"\n[{number}/{steps}] {what}")


def export_once(network: str, model: str, precision: str) -> None:
    """Export unless the model as it is now, or one of the user's own, is there in that precision."""
    from interlingua.repository.published import Published

    try:
        there = Published.read(DEFAULT_MODEL_REPOSITORY).all_versions()
    except InterlinguaError:
        there = []
    same = [found for found in there if (found.family.network, found.spec.precision) == (network, precision)]
    if same and not _is_outdated(same[-1].spec, model):
        name = f"{same[-1].name} ({same[-1].spec.model_id}, {precision})"
        click.echo(f"{name} is already published; `interlingua export verify` checks it again")
    else:
        run("export", model, "--precision", precision, "--model-repository", str(DEFAULT_MODEL_REPOSITORY))


def _is_outdated(found: ServiceSpec, model: str) -> bool:
    """Whether it is that model with other weights than the catalogue has now."""
    wanted = catalog.find(model)
    return wanted is not None and found.model_id == wanted.id and found.revision != catalog.revision(wanted)


@contextmanager
def serving() -> Iterator[str]:
    """A server on ports that are free, so that one that runs already is left alone."""
    from interlingua_server.embedded import EmbeddedServer, ServerSettings
    from interlingua_server.ports import free_ports

    grpc, http, metrics = free_ports(3)
    settings = ServerSettings(
        model_repository=DEFAULT_MODEL_REPOSITORY, grpc_port=grpc, http_port=http, metrics_port=metrics
    )
    click.echo(f"$ interlingua serve --grpc-port {grpc} --http-port {http} --metrics-port {metrics}")
    server = EmbeddedServer(settings)
    try:
        click.echo(f"ready after {server.start():.1f} s")
        yield settings.grpc_address
    finally:
        server.stop(at_once=True)


def run(*arguments: str) -> None:
    """Show one of our own commands and run it."""
    click.echo(f"$ interlingua {shlex.join(_shortened(argument) for argument in arguments)}")
    done = subprocess.run([sys.executable, "-P", "-m", "interlingua", *arguments], check=False)
    if done.returncode:
        raise InterlinguaError(f"`interlingua {arguments[0]}` failed (exit code {done.returncode}), see above")


def _shortened(argument: str) -> str:
    path = Path(argument)
    return str(path.relative_to(PROJECT_ROOT)) if path.is_absolute() and path.is_relative_to(PROJECT_ROOT) else argument


class Places(NamedTuple):
    """Where the first document that answers a question stood, from 1; None: not among the candidates."""

    before: int | None
    after: int | None

    @classmethod
    def of(cls, result: SearchResult, wanted: set[str]) -> Places:
        """Before and after reranking; `result` holds all the candidates."""
        right = [hit for hit in result.hits if hit.id in wanted]
        return cls(min((hit.dense_rank for hit in right), default=None), min((hit.rank for hit in right), default=None))

    def change(self) -> str:
        """What reranking did to the answer."""
        if self.before is None or self.after is None:
            return f"the answer is not among the {CANDIDATES} candidates"
        if self.before == self.after:
            return f"reranking left the answer at {self.after}"
        way = "up" if self.after < self.before else "down"
        return f"reranking moved the answer {way} from {self.before} to {self.after}"


class Demonstrated(NamedTuple):
    """What came of the questions.

    Attributes:
        searches_s: each one's search, where stored token vectors were compared.
        pairs_s: the rerank service's time for the same candidates of the first ones, pair by pair.
    """

    places: list[Places]
    searches_s: list[float]
    pairs_s: list[float]


def ask_all(console: Console, address: str, index: Path) -> Demonstrated:
    """Ask, print, and say where the answers stood before and after reranking."""
    from interlingua_client import Retriever
    from interlingua_client.triton.inference import InferenceClient

    lines = (DATASET / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    questions = {question["_id"]: question for question in map(json.loads, lines)}
    answers = read_answers()
    places: list[Places] = []
    searches_s: list[float] = []
    pairs_s: list[float] = []
    with Retriever.open(index, server=address) as retriever, InferenceClient.connect(address) as client:
        for number, target in ASKED:
            question = questions[number]
            languages = [target] if target else []
            result = retriever.search(question["text"], k=CANDIDATES, candidates=CANDIDATES, languages=languages)
            places.append(Places.of(result, answers[number]))
            where = f"documents in {target}" if target else "documents in all 12 languages"
            console.print(f"[bold]{escape(question['text'])}[/bold]", highlight=False)
            console.print(f"{question['language']}, {question['kind']} -> {where}", style="dim", highlight=False)
            console.print(hits_table(result, answers[number]))
            reason = result.reranking.reason
            click.echo(f"not all reranked: {reason}" if reason else places[-1].change())
            click.echo(f"{stage_line(result.times)}\n")
            if result.reranking.stored == result.reranking.depth > 0:
                searches_s.append(result.times.total_s)
                if len(pairs_s) < PAIRED:
                    passages = [Document("", "", hit.title, hit.text).passage for hit in result.hits]
                    pairs_s.append(client.rerank(question["text"], passages).times.total_s)
    return Demonstrated(places, searches_s, pairs_s)


def summary(asked: Demonstrated) -> str:
    """How many questions were answered early, before and after reranking, and what pairs would have taken."""
    places, lines = asked.places, []
    for depth, where in ((1, "by the first hit"), (SHOWN, f"within the first {SHOWN} hits")):
        before = sum(place.before is not None and place.before <= depth for place in places)
        after = sum(place.after is not None and place.after <= depth for place in places)
        lines.append(f"Answered {where}: {before} of {len(places)} questions before reranking, {after} after.")
    if asked.pairs_s:
        search, pairs = statistics.median(asked.searches_s), statistics.median(asked.pairs_s)
        lines.append(
            f"A search with {CANDIDATES} candidates reranked took {1e3 * search:.0f} ms (median): the index keeps the "
            f"documents' token vectors. As pairs the same {CANDIDATES} take the reranker {1e3 * pairs:.0f} ms, "
            f"{pairs / search:.0f} times the whole search."
        )
    return "\n".join(lines)


def read_answers() -> dict[str, set[str]]:
    """The documents that answer each question (grade 2)."""
    answers: dict[str, set[str]] = {}
    for line in (DATASET / "qrels" / "test.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        if int(grade) == 2:
            answers.setdefault(query, set()).add(document)
    return answers


def hits_table(result: SearchResult, wanted: set[str]) -> Table:
    """Rank, score, language and title of the first hits; what moved and the right answer are marked."""
    table = Table(box=None, show_header=False, padding=(0, 1))
    for justify in ("right", "right", "left", "left", "left", "left"):
        table.add_column(justify=justify)
    for hit in result.hits[:SHOWN]:
        mark = "[green]<- answers it[/green]" if hit.id in wanted else ""
        table.add_row(str(hit.rank), f"{hit.score:.3f}", hit.language, escape(hit.title), moved(hit), mark)
    return table
