"""`interlingua index`: put documents into an index, change them, take them out."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from client.server_address import DEFAULT_SERVER, ServerAddress
from interlingua.commands.index_report import report, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from client.corpus import Corpus
    from client.indexer import Indexer, IndexSettings
    from client.inference import InferenceClient

DEFAULT_INDEX = Path("var/index")

_LONG_BUILD = 20_000  # vectors; some seconds
_PATIENCE_S = 120.0  # an index run outlives a restart of the server


@dataclass(frozen=True)
class _Work:
    """What one run is asked to do."""

    corpus: str | None
    delete: Path | None
    delete_missing: bool
    skip_bad: bool
    rebuild: bool


@click.command()
@click.argument("corpus", required=False)
@click.option(
    "--index",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_INDEX,
    show_default=True,
    help="Directory of the index; made if missing.",
)
@click.option("--server", default=DEFAULT_SERVER, show_default=True, help="host:port, or grpcs://host:port for TLS.")
@click.option(
    "--tls-ca",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="PEM file of the authorities to trust; turns TLS on.",
)
@click.option(
    "--delete",
    type=click.Path(path_type=Path, dir_okay=False, exists=True, allow_dash=True),
    help="File with the ids of documents to take out, one a line.",
)
@click.option("--delete-missing", is_flag=True, help="Take out every document that CORPUS does not have.")
@click.option("--skip-bad", is_flag=True, help="Leave bad lines out and count them, rather than stop.")
@click.option("--batch", default=64, show_default=True, help="Documents of one commit.")
@click.option("--hnsw-m", type=int, help="Links of a node in the HNSW graph.  [default: 16, or as saved]")
@click.option("--ef-construction", type=int, help="Candidates while inserting.  [default: 200, or as saved]")
@click.option("--ef-search", type=int, help="Candidates while searching.  [default: 128, or as saved]")
@click.option(
    "--offsets",
    type=click.Choice(["on", "off"]),
    help="Remove each language's offset from the vectors.  [default: on, or as saved]",
)
@click.option("--rebuild", is_flag=True, help="Build the vectors again, with offsets as estimated now.")
@click.option(
    "--beside",
    type=click.IntRange(1),
    metavar="VERSION",
    help="Build an index for this version of the embedder from the documents of the one there is, beside it; "
    "`interlingua promote` makes it current.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def command(
    directory: Path,
    server: str,
    tls_ca: Path | None,
    batch: int,
    hnsw_m: int | None,
    ef_construction: int | None,
    ef_search: int | None,
    offsets: str | None,
    beside: int | None,
    as_json: bool,
    **work: Any,
) -> None:
    """Put documents into an index: CORPUS is a file of JSON lines (also gzipped), or - for standard input.

    Each line: {"id": ..., "language": ..., "title": ..., "text": ...}. What is there already with the same
    content is left alone, so a run that was stopped goes on when started again.
    """
    wanted = _Work(**work)
    _check(wanted, beside)
    from client.indexer import Indexer, IndexSettings
    from client.inference import InferenceClient

    settings = IndexSettings(
        m=hnsw_m,
        ef_construction=ef_construction,
        ef_search=ef_search,
        offsets=None if offsets is None else offsets == "on",
    )
    started = time.monotonic()
    with InferenceClient.connect(
        ServerAddress.parse(server, tls_ca),
        patience_s=_PATIENCE_S,
        digest=None if beside else _digest_of(directory),
        version=beside,
    ) as client:
        if beside:
            facts = _run_beside(directory, client, settings, batch)
        else:
            with Indexer.open(directory, client, settings, batch=batch) as indexer:
                facts = _run(indexer, wanted) | {"index": str(directory)}
    facts["seconds"] = time.monotonic() - started
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else summary(facts))


def _check(work: _Work, beside: int | None) -> None:
    """Refuse what makes no sense together."""
    given = work.corpus or work.delete or work.rebuild
    if beside and given:
        raise click.UsageError("--beside takes its documents from the index there is: leave the rest out")
    if not (given or beside):
        raise click.UsageError("nothing to do: give CORPUS, --delete, --rebuild or --beside")
    if work.delete_missing and not work.corpus:
        raise click.UsageError("--delete-missing needs CORPUS: what it does not have is taken out")
    if work.delete_missing and work.skip_bad:
        raise click.UsageError(
            "--delete-missing with --skip-bad would take out the documents whose lines are broken: mend the lines first"
        )
    if work.corpus == "-" and str(work.delete) == "-":
        raise click.UsageError("CORPUS and --delete cannot both come from standard input")
    if work.corpus and work.corpus != "-" and not Path(work.corpus).exists():
        raise click.BadParameter(f"{work.corpus} does not exist", param_hint="CORPUS")


def _digest_of(directory: Path) -> str | None:
    """The embedder an index wants; a new one takes what the server has."""
    from client.document_store import DocumentStore
    from client.index_root import current_folder

    folder = current_folder(directory)
    if not DocumentStore.exists(folder):
        return None
    store = DocumentStore.open(folder)
    try:
        return store.manifest().embedder.digest
    finally:
        store.close()


def _run_beside(directory: Path, client: InferenceClient, settings: IndexSettings, batch: int) -> dict[str, Any]:
    from client.beside import BesideIndex
    from interlingua.progress import progress

    with BesideIndex(directory, client.identity) as source, source.open(client, settings, batch=batch) as indexer:
        with progress("indexing", unit="documents", total=len(source)) as bar:
            source.copy(indexer, bar.advance)
        return _finish(indexer, None, rebuild=False, unknown=0) | {"index": str(source.folder)}


def _run(indexer: Indexer, work: _Work) -> dict[str, Any]:
    from client.corpus import Corpus
    from client.query_language import LanguageDetector
    from interlingua.progress import progress

    corpus = None
    if work.corpus:
        corpus = Corpus(work.corpus, LanguageDetector().tag_of, skip_bad=work.skip_bad)
        with progress("indexing", unit="documents", total=corpus.count_lines()) as bar:
            indexer.add(corpus, bar.advance)
    unknown = 0
    if work.delete:
        ids = list(dict.fromkeys(_ids(work.delete)))
        unknown = len(ids) - indexer.delete(ids)
    if work.delete_missing and corpus:
        indexer.delete_missing(corpus.lines_by_id)
    return _finish(indexer, corpus, rebuild=work.rebuild, unknown=unknown)


def _finish(indexer: Indexer, corpus: Corpus | None, *, rebuild: bool, unknown: int) -> dict[str, Any]:
    click.echo("estimating language offsets, bringing the vectors up to date", err=True)
    with _graph_progress(indexer) as advance:
        outcome = indexer.finish(rebuild=rebuild, advance=advance)
    return report(indexer, corpus, outcome, unknown)


@contextmanager
def _graph_progress(indexer: Indexer) -> Iterator[Callable[[int], None]]:
    """Progress of building the graph, where there is enough to build that it takes a while."""
    from interlingua.progress import progress

    documents = sum(len(labels) for labels in indexer.store.labels_by_language().values())
    if documents < _LONG_BUILD:
        yield lambda _: None
        return
    with progress("building the graph", unit="vectors", total=None) as bar:
        yield bar.advance


def _ids(path: Path) -> Iterator[str]:
    from interlingua.errors import InputError

    try:
        with click.open_file(str(path), encoding="utf-8") as file:
            yield from (line.strip() for line in file if line.strip())
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from error
