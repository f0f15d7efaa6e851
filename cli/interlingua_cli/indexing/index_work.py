"""What `interlingua index` does to an index.

IndexWork --corpus in, ids out, vectors brought up to date--> facts (index_report.py)
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlingua_cli.indexing.index_report import forecast_line, report
from interlingua_cli.indexing.text_remarks import TextRemarks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from interlingua_client.corpus import Corpus
    from interlingua_client.index.indexer import Indexer, IndexSettings
    from interlingua_client.index.token_store.token_indexing import TokenIndexing
    from interlingua_client.index.token_store.token_outcome import TokenForecast, TokenOutcome
    from interlingua_client.triton.inference import InferenceClient

_LONG_BUILD = 20_000  # vectors; some seconds


@dataclass(frozen=True, kw_only=True)
class IndexWork:
    """What one run is asked to do."""

    corpus: str | None
    delete: Path | None
    delete_missing: bool
    delete_at_most: float
    skip_bad: bool
    rebuild: bool
    verify: bool


def build_beside(directory: Path, client: InferenceClient, settings: IndexSettings, batch: int) -> dict[str, Any]:
    """An index for the client's embedder from the documents of the one there is; the facts of the report.

    Raises:
        InputError: there is no index, or it is of that embedder already.
    """
    from interlingua.display.progress import progress
    from interlingua_client.index.reembedding import BesideIndex

    with (
        BesideIndex(directory, client.identity) as source,
        source.open(client, settings, batch=batch, encoder=client) as indexer,
    ):
        with progress("indexing", unit="documents", total=len(source)) as bar:
            source.copy(indexer, bar.advance, bar.skip)
        return _finish(indexer, None, unknown=0) | {"index": str(source.folder)}


def carry_out(indexer: Indexer, work: IndexWork) -> dict[str, Any]:
    """Put in, take out, finish; the facts of the report.

    Raises:
        InputError: the corpus or the file of ids cannot be read, or has a bad line, or too much would be deleted.
    """
    from interlingua.display.progress import progress
    from interlingua_client.corpus import Corpus
    from interlingua_client.search.query_language import LanguageDetector

    corpus, remarks = None, TextRemarks()
    if work.corpus:
        known = indexer.store.languages()
        corpus = Corpus(work.corpus, LanguageDetector().tag_of, skip_bad=work.skip_bad, known=known)
        with progress("indexing", unit="documents", total=corpus.count_lines()) as bar:
            indexer.add(remarks.noticing_html(corpus), bar.advance, bar.skip)
    unknown = 0
    if work.delete:
        ids = list(dict.fromkeys(ids_of(work.delete)))
        unknown = len(ids) - indexer.delete(ids)
    try:
        if work.delete_missing and corpus:
            indexer.delete_missing(corpus.lines_by_id, at_most=work.delete_at_most)
    finally:
        facts = _finish(indexer, corpus, rebuild=work.rebuild, verify=work.verify, unknown=unknown)
    return facts | {"html": remarks.html, "remarks": remarks.sentences()}


def _finish(
    indexer: Indexer, corpus: Corpus | None, *, unknown: int, rebuild: bool = False, verify: bool = False
) -> dict[str, Any]:
    from interlingua.display.progress import progress

    if others := indexer.count_to_resplit():
        with progress("splitting again", unit="documents", total=others) as bar:
            indexer.resplit(bar.advance)
    click.echo("estimating language offsets, bringing the vectors up to date", err=True)
    with _graph_progress(indexer) as advance:
        outcome = indexer.finish(rebuild=rebuild, verify=verify, advance=advance, encode=_encode)
    return report(indexer, corpus, outcome, unknown)


def _encode(work: TokenIndexing) -> TokenOutcome:
    """Make token vectors, and show how far it is."""
    from interlingua.display.progress import progress

    if not (missing := work.missing()):
        return work.run()
    with progress("token vectors", unit="documents", total=missing) as bar:
        return work.run(_say, bar.advance)


def _say(forecast: TokenForecast) -> None:
    if forecast.documents:
        click.echo(forecast_line(forecast), err=True)


@contextmanager
def _graph_progress(indexer: Indexer) -> Iterator[Callable[[int], None]]:
    """Progress of building the graph, where there is enough to build that it takes a while."""
    from interlingua.display.progress import progress

    vectors = sum(len(labels) for labels in indexer.store.labels_by_language().values())
    if vectors < _LONG_BUILD:
        yield lambda _: None
        return
    with progress("building the graph", unit="vectors", total=None) as bar:
        yield bar.advance


def ids_of(path: Path) -> Iterator[str]:
    """The ids of a file, one a line. Raises InputError: it is not UTF-8."""
    from interlingua.base.errors import InputError

    try:
        with click.open_file(str(path), encoding="utf-8") as file:
            yield from (line.strip() for line in file if line.strip())
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from error
