"""`interlingua adapt <step>`: make a reranker for one's own documents, a file a step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlingua_cli.options.common import FOLDER
from interlingua_cli.verb_group import LazyGroup

if TYPE_CHECKING:
    from interlingua_adaptation.work_folder import WorkFolder

STEPS = {
    "corpus": "sections, aligned across languages or not, into a work folder",
    "mine": "queries from headings and sentences, with hard negatives",
    "score": "a teacher's scores of the lists, as soft labels",
    "train": "a reranker from the embedder and the lists",
    "merge": "one checkpoint of two or more",
    "artefact": "a checkpoint as what it changed, to keep and to publish",
    "library": "a checkpoint as a folder of sentence-transformers",
}


def _work_folder(_: click.Context, __: click.Parameter, value: Path) -> WorkFolder:
    from interlingua_adaptation.work_folder import WorkFolder

    return WorkFolder(value)


work_option = click.option(
    "--work",
    type=FOLDER,
    default=Path("var/adapt"),
    show_default=True,
    callback=_work_folder,
    help="The folder that the steps share.",
)


@click.group(cls=LazyGroup, sections={"Steps, in their order": STEPS}, prefix="interlingua_cli.adapting.")
def command() -> None:
    """Train a reranker on documents, without labels.

    Every step can be run apart, and goes on where it was stopped.
    """
