"""`interlingua loadreport`: where the time went in load tests, how latency grows with load, and what changed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlingua_cli.options.common import FILE
from interlingua_cli.options.number_range import NumberRange

if TYPE_CHECKING:
    from interlingua_loadtest.report.model import LoadReport

_PIPED_WIDTH = 140
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.argument("folders", nargs=-1, required=True, type=_FOLDER, metavar="FOLDER...")
@click.option("--slo", metavar="pNN=TIME", help="Objective of the goodput, as in p99=300ms.  [default: each run's own]")
@click.option(
    "--goodput",
    type=NumberRange(0, 1),
    default=0.99,
    show_default=True,
    help="Least share of the requests that has to have an answer at all, for the objective of --slo to be held.",
)
@click.option("--against", type=_FOLDER, help="A run, or runs of the same rates, to compare with.")
@click.option("--html", type=FILE, help="Write the page to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON instead of tables.")
@click.option(
    "--fail-under",
    "bounds",
    multiple=True,
    metavar="SPEC",
    help="End with 1 unless every run holds this: p99=300ms, goodput=0.99, rate=50, de:p99=400ms; may be repeated.",
)
@click.option("--include-void", is_flag=True, help="Take void and unfinished runs into curves and comparisons.")
@click.pass_context
def command(
    ctx: click.Context,
    folders: tuple[Path, ...],
    slo: str | None,
    goodput: float,
    against: Path | None,
    html: Path | None,
    bounds: tuple[str, ...],
    *,
    as_json: bool,
    include_void: bool,
) -> None:
    """Report on the runs in each FOLDER: a run of `interlingua loadtest`, or a folder of them, such as a ladder.

    Ends with 1 when a bound of --fail-under is not held; what is void, or cannot be read, does not hold any.
    """
    from interlingua_loadtest.record.slo import Slo
    from interlingua_loadtest.report import fail_under
    from interlingua_loadtest.report.build import build

    objective = Slo.parse(slo, goodput) if slo else None
    wanted = fail_under.parse_all(bounds)
    report, recorded = build(folders, slo=objective, against=against, include_void=include_void)
    _show(report, html, as_json=as_json)
    failures = fail_under.check(recorded, wanted, objective)
    for failure in failures:
        click.echo(f"failed: {failure}", err=True)
    if failures:
        ctx.exit(1)


def _show(report: LoadReport, html: Path | None, *, as_json: bool) -> None:
    if html is not None:
        from interlingua_loadtest.report.page import write_page

        write_page(report, html)
        print(f"written: {html}", file=sys.stderr)
    if as_json:
        from interlingua_evaluation.report.plain import plain

        click.echo(json.dumps(plain(report), ensure_ascii=False, allow_nan=False))
        return
    from interlingua.display.terminal import print_parts
    from interlingua_loadtest.report.terminal import parts

    print_parts(parts(report), _PIPED_WIDTH)
