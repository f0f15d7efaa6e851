"""`interlingua export plan`: a TensorRT plan that was built elsewhere, into the model repository."""

from __future__ import annotations

import json
from pathlib import Path

import click

from interlingua.base.extras import require
from interlingua_cli.exporting.options import json_option, published_option


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@published_option
@click.option("--version", type=click.IntRange(1), help="Publish as this number.  [default: the next]")
@json_option
def command(folder: Path, model_repository: Path, version: int | None, as_json: bool) -> None:
    """Publish the plan that was built in FOLDER, which `interlingua export --provider tensorrt-plan` wrote."""
    require("export")
    from interlingua.repository.model_repository import ModelRepository
    from interlingua_exporter.tensorrt.plan_publication import publish_plan

    done = publish_plan(folder, ModelRepository(model_repository), version)
    if as_json:
        facts = {"models": list(done.models), "version": done.version, "digest": done.digest, "reused": done.reused}
        click.echo(json.dumps(facts | {"model_repository": str(model_repository)}, ensure_ascii=False))
        return
    models = ", ".join(f"{name}/{done.version}" for name in done.models)
    click.echo(f"{'published already' if done.reused else 'published the plan'}: {models} in {model_repository}")
    click.echo(f"digest {done.digest}")
