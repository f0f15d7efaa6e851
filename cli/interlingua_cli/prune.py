"""`interlingua prune`: take versions away that nobody needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlingua_cli.options.deployment_options import on_deployment, say, with_indexes

if TYPE_CHECKING:
    from interlingua_releases.deployment import Deployment


@click.command()
@click.argument("versions", type=click.IntRange(1), nargs=-1)
@on_deployment
@with_indexes
@click.option("--dry-run", is_flag=True, help="Say what would be taken away, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def command(
    deployment: Deployment, roots: tuple[Path, ...], versions: tuple[int, ...], dry_run: bool, as_json: bool
) -> None:
    """Unload and delete VERSIONS, and the indexes built for them.

    Without VERSIONS all that are older than the current one, the previous one excepted. What is current or previous,
    in the servers or in an index, is refused.
    """
    from interlingua_releases.pruning import prune, superseded

    if dry_run:
        wanted = versions or superseded(deployment)
        click.echo(json.dumps({"versions": wanted}) if as_json else f"versions: {_list(wanted)}")
        return
    pruned = prune(deployment, versions, roots, say)
    if as_json:
        click.echo(json.dumps({"versions": pruned.versions, "indexes": [str(path) for path in pruned.indexes]}))
        return
    click.echo(f"pruned versions: {_list(pruned.versions)}")
    for folder in pruned.indexes:
        click.echo(f"deleted the index {folder}")


def _list(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers)) or "none"
