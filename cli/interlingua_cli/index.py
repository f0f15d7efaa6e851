"""`interlingua index`: put documents into an index, change them, take them out."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlingua_cli.indexing.index_report import summary
from interlingua_cli.indexing.index_work import IndexWork, build_beside, carry_out
from interlingua_cli.options.common import tls_option
from interlingua_cli.options.number_range import NumberRange
from interlingua_cli.options.passage_tokens import PassageTokens
from interlingua_cli.options.placed_options import index_option, server_option
from interlingua_client.index.token_store.quantization import CHOICES
from interlingua_client.triton.server_address import ServerAddress

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlingua_client.index.document_store import DocumentStore
    from interlingua_client.index.indexer import IndexSettings

_PATIENCE_S = 120.0  # an index run outlives a restart of the server


@click.command()
@click.argument("corpus", required=False)
@index_option("Directory of the index; it is made if it is missing.")
@server_option
@tls_option
@click.option(
    "--delete",
    type=click.Path(path_type=Path, dir_okay=False, exists=True, allow_dash=True),
    help="File with the ids of documents to take out, one a line.",
)
@click.option("--delete-missing", is_flag=True, help="Take out every document that CORPUS does not have.")
@click.option(
    "--delete-at-most",
    type=NumberRange(0, 1),
    default=0.5,
    show_default=True,
    metavar="SHARE",
    help="Share of the index that --delete-missing may take out; more is refused, as after an export that failed.",
)
@click.option("--skip-bad", is_flag=True, help="Leave bad lines out and count them, rather than stop.")
@click.option("--batch", default=64, show_default=True, help="How many documents are committed together.")
@click.option("--hnsw-m", type=int, help="Links of a node in the HNSW graph.  [default: 16, or as saved]")
@click.option("--ef-construction", type=int, help="Candidates while inserting.  [default: 200, or as saved]")
@click.option("--ef-search", type=int, help="Candidates while searching.  [default: 128, or as saved]")
@click.option(
    "--offsets",
    type=click.Choice(["on", "off"]),
    help="Remove each language's offset from the vectors.  [default: on, or as saved]",
)
@click.option(
    "--token-vectors",
    type=click.Choice(CHOICES),
    help="Keep the documents' token vectors, which a late-interaction reranker compares with a question's: 4bit and "
    "int8 take 130 bytes a token, 4bit-128 takes 66. Alone it makes them for the documents that are there.  [default: "
    "4bit in a new index where the server has such a reranker, or as saved]",
)
@click.option(
    "--passage-tokens",
    type=PassageTokens(),
    metavar="N|off",
    help="Split long documents into passages of so many tokens, each with a vector of its own. Alone it splits the "
    "documents that are there again.  [default: off, or as saved]",
)
@click.option(
    "--passage-overlap",
    type=NumberRange(0, 0.25),
    metavar="SHARE",
    help="Share of a passage that may repeat the sentences before it.  [default: 0.1, or as saved]",
)
@click.option(
    "--rebuild",
    is_flag=True,
    help="Build the vectors again, with offsets as estimated now; token vectors where their projection fits no more.",
)
@click.option(
    "--verify",
    is_flag=True,
    help="Read all stored token vectors, compare their checksums, and make those again that are damaged.",
)
@click.option(
    "--beside",
    type=click.IntRange(1),
    metavar="VERSION",
    help="Build an index for this version of the embedder from the documents of the one there is, beside it; "
    "`interlingua promote` makes it current.",
)
@click.option(
    "--check",
    "only_check",
    is_flag=True,
    help="Say what the run would do and what is odd about CORPUS, and do nothing; a server is asked only if it is up.",
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
    token_vectors: str | None,
    passage_tokens: int | None,
    passage_overlap: float | None,
    beside: int | None,
    only_check: bool,
    as_json: bool,
    **work: Any,
) -> None:
    """Put documents into an index: CORPUS is a file of JSON lines (also gzipped), or - for standard input.

    Each line: {"id": ..., "language": ..., "title": ..., "text": ...}. What is there already with the same
    content is left alone, so a run that was stopped goes on when started again.
    """
    wanted = IndexWork(**work)
    _check(wanted, directory, beside, changes=(token_vectors, passage_tokens, passage_overlap) != (None, None, None))
    from interlingua_client.index.index_root import embedder_digest
    from interlingua_client.index.indexer import Indexer, IndexSettings
    from interlingua_client.triton.inference import InferenceClient

    settings = IndexSettings(
        m=hnsw_m,
        ef_construction=ef_construction,
        ef_search=ef_search,
        offsets=None if offsets is None else offsets == "on",
        token_vectors=token_vectors,
        passage_tokens=passage_tokens,
        passage_overlap=passage_overlap,
    )
    if only_check:
        _only_check(wanted, directory, ServerAddress.parse(server, tls_ca), settings, as_json=as_json)
        return
    started = time.monotonic()
    with InferenceClient.connect(
        ServerAddress.parse(server, tls_ca),
        patience_s=_PATIENCE_S,
        digest=None if beside else embedder_digest(directory),
        version=beside,
    ) as client:
        if beside:
            facts = build_beside(directory, client, settings, batch)
        else:
            with Indexer.open(directory, client, settings, batch=batch, encoder=client) as indexer:
                facts = carry_out(indexer, wanted) | {"index": str(directory)}
    facts["seconds"] = time.monotonic() - started
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else summary(facts))


def _only_check(
    work: IndexWork, directory: Path, server: ServerAddress, settings: IndexSettings, *, as_json: bool
) -> None:
    from interlingua.base.errors import InputError
    from interlingua_cli.indexing.corpus_check import check, check_summary

    if not (work.corpus or work.delete):
        raise click.UsageError("--check looks at CORPUS or at what --delete would take out: give one of them")
    facts = check(work, directory, _known_scripts(directory, server), settings) | {"index": str(directory)}
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else check_summary(facts))
    if facts["refused"]:
        click.get_current_context().exit(InputError.exit_code)


def _known_scripts(directory: Path, server: ServerAddress) -> list[str]:
    """The scripts that the server's embedder knows; none where nobody says so."""
    from interlingua.base.errors import ServerError
    from interlingua_client.index.index_root import embedder_digest
    from interlingua_client.triton.inference import InferenceClient

    try:
        with InferenceClient.connect(server, patience_s=0.0, digest=embedder_digest(directory)) as client:
            return [script for script in client.services.embed_query.spec.scripts.split(",") if script]
    except ServerError:
        return []


def _check(work: IndexWork, directory: Path, beside: int | None, *, changes: bool) -> None:
    """Refuse what makes no sense together."""
    given = work.corpus or work.delete or work.rebuild or work.verify
    if beside and given:
        raise click.UsageError("--beside takes its documents from the index there is: leave the rest out")
    if not (given or beside or changes):
        from interlingua_client.index.token_store.token_repair import what_is_lost

        lost = _said_of(directory, what_is_lost)
        raise click.UsageError(
            "nothing to do: give CORPUS, --delete, --rebuild, --verify, --token-vectors, --passage-tokens or --beside"
            + (f" ({lost})" if lost else "")
        )
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
    if not (work.corpus or beside) and _said_of(directory, lambda store: store.manifest().embedder.digest) is None:
        raise click.UsageError(f"there is no index in {directory} to work on: CORPUS makes one")


def _said_of(directory: Path, read: Callable[[DocumentStore], str]) -> str | None:
    """What is read off the current index; None where there is none."""
    from interlingua_client.index.document_store import DocumentStore
    from interlingua_client.index.index_root import current_folder

    folder = current_folder(directory)
    if not DocumentStore.exists(folder):
        return None
    with closing(DocumentStore.open(folder)) as store:
        return read(store)
