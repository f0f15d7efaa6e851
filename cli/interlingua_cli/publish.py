"""`interlingua publish`: load a version that was exported into the running servers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from interlingua_cli.options.deployment_options import on_deployment, say

if TYPE_CHECKING:
    from interlingua_releases.deployment import Deployment


@click.command()
@click.argument("version", type=click.IntRange(1), required=False)
@on_deployment
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def command(deployment: Deployment, version: int | None, as_json: bool) -> None:
    """Load VERSION (the newest) into the running servers, beside what they serve.

    Nobody is moved to it: clients that name no version keep the one they have until `interlingua promote`.
    """
    from interlingua_releases.loading import publish

    found = publish(deployment, version, say)
    facts = {
        "models": list(found.family.models),
        "version": found.version,
        "model": found.spec.model_id,
        "digest": found.spec.digest,
        "default": deployment.served(),
        "servers": [server.address for server in deployment.servers],
    }
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    click.echo(
        f"version {found.version} ({found.spec.model_id}, {found.spec.precision}) of {', '.join(found.family.models)} "
        f"is ready on {', '.join(facts['servers'])}; the default is version {facts['default']}"  # type: ignore[arg-type]
    )
