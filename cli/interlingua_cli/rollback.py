"""`interlingua rollback`: the version and the index before the current ones are current again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlingua_cli.options.deployment_options import on_deployment, say, with_indexes
from interlingua_cli.promote import show

if TYPE_CHECKING:
    from interlingua_releases.deployment import Deployment


@click.command()
@on_deployment
@with_indexes
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def command(deployment: Deployment, roots: tuple[Path, ...], as_json: bool) -> None:
    """Go back to what was current before the last promotion; once more, and it is undone."""
    from interlingua_releases.promotion import rollback

    show(rollback(deployment, roots, say), as_json=as_json)
