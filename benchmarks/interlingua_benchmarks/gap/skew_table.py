"""Language offsets where languages write about different things: `python -m interlingua_benchmarks.gap.skew_table`.

helpdesk12, GNOME help (a half each) --skewed by topic--> a table a collection, as docs/figures/language-gap.md shows it
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlingua.base.errors import InputError
from interlingua.base.extras import require
from interlingua_benchmarks.command import run
from interlingua_evaluation import options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlingua_evaluation.datasets.dataset import Half
    from interlingua_evaluation.gap.skew_study import SkewRow

_SIZES = {"helpdesk12": (5, None), "gnome-help": (5, 20, None)}


@click.command()
@options.gnome
@options.model_repository
@options.server
@options.cache
@click.option("--half", type=click.Choice(["test", "development"]), default="test", show_default=True)
@click.option("--dataset", "names", multiple=True, type=click.Choice(tuple(_SIZES)), default=tuple(_SIZES))
def main(
    gnome: Path | None, model_repository: Path, server: str | None, cache: Path, half: Half, names: tuple[str, ...]
) -> None:
    """Print the tables as Markdown."""
    require("evaluate")
    from interlingua.repository.published import Published
    from interlingua.served.language_vectors import LanguageVectors
    from interlingua.served.service import EMBED_DOCUMENT
    from interlingua_evaluation.datasets.sources import open_dataset
    from interlingua_evaluation.gap.skew_study import SkewStudy
    from interlingua_evaluation.gap.stand_in_queries import every_stand_in
    from interlingua_evaluation.gap.topic_skew import Collection
    from interlingua_evaluation.serving import LiveServer
    from interlingua_evaluation.systems.dense_vectors import dense_vectors

    models = Published.read(model_repository)
    stated = models.required("embedder").specs[EMBED_DOCUMENT].language_vectors
    if not stated:
        raise InputError(f"{model_repository} has an embedder without language vectors: export it into another folder")
    with LiveServer(models, server) as live:
        for name in names:
            dataset = open_dataset(name, gnome=gnome)
            vectors = dense_vectors(dataset, cache, live.embedding())
            sample = every_stand_in(dataset, cache, live.embedding(), vectors)
            collection = Collection(dataset, vectors, sample).of_half(half)
            click.echo(f"\n**{name}, {half} half** (nDCG@10, mixed pool; across in brackets)\n")
            _print(SkewStudy(collection, LanguageVectors.from_text(stated)).rows(_SIZES[name]))


def _print(rows: Iterable[SkewRow]) -> None:
    from interlingua_evaluation.gap.skew_study import WAYS

    click.echo(f"| topics | documents | skew | {' | '.join(WAYS)} | below the better of the first two |")
    click.echo("|---" * (len(WAYS) + 4) + "|")
    for row in rows:
        cells = [f"{means.mixed:.3f} ({means.across:.3f})" for means in (*row.ways.values(), row.shortfall)]
        click.echo(f"| {row.topics or 'all'} | {row.documents:.0f} | {row.skew:g} | {' | '.join(cells)} |")


if __name__ == "__main__":
    run(main)
