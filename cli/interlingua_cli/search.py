"""`interlingua search`: ask an index a question in any language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlingua.base.counted import counted
from interlingua_cli.options.click_options import chosen, click_options
from interlingua_cli.options.common import FILE, tls_option
from interlingua_cli.options.number_range import NumberRange
from interlingua_cli.options.placed_options import index_option, server_option
from interlingua_client.deadline import LONGEST_S
from interlingua_client.search.search_options import SearchOptions
from interlingua_client.triton.server_address import ServerAddress

if TYPE_CHECKING:
    from interlingua_client.search.results import Hit, Reranking, SearchResult, StageTimes

SEARCH_FLAGS = {"k": "-k", "languages": "--language"}

_EXPLAINED = ("as given", "offsets", "reranked", "balance", "without words")
_STAGES = (
    ("language", "language_s"),
    ("queue", "queue_s"),
    ("tokenize", "tokenize_s"),
    ("compute", "compute_s"),
    ("network", "network_s"),
    ("token vectors beside", "encode_s"),
    ("ANN", "ann_s"),
    ("documents", "documents_s"),
    ("rerank", "rerank_s"),
    ("total", "total_s"),
)


@click.command()
@click.argument("query")
@index_option("Directory that `interlingua index` made.")
@server_option
@tls_option
@click_options(SearchOptions, SEARCH_FLAGS)
@click.option(
    "--deadline-ms", type=NumberRange(min=0, max=1e3 * LONGEST_S, min_open=True), help="Time the answer may take."
)
@click.option("--no-offsets", is_flag=True, help="Leave the language offsets in, for comparison.")
@click.option("--ef-search", type=int, help="Candidates in the HNSW graph.  [default: as saved]")
@click.option("--log", type=FILE, help="Append a line of facts for `interlingua monitor` to this file, without texts.")
@click.option("--log-text", is_flag=True, help="Write the question and the hits' ids and titles to --log too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    query: str,
    directory: Path,
    server: str,
    tls_ca: Path | None,
    deadline_ms: float | None,
    no_offsets: bool,
    ef_search: int | None,
    log: Path | None,
    log_text: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Find documents that answer QUERY, in whatever languages both are."""
    if log_text and log is None:
        raise click.UsageError("--log-text needs --log")
    from interlingua_client.search.retriever import Retriever

    options, address = chosen(SearchOptions, given), ServerAddress.parse(server, tls_ca)
    with Retriever.open(
        directory,
        server=address,
        use_offsets=not no_offsets,
        ef_search=ef_search,
        patience_s=5.0,
        load_detector=not options.query_language,
        log=log,
        log_text=log_text,
    ) as retriever:
        documents, note = len(retriever.index), retriever.note
        deadline_s = None if deadline_ms is None else deadline_ms / 1e3
        result = retriever.search(query, options=options, deadline_s=deadline_s)
    if as_json:
        click.echo(json.dumps({**result.to_dict(), "documents": documents, "note": note}, ensure_ascii=False))
    else:
        show(result, documents, options.k)
        if note:
            click.echo(note)


def show(result: SearchResult, documents: int, k: int) -> None:
    """Print hits, what has to be known about them, and the time of each stage."""
    from interlingua.display.terminal import console

    out = console()
    if result.hits:
        out.print(_table(result))
    for note in _notes(result, documents, k):
        out.print(note, markup=False)
    out.print(stage_line(result.times), markup=False, soft_wrap=True)


def _table(result: SearchResult) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("#", justify="right")
    table.add_column("score", justify="right")
    if result.reranked:
        table.add_column("reranking", no_wrap=True)
    if result.explained:
        for name in _EXPLAINED:
            table.add_column(name, justify="right")
    table.add_column("language")
    table.add_column("title", ratio=2)
    table.add_column("snippet", ratio=5)
    for hit in result.hits:
        change = (moved(hit),) if result.reranked else ()
        title = " > ".join(part for part in (hit.title or hit.id, hit.heading) if part)
        cells = (str(hit.rank), f"{hit.score:.3f}", *change, *_steps(hit), hit.language, title)
        table.add_row(*(Text(cell) for cell in cells), _highlighted(hit))
    return table


