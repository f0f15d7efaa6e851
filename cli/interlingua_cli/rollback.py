"""`interlingua rollback`: the version and the index before the current ones are current again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from interlingua_cli.deployment_options import deployment_of, deployment_options, index_options, index_roots, say
from interlingua_cli.promote import show


@click.command()
@deployment_options
@index_options
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def command(indexes: tuple[Path, ...], no_index: bool, as_json: bool, **options: Any) -> None:
    """Go back to what was current before the last promotion; once more, and it is undone."""
    deployment = deployment_of(**options)
    from interlingua_releases.promotion import rollback

    roots = index_roots(options["role"], indexes, no_index=no_index)
    show(rollback(deployment, roots, say), as_json=as_json)
