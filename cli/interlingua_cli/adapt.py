"""`interlingua adapt <step>`: make a reranker for one's own documents, a file a step."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from interlingua_adaptation.work_folder import WorkFolder

STEPS = {
    "corpus": "sections, aligned across languages or not, into a work folder",
    "mine": "queries from headings and sentences, with hard negatives",
    "score": "a teacher's scores of the lists, as soft labels",
    "train": "a reranker from the embedder and the lists",
    "merge": "one checkpoint of two or more",
    "artefact": "a checkpoint as what it changed, to keep and to publish",
}


def _work_folder(_: click.Context, __: click.Parameter, value: Path) -> WorkFolder:
    from interlingua_adaptation.work_folder import WorkFolder

    return WorkFolder(value)


work_option = click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/adapt"),
    show_default=True,
    callback=_work_folder,
    help="Folder that the steps share.",
)


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(STEPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in STEPS:
            return None
        command: click.Command = importlib.import_module(f"interlingua_cli.adapt_{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Steps, in their order"):
            formatter.write_dl(list(STEPS.items()))


@click.group(cls=_LazyGroup)
def command() -> None:
    """Train a reranker on documents, without labels.

    Every step can be run apart, and goes on where it was stopped.
    """
