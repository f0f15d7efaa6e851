"""`interlingua adapt artefact`: a checkpoint as what it changed, to keep and to publish."""

from __future__ import annotations

from pathlib import Path

import click

from interlingua.base.extras import require
from interlingua_cli.options.common import FOLDER
from interlingua_cli.options.number_range import NumberRange


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.argument("target", type=FOLDER)
@click.option(
    "--rank", type=click.IntRange(min=1), default=64, show_default=True, help="Rank of the differences that are kept."
)
@click.option("--model-id", required=True, help="The name that the catalogue gives it.")
@click.option(
    "--rerank-weight",
    type=NumberRange(0, 1),
    required=True,
    help="The share that was chosen on development queries.",
)
@click.option("--licence", required=True, help="The licence of the weights.")
def command(checkpoint: Path, target: Path, rank: int, model_id: str, rerank_weight: float, licence: str) -> None:
    """Write into TARGET what CHECKPOINT changed in its base."""
    require("adapt")
    from interlingua_adaptation.artefact import write_artefact

    size = write_artefact(
        checkpoint, target, rank=rank, model_id=model_id, rerank_weight=rerank_weight, licence=licence
    )
    click.echo(f"{target}: {size / 1e6:.1f} MB at rank {rank}")
