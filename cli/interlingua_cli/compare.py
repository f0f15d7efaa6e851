"""`interlingua compare`: what changed between two reports of `interlingua evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlingua_cli.options.number_range import NumberRange

if TYPE_CHECKING:
    from interlingua_evaluation.report.changes.comparison import ReportComparison

_PIPED_WIDTH = 100
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


def _systems(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str | None, str | None]:
    """The systems of the earlier and the later report; None for the best."""
    if value is None:
        return None, None
    before, equals, after = (part.strip() for part in value.partition("="))
    if not before or (equals and not after):
        raise click.BadParameter(f"{value!r} is neither NAME nor BEFORE=AFTER", ctx, param)
    return before, after or before


@click.command()
@click.argument("before", type=_FOLDER)
@click.argument("after", type=_FOLDER)
@click.option(
    "--system",
    "systems",
    metavar="NAME|BEFORE=AFTER",
    callback=_systems,
    help="The system in both reports, or one of each.  [default: the best of each]",
)
@click.option("--measure", default="nDCG@10", show_default=True, help="nDCG@10, recall@100 or MRR.")
@click.option(
    "--tolerance", default=0.0, show_default=True, type=NumberRange(0, 1), help="A loss up to this counts as none."
)
@click.option("--across-datasets", is_flag=True, help="Compare the lists that two different datasets share.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(
    ctx: click.Context,
    before: Path,
    after: Path,
    systems: tuple[str | None, str | None],
    measure: str,
    tolerance: float,
    across_datasets: bool,
    as_json: bool,
) -> None:
    """Compare the reports in the folders BEFORE and AFTER, list by list.

    Ends with status 1 when an average (same language, across languages, mixed pool) or a language pair is worse by more
    than chance and the tolerance, 0 when none is.
    """
    from interlingua_evaluation.report.changes.comparison import compare_reports
    from interlingua_evaluation.report.plain import plain
    from interlingua_evaluation.report.saved_report import SavedReport

    comparison = compare_reports(
        SavedReport.load(before),
        SavedReport.load(after),
        measure=measure,
        systems=systems,
        tolerance=tolerance,
        across_datasets=across_datasets,
    )
    if as_json:
        click.echo(json.dumps(plain(comparison), ensure_ascii=False, allow_nan=False))
    else:
        _print(comparison)
    if comparison.regression:
        ctx.exit(1)


def _print(comparison: ReportComparison) -> None:
    from interlingua.display.terminal import print_parts
    from interlingua_evaluation.report.changes.comparison_tables import show

    print_parts(show(comparison), _PIPED_WIDTH)
