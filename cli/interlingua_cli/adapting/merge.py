"""`interlingua adapt merge`: one checkpoint of two or more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlingua.base.extras import require
from interlingua_cli.adapt import work_option
from interlingua_cli.options.common import FOLDER

if TYPE_CHECKING:
    from interlingua_adaptation.work_folder import WorkFolder


@click.command()
@work_option
@click.argument("checkpoints", nargs=-1, required=True, type=FOLDER)
@click.option("--name", required=True, help="The merged run; its folder is runs/NAME in the work folder.")
@click.option("--weights", help="One a checkpoint, commas between them.  [default: equal]")
@click.option("--replace", is_flag=True, help="Give up a merged checkpoint of this name.")
def command(work: WorkFolder, checkpoints: tuple[Path, ...], name: str, weights: str | None, replace: bool) -> None:
    """Merge CHECKPOINTS (folders, or names of runs) by spherical interpolation."""
    require("adapt")
    from interlingua_adaptation.training.merge import merge_folders
    from interlingua_adaptation.training.training_run import MODEL, run_folder

    folders = [path if path.is_dir() else run_folder(work, path.name) / MODEL for path in checkpoints]
    target = run_folder(work, name) / MODEL
    merge_folders(folders, _weights(weights, len(folders)), target, replace=replace)
    click.echo(f"{target}\nexport it with: interlingua export {target}")


def _weights(text: str | None, number: int) -> list[float]:
    if text is None:
        return [1.0] * number
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} are not numbers with commas between them", param_hint="--weights"
        ) from error