def _steps(hit: Hit) -> list[str]:
    """Its place after each step, in the order of _EXPLAINED."""
    if hit.places is None:
        return []
    places = hit.places
    without = "none" if places.without_words is None else str(places.without_words)
    return [*map(str, (places.raw, places.dense, places.reranked, places.balanced)), without]


def _highlighted(hit: Hit) -> Any:
    """The snippet, with what the question's words hit in bold."""
    from rich.text import Text

    shown = Text(hit.snippet.text)
    for start, end in hit.snippet.highlights:
        shown.stylize("bold yellow", start, end)
    return shown


def moved(hit: Hit) -> str:
    """Where reranking took a hit from, "" if it left it in its place."""
    if hit.rank == hit.dense_rank:
        return ""
    return f"{'↑' if hit.rank < hit.dense_rank else '↓'} was {hit.dense_rank}"


def stage_line(times: StageTimes) -> str:
    """The time of each stage in milliseconds; those that the server does not report are left out."""
    known = ((name, getattr(times, field)) for name, field in _STAGES)
    stages = [f"{name} {1e3 * seconds:.1f}" for name, seconds in known if seconds is not None]
    if times.compute_s is None:
        stages.insert(1, f"embed {1e3 * times.embed_s:.1f}")
    return "ms: " + " · ".join(stages)


def _notes(result: SearchResult, documents: int, k: int) -> list[str]:
    """What a reader has to know about these hits."""
    notes = []
    if not documents:
        notes.append("The index is empty: put documents in with `interlingua index CORPUS`.")
    elif len(result.hits) < k:
        notes.append(f"{counted(len(result.hits), 'hit')}: no more documents meet what was asked for.")
    if result.unknown_scripts:
        notes.append(
            f"the model cannot read the query's script ({', '.join(map(str.capitalize, result.unknown_scripts))}): "
            "these hits say nothing about it"
        )
    notes.append(_language_note(result))
    reranking = result.reranking
    if not reranking.depth:
        notes.append(f"not reranked: {reranking.reason}")
    elif reranking.degraded:
        depth = f"{reranking.depth} of {counted(reranking.wanted, 'candidate')}"
        notes.append(f"reranked {depth}{_way(reranking)}, weight {reranking.weight:g}: {reranking.reason}")
    else:
        notes.append(f"reranked {counted(reranking.depth, 'candidate')}{_way(reranking)}, weight {reranking.weight:g}")
    if note := _word_note(result):
        notes.append(note)
    if result.explained:
        notes.append(
            "places among all candidates: by the vectors as given, with language offsets removed, reranked, "
            "with the balance of languages, and had words added no candidate"
        )
    if result.query_truncated:
        notes.append(f"the query has {result.query_tokens} tokens, more than the network reads: its end was left out")
    if result.vanished:
        notes.append(f"{counted(result.vanished, 'candidate')} left out: deleted a moment ago")
    return notes


def _word_note(result: SearchResult) -> str:
    """What names and codes did, where there were any."""
    use = result.words
    if use.reason:
        return f"the question's words had no say: {use.reason}"
    if use.mode in ("bm25", "fusion"):
        return "found by words alone (BM25)" if use.mode == "bm25" else "found by vectors and words (fusion)"
    if not use.words:
        return ""
    added = f", {counted(use.added, 'candidate')} added" if use.added else ""
    return f"names and codes looked up: {', '.join(use.words)}{added}"


def _way(reranking: Reranking) -> str:
    """How candidates were scored: by stored token vectors, as pairs where that is worth a word, or some of each."""
    if reranking.stored == reranking.depth:
        return " by stored token vectors"
    if not reranking.pairs_reason:
        return ""
    which = f"{reranking.depth - reranking.stored} of them " if reranking.stored else ""
    return f" ({which}pair by pair: {reranking.pairs_reason})"


def _language_note(result: SearchResult) -> str:
    language = result.language
    offsets = "language offsets removed" if result.offsets else "language offsets not used"
    if language.source == "unused":
        return offsets
    if language.tag is None:
        return f"query language unsure (say it with --query-language); {offsets}"
    how = f"{language.confidence:.0%} sure" if language.source == "detected" else "given"
    return f"query language {language.tag} ({how}); {offsets}"
