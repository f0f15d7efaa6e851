"""`interlingua adapt library`: a late-interaction reranker as a folder of sentence-transformers."""

from __future__ import annotations

from pathlib import Path

import click

from interlingua.base.extras import require
from interlingua_cli.options.common import FOLDER


@click.command()
@click.argument("model")
@click.argument("target", type=FOLDER)
def command(model: str, target: Path) -> None:
    """Write MODEL, `e5-small-reranker` or a checkpoint's folder, into TARGET as sentence-transformers reads it.

    Rows and vectors are the same there. Its layout has no weight for a token: a score is the plain mean of the maxima.
    """
    require("adapt")
    from interlingua_exporter.models.resolve import resolve
    from interlingua_exporter.weights import sources
    from interlingua_exporter.weights.checkpoint_folder import Overrides
    from interlingua_exporter.weights.late_interaction.sentence_folder import write_sentence_folder

    checkpoint = sources.load(resolve(model), Overrides())
    write_sentence_folder(checkpoint, target)
    click.echo(
        f"{target}: {checkpoint.spec.id} for MultiVectorEncoder; the weights of a query's tokens are left out, for "
        "which the layout has no place, and a score is the plain mean of the maxima"
    )
