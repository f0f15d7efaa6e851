"""The language gap, and what serving can do about it: `make gap-table`.

GNOME help (test half; learned from on the development half), helpdesk12 --> tables of kinds of offsets, of how many
documents they take, and of every switch, as docs/evaluation.md shows them
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlingua.base.extras import require
from interlingua_benchmarks.command import run
from interlingua_evaluation import options

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Half
    from interlingua_evaluation.gap.gap_study import GapRow, GapStudy
    from interlingua_evaluation.report.model import Figure
    from interlingua_evaluation.systems.system_runs import SystemRuns

_SCARCE = "cs"


@click.command()
@options.gnome
@options.model_repository
@options.server
@options.cache
@click.option("--half", type=click.Choice(["test", "development"]), default="test", show_default=True)
def main(gnome: Path | None, model_repository: Path, server: str | None, cache: Path, half: Half) -> None:
    """Print all tables as Markdown."""
    require("evaluate")
    from interlingua.repository.published import Published
    from interlingua_evaluation.datasets.sources import open_dataset
    from interlingua_evaluation.gap.gap_study import GapStudy
    from interlingua_evaluation.gap.stand_in_queries import stand_ins
    from interlingua_evaluation.measures.gains import DEFAULT, FORMULAS
    from interlingua_evaluation.serving import LiveServer
    from interlingua_evaluation.systems.dense_vectors import dense_vectors
    from interlingua_evaluation.systems.rerank.scorer_choice import choose_scorer
    from interlingua_evaluation.systems.system_runs import SystemRuns

    click.echo(f"nDCG@10 with {FORMULAS[DEFAULT]}")
    models = Published.read(model_repository)
    with LiveServer(models, server) as live:
        for name in ("gnome-help", "helpdesk12"):
            dataset = open_dataset(name, gnome=gnome)
            vectors = dense_vectors(dataset, cache, live.embedding())
            asked_in = [query.language for query in dataset.queries]
            scorer = choose_scorer(models, live, cache, "auto")
            if any(query.half != half for query in dataset.queries):
                sample = stand_ins(dataset, cache, live.embedding(), of_half=half)
                _print_offsets(GapStudy(dataset, vectors, sample, half), name)
            of_dataset: Half = half if any(query.half == half for query in dataset.queries) else "test"
            runs = SystemRuns(
                dataset=dataset,
                vectors=lambda v=vectors: v,  # type: ignore[misc]
                asked_in=asked_in,
                scorer=scorer,
            )
            _print_switches(runs, of_dataset, name)


def _print_offsets(study: GapStudy, name: str) -> None:
    click.echo(f"\n**{name}: kinds of offsets, learned on the other half's pages**\n")
    _print_rows(study.kinds())
    click.echo(f"\n**{name}: how many documents a language the offsets take (three draws)**\n")
    _print_numbered(study.numbers())
    click.echo(f"\n**{name}: {_SCARCE} has n documents, the others all; queries in {_SCARCE} (three draws)**\n")
    _print_numbered(study.scarce(_SCARCE))


def _print_switches(runs: SystemRuns, half: Half, name: str) -> None:
    from interlingua_evaluation.gap.switch_study import with_translations, without_translations

    click.echo(f"\n**{name}: every document in every language**\n")
    _print_rows(with_translations(runs, half))
    click.echo(f"\n**{name}: every document in one language, drawn (three draws)**\n")
    _print_rows(without_translations(runs, half))


def _print_rows(rows: Iterator[GapRow] | Sequence[GapRow]) -> None:
    click.echo("| | same language | across | mixed pool | own-language share |\n|---|---|---|---|---|")
    for row in rows:
        click.echo(f"| {row.name} | {' | '.join(_cell(figure) for figure in row[1:])} |")


def _print_numbered(rows: Iterator[tuple[int, GapRow]]) -> None:
    click.echo("| documents | | across | mixed pool | own-language share |\n|---|---|---|---|---|")
    for number, row in rows:
        click.echo(f"| {number} | {row.name} | {' | '.join(_cell(figure) for figure in row[2:])} |")


def _cell(figure: Figure | None) -> str:
    return "" if figure is None else f"{figure.mean:.3f}"


if __name__ == "__main__":
    run(main)
