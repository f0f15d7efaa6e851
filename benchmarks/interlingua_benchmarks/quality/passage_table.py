"""What searching by passages gives: nDCG@10 within a language, across and in the mixed pool, by size and overlap.

    python -m interlingua_benchmarks.quality.passage_table debian-reference --half development

    dataset --whole, and split by each plan--> vectors through the server, cached --dense search--> a row each

Sizes and overlaps are chosen on the development half and reported on the test half; halves are of pages, so that a page
is in the same one in every language.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlingua.base.extras import require
from interlingua_benchmarks.command import run
from interlingua_evaluation import options

if TYPE_CHECKING:
    from interlingua_client.index.passages.passage_plan import PassagePlan
    from interlingua_evaluation.datasets.dataset import Half
    from interlingua_evaluation.report.model import Figure
    from interlingua_evaluation.systems.system_runs import SystemRuns

_SIZES = (64, 128, 256, 512)
_OVERLAPS = (0.0, 0.1, 0.2)


@click.command()
@click.argument("name", metavar="DATASET")
@click.option("--language", "languages", multiple=True, help="Evaluate only these languages; repeat.")
@click.option("--size", "sizes", type=int, multiple=True, default=_SIZES, show_default=True)
@click.option("--overlap", "overlaps", type=float, multiple=True, default=_OVERLAPS, show_default=True)
@click.option("--half", type=click.Choice(["test", "development"]), default="development", show_default=True)
@options.gnome
@options.model_repository
@options.server
@options.cache
def main(
    name: str,
    languages: tuple[str, ...],
    sizes: Sequence[int],
    overlaps: Sequence[float],
    half: Half,
    gnome: Path | None,
    model_repository: Path,
    server: str | None,
    cache: Path,
) -> None:
    """Print the table of DATASET as Markdown."""
    require("evaluate")
    from interlingua.repository.published import Published
    from interlingua.repository.service_tokens import ServiceTokens
    from interlingua.served.service import EMBED_DOCUMENT
    from interlingua_client.index.passages.passage_plan import PassagePlan
    from interlingua_evaluation.datasets.left_out import judged_only
    from interlingua_evaluation.datasets.sources import open_dataset
    from interlingua_evaluation.serving import LiveServer
    from interlingua_evaluation.systems.dense_vectors import dense_vectors
    from interlingua_evaluation.systems.passage_search import PassageSearch, PassageSet
    from interlingua_evaluation.systems.system_runs import SystemRuns

    models = Published.read(model_repository)
    tokens = ServiceTokens.of(models.required("embedder"), EMBED_DOCUMENT)
    plans = [PassagePlan(size=size, overlap=overlap).checked() for size in sizes for overlap in overlaps]
    dataset = judged_only(open_dataset(name, gnome=gnome, languages=languages))
    click.echo(f"{name}, {half} half: nDCG@10\n")
    click.echo("| passages | texts | offsets | same language | across | mixed pool |\n|---|---|---|---|---|---|")
    with LiveServer(models, server) as live:

        def runs(plan: PassagePlan | None) -> SystemRuns:
            def split() -> PassageSet:
                fitting = (plan or PassagePlan()).within(tokens.spec.max_tokens)
                return PassageSet.of(dataset, fitting, lambda texts: tokens.lengths(texts).tolist())

            return SystemRuns(
                dataset=dataset,
                vectors=lambda: dense_vectors(dataset, cache, live.embedding()),
                asked_in=[query.language for query in dataset.queries],
                scorer=None,
                by_passages=PassageSearch(split, lambda made: dense_vectors(made, cache, live.embedding())),
            )

        for plan in (None, *plans):
            _print_rows(runs(plan), plan, half)


def _print_rows(runs: SystemRuns, plan: PassagePlan | None, half: Half) -> None:
    from interlingua_evaluation.measures.relevance import Judge
    from interlingua_evaluation.report.averages import Averager
    from interlingua_evaluation.systems.system_name import SystemName

    for use in (False, True):
        lists = runs.first_stage(SystemName(first="dense", passages=plan is not None, offsets=use))
        figures = Averager(lists, lists.of_half(half)).breakdown(Judge(lists).ndcg(lists.documents))
        what, texts = "whole pages", len(runs.dataset.documents)
        if plan is not None and runs.by_passages is not None:
            what, texts = f"{plan.size}, overlap {plan.overlap:g}", len(runs.by_passages.passages.parents)
        cells = " | ".join(_cell(figure) for figure in (figures.same, figures.across, figures.mixed))
        click.echo(f"| {what} | {texts} | {'yes' if use else 'no'} | {cells} |")


def _cell(figure: Figure | None) -> str:
    return "" if figure is None else f"{figure.mean:.3f}"


if __name__ == "__main__":
    run(main)
