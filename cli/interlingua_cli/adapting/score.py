"""`interlingua adapt score`: a teacher's scores of the lists, as soft labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from interlingua.base.extras import require
from interlingua_cli.adapt import work_option

if TYPE_CHECKING:
    from interlingua_adaptation.work_folder import WorkFolder


@click.command()
@work_option
@click.option(
    "--teacher",
    default="neutral",
    show_default=True,
    help="neutral: the untrained start; a checkpoint folder; or any embedder or reranker that `export` takes.",
)
@click.option(
    "--base", default="intfloat/multilingual-e5-small", show_default=True, help="Embedder of the neutral teacher."
)
@click.option(
    "--languages",
    default="en",
    show_default=True,
    help="Languages in which the teacher sees best, with commas between them.",
)
@click.option("--replace", is_flag=True, help="Give up scores of another teacher, other languages or other lists.")
def command(work: WorkFolder, teacher: str, base: str, languages: str, replace: bool) -> None:
    """Score every list with a teacher; scores that are there are kept."""
    facts = work.require_lists()
    require("adapt")
    from interlingua.display.progress import progress
    from interlingua_adaptation import teachers
    from interlingua_adaptation.lists import read_lists
    from interlingua_adaptation.score import score
    from interlingua_evaluation.datasets.language_choice import wanted_tags

    chosen = wanted_tags([tag for tag in languages.split(",") if tag.strip()])
    loaded = teachers.load(teacher, read_lists(work.root), base=base)
    name = f"{teacher} ({base})" if teacher == "neutral" else teacher
    with progress("scoring", unit="lists", total=int(facts["lists"])) as bar:
        number = score(
            work,
            loaded,
            teacher_name=name,
            languages=chosen,
            replace=replace,
            on_scored=bar.advance,
            on_resumed=bar.skip,
        )
    click.echo(f"{number} lists scored by {name}; {work.scores}")
