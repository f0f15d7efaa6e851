"""Rerankers in one table: `make reranker-table`.

    --system NAME=CHECKPOINT ... --> development half: each one's weight
                                 --> test half of GNOME help, and helpdesk12: nDCG@10 with intervals and differences

docs/reranker.md says how it is measured and how to read it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlingua.base.debian_packages import ensure_package
from interlingua.base.extras import require
from interlingua.display.terminal import print_parts
from interlingua_benchmarks.command import run
from interlingua_evaluation import options
from interlingua_evaluation.data_folders import HELPDESK12
from interlingua_evaluation.datasets.beir.beir_folder import read_beir_folder
from interlingua_evaluation.datasets.gnome_dataset import gnome_dataset
from interlingua_evaluation.datasets.gnome_help import PACKAGE
from interlingua_evaluation.rerankers.named_checkpoint import NamedCheckpoint

if TYPE_CHECKING:
    from collections.abc import Collection

    from interlingua_evaluation.datasets.dataset import Dataset, Half

DEFAULT = NamedCheckpoint("e5-small-reranker", "interlingua/e5-small-reranker")
NONE = NamedCheckpoint("none", "")
GNOME_HELP = "gnome-help"
DATASETS = (GNOME_HELP, HELPDESK12.name)


class _System(click.ParamType[NamedCheckpoint]):
    name = "NAME=CHECKPOINT"

    def convert(
        self, value: str | NamedCheckpoint, param: click.Parameter | None, ctx: click.Context | None
    ) -> NamedCheckpoint:
        if isinstance(value, NamedCheckpoint):
            return value
        if value == NONE.name:
            return NONE
        name, equals, source = value.partition("=")
        if not (equals and name.strip() and source.strip()):
            self.fail(f"{value!r} is not NAME=CHECKPOINT", param, ctx)
        return NamedCheckpoint(name.strip(), source.strip())


@click.command()
@click.option(
    "--system", "systems", type=_System(), multiple=True, help="A reranker's folder or catalogue name; repeat."
)
@options.gnome
@click.option(
    "--half",
    type=click.Choice(["test", "development"]),
    default="test",
    show_default=True,
    help="The half of the GNOME pages. Look at the test half when nothing will be changed any more.",
)
@options.model_repository
@options.cache
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write every figure here.")
@options.server
@click.option("--markdown", is_flag=True, help="Print the tables as Markdown.")
def main(
    systems: tuple[NamedCheckpoint, ...],
    gnome: Path | None,
    half: Half,
    model_repository: Path,
    server: str | None,
    cache: Path,
    json_file: Path | None,
    markdown: bool,
) -> None:
    """Compare rerankers over the serving retriever, per language pair and with all languages in one pool."""
    require("evaluate")
    from interlingua.repository.published import Published
    from interlingua_evaluation.rerankers.reranker_measurement import measure
    from interlingua_evaluation.rerankers.reranker_report_tables import as_markdown, grids
    from interlingua_evaluation.serving import published_embedder

    _require_different_names(systems)
    rerankers = [system for system in systems or (DEFAULT,) if system is not NONE]
    embedder = published_embedder(Published.read(model_repository), server)
    report = measure(rerankers, datasets(gnome), half, embedder, cache)
    if json_file is not None:
        json_file.write_text(json.dumps(report.as_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if markdown:
        click.echo(as_markdown(report))
        return
    print_parts(grids(report))


def datasets(gnome: Path | None, wanted: Collection[str] = DATASETS) -> list[Dataset]:
    """GNOME help and helpdesk12, or the one that is wanted."""
    found = []
    if GNOME_HELP in wanted:
        found.append(gnome_dataset(ensure_package(PACKAGE) if gnome is None else gnome))
    if HELPDESK12.name in wanted:
        found.append(read_beir_folder(HELPDESK12))
    return found


def _require_different_names(systems: tuple[NamedCheckpoint, ...]) -> None:
    names = [system.name for system in systems]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise click.UsageError(f"two systems are called {', '.join(twice)}")


if __name__ == "__main__":
    run(main)
