"""`interlingua monitor`: what a search log says about each language, and what changed since a baseline."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlingua_cli.options.number_range import NumberRange
from interlingua_evaluation.monitoring.drift import KINDS
from interlingua_evaluation.monitoring.language_profile import RATES

if TYPE_CHECKING:
    from interlingua_evaluation.monitoring.monitor_report import MonitorReport

_PIPED_WIDTH = 150
_RATES = tuple(name.replace("_", "-") for name in RATES)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_SHARE = NumberRange(0, 1)


def _moment(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Seconds since 1970."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        message = f"{value!r} is not a time such as 2026-03-01 or 2026-03-01T12:30:00+02:00"
        raise click.BadParameter(message, ctx, param) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _max_rates(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, float]:
    """Limits by the rates' names."""
    limits = {}
    for value in values:
        name, _, limit = value.partition("=")
        if name not in _RATES:
            raise click.BadParameter(f"{value!r} does not start with one of {', '.join(_RATES)} and =", ctx, param)
        limits[name.replace("-", "_")] = _SHARE.convert(limit, param, ctx)
    return limits


@click.command()
@click.argument("logs", nargs=-1, required=True, type=_FILE, metavar="LOG...")
@click.option("--baseline", multiple=True, type=_FILE, help="A log of a time when all was well; may be repeated.")
@click.option(
    "--since",
    metavar="TIME",
    callback=_moment,
    help="Only searches of LOG from this time on; without a zone it is UTC.",
)
@click.option("--until", metavar="TIME", callback=_moment, help="Only searches of LOG before this time.")
@click.option(
    "--low-score",
    type=NumberRange(-1, 1),
    help="A first hit of a lower cosine is of low confidence.  "
    "[default: the 5th percentile of its language in the baseline]",
)
@click.option(
    "--alert-on",
    multiple=True,
    type=click.Choice(KINDS),
    help="Changes that may alert; may be repeated.  [default: all]",
)
@click.option(
    "--max-rate",
    multiple=True,
    metavar="NAME=RATE",
    callback=_max_rates,
    help="Alert where a language's rate is above a limit, as in empty=0.05; needs no baseline; may be repeated.",
)
@click.option("--q", default=0.05, show_default=True, type=_SHARE, help="Accepted share of false alarms.")
@click.option("--min-ks", default=0.15, show_default=True, type=_SHARE, help="Least shift of scores that alerts.")
@click.option(
    "--min-psi",
    default=0.2,
    show_default=True,
    type=NumberRange(0),
    help="Least change of the languages of hits or queries that alerts.",
)
@click.option(
    "--min-increase", default=0.05, show_default=True, type=_SHARE, help="Least increase of a rate that alerts."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(
    ctx: click.Context,
    logs: tuple[Path, ...],
    baseline: tuple[Path, ...],
    since: float | None,
    until: float | None,
    low_score: float | None,
    alert_on: tuple[str, ...],
    max_rate: dict[str, float],
    q: float,
    min_ks: float,
    min_psi: float,
    min_increase: float,
    as_json: bool,
) -> None:
    """Sum up the search logs LOG (from `interlingua search --log`), language by language.

    Ends with status 1 when there is an alert, 0 when there is none.
    """
    from interlingua_evaluation.monitoring.alerts import AlertLimits
    from interlingua_evaluation.monitoring.log_records import LogWindow
    from interlingua_evaluation.monitoring.monitor_report import monitor

    window = LogWindow(-math.inf if since is None else since, math.inf if until is None else until)
    if window.since >= window.until:
        raise click.UsageError("--since is not before --until")
    if alert_on and not baseline:
        raise click.UsageError("--alert-on needs --baseline")
    if "low_confidence" in max_rate and not baseline and low_score is None:
        raise click.UsageError("--max-rate low-confidence needs --low-score or --baseline")
    limits = AlertLimits(q=q, ks=min_ks, psi=min_psi, rate=min_increase, kinds=alert_on or KINDS, max_rates=max_rate)
    report = monitor(logs, baseline, window=window, low_score=low_score, limits=limits)
    if as_json:
        click.echo(json.dumps(report.to_dict(), ensure_ascii=False, allow_nan=False))
    else:
        _print(report)
    if report.alerts:
        ctx.exit(1)


def _print(report: MonitorReport) -> None:
    from interlingua.display.terminal import print_parts
    from interlingua_evaluation.monitoring.monitor_tables import parts

    print_parts(parts(report), _PIPED_WIDTH)
