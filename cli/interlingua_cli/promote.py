"""`interlingua promote`: make a version the default, and the index that was built for it current."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlingua.base.counted import counted
from interlingua_cli.options.deployment_options import on_deployment, say, with_indexes

if TYPE_CHECKING:
    from interlingua_releases.deployment import Deployment
    from interlingua_releases.promotion import Promoted


@click.command()
@click.argument("version", type=click.IntRange(1), required=False)
@on_deployment
@with_indexes
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def command(deployment: Deployment, roots: tuple[Path, ...], version: int | None, as_json: bool) -> None:
    """Make VERSION (the newest) the default, after comparing its answers through the server with its files.

    For an embedder the index that `interlingua index --beside VERSION` built becomes current with it. Clients that
    are open go on with what they have until they open the index anew.
    """
    from interlingua_releases.promotion import promote

    show(promote(deployment, version, roots, say), as_json=as_json)


def show(promoted: Promoted, *, as_json: bool) -> None:
    """Print what is current now."""
    facts = facts_of(promoted)
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    if promoted.parity:
        parity = promoted.parity
        click.echo(
            f"{counted(parity.texts, 'text')} answered through the server as in the files: relative error at most "
            f"{parity.worst:.2g} (bound {parity.bound:g})"
        )
    for folder in promoted.indexes:
        click.echo(f"current index of {folder}: that of version {facts['version']}")
    back = f"; `interlingua rollback` goes back to {promoted.previous}" if promoted.previous else ""
    click.echo(f"the default {promoted.version.role} is version {facts['version']} ({facts['model']}){back}")
    if promoted.differing:
        click.echo(
            f"{counted(promoted.differing, 'document')} indexed, changed or deleted since this index was current: run "
            f"`interlingua index CORPUS` again"
        )
    if promoted.version.role == "reranker" and promoted.version.spec.interaction:
        click.echo(
            "an index with token vectors of another reranker is searched pair by pair until `interlingua index --index "
            "DIR --token-vectors FORMAT` has made them for this one"
        )


def facts_of(promoted: Promoted) -> dict[str, Any]:
    """The promotion as --json has it."""
    return {
        "role": promoted.version.role,
        "version": promoted.version.version,
        "previous": promoted.previous,
        "model": promoted.version.spec.model_id,
        "digest": promoted.version.spec.digest,
        "indexes": [str(path) for path in promoted.indexes],
        "parity": None if promoted.parity is None else vars(promoted.parity),
        "differing_documents": promoted.differing,
    }
