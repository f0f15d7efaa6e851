"""`interlingua adapt train`: a reranker from the embedder and the lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from interlingua.base.extras import require
from interlingua_cli.adapt import work_option
from interlingua_cli.options.number_range import NumberRange

if TYPE_CHECKING:
    from interlingua_adaptation.work_folder import WorkFolder

_LABELS = {"hard": (1.0, 0.0), "soft": (0.0, 1.0), "both": (0.5, 1.0)}


@click.command()
@work_option
@click.option("--name", required=True, help="The run; its folder is runs/NAME in the work folder.")
@click.option(
    "--start",
    default="neutral",
    show_default=True,
    help="neutral: the embedder without its language directions; random: with a random head; or a checkpoint folder.",
)
@click.option("--base", default="intfloat/multilingual-e5-small", show_default=True, help="The embedder to start from.")
@click.option("--labels", type=click.Choice(list(_LABELS)), default="both", show_default=True)
@click.option(
    "--steps",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="Steps of training; 0 writes the start itself.",
)
@click.option("--lists-per-step", type=click.IntRange(min=2), default=16, show_default=True)
@click.option(
    "--negatives", type=click.IntRange(min=1), default=3, show_default=True, help="Mined negatives of each list."
)
@click.option("--learning-rate", type=NumberRange(min=0, min_open=True), default=3e-4, show_default=True)
@click.option(
    "--longest-document",
    type=click.IntRange(8, 512),
    default=64,
    show_default=True,
    help="Tokens of a document, at most.",
)
@click.option(
    "--teacher-rank",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="With soft labels: leave out lists whose positive the teacher ranks lower.",
)
@click.option("--frozen-layers", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--save-every",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Steps from one checkpoint to the next.",
)
@click.option("--seed", default=1, show_default=True)
@click.option("--replace", is_flag=True, help="Give up a run of this name that has other settings.")
def command(
    work: WorkFolder,
    name: str,
    start: str,
    base: str,
    labels: str,
    steps: int,
    lists_per_step: int,
    negatives: int,
    learning_rate: float,
    longest_document: int,
    teacher_rank: int,
    frozen_layers: int,
    save_every: int,
    seed: int,
    replace: bool,
) -> None:
    """Train a reranker on the lists; a run that was stopped goes on."""
    work.require_lists()
    require("adapt")
    from interlingua.display.progress import progress
    from interlingua_adaptation.training.objective import LossWeights
    from interlingua_adaptation.training.train import TrainingSettings
    from interlingua_adaptation.training.training_run import Step, run

    settings = TrainingSettings(
        steps=steps,
        lists_per_step=lists_per_step,
        negatives=negatives,
        longest_document=longest_document,
        learning_rate=learning_rate,
        losses=LossWeights(*_LABELS[labels]),
        teacher_rank=teacher_rank,
        frozen_layers=frozen_layers,
        seed=seed,
        save_every=save_every,
    )
    done = 0
    with progress(f"training {name}", unit="steps", total=steps) as bar:

        def on_step(step: Step) -> None:
            nonlocal done
            bar.advance(step.number - done)
            done = step.number
            click.echo(f"step {step.number}: loss {step.loss:.3f}", err=True)

        folder = run(work, name, settings, start=start, base=base, replace=replace, on_step=on_step)
    click.echo(f"{folder}\nexport it with: interlingua export {folder}")
