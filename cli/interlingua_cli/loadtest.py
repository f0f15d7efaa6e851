"""`interlingua loadtest`: repeatable load on the services, recorded request by request."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlingua.base.errors import InputError, InterlinguaError
from interlingua.base.paths import PROJECT_ROOT
from interlingua_cli.options.click_options import given_of
from interlingua_cli.options.loadtest_options import all_options, settings_of, typed
from interlingua_loadtest.traffic.run_settings import SearchPlan

if TYPE_CHECKING:
    from interlingua_loadtest.rate_search.found_rate import FoundRate
    from interlingua_loadtest.record.slo import Slo
    from interlingua_loadtest.run.drive import RunResult
    from interlingua_loadtest.run.target import Target
    from interlingua_loadtest.traffic.run_settings import RunSettings

_RUNS = PROJECT_ROOT / "var" / "loadtest"
_PIPED_WIDTH = 120


@click.command()
@all_options
def command(**options: Any) -> int:
    """Load the services and record every request.

    Name one of --rate, --rates, --users and --offline; or --slo alone, which searches for the highest rate that holds
    it. Latency runs from the moment at which a request was due. Ends with 1 where a run is void, or a search did not
    come to its end: then the generator was the bottleneck, and the figures say nothing of the server.
    """
    from interlingua.base.extras import require
    from interlingua_loadtest.record.slo import Slo

    require("loadtest", "hdrh", "locust", "psutil", "pyarrow")
    slo = (
        Slo.parse(options["slo"], 0.99 if options["goodput"] is None else options["goodput"])
        if options["slo"]
        else None
    )
    runs = _runs(options)
    out = options["out"] or _RUNS / datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    if len(runs) != 1:
        _require_empty(out)
    with ExitStack() as stack:
        if slo and not runs:
            return _search(slo, stack, out, options)
        return _measure(runs, stack, out, slo, options)


def _runs(options: dict[str, Any]) -> dict[str, RunSettings]:
    """Settings by the name of the run's folder, "" for a lone one; none of a search."""
    given = [typed(name) for name in ("rate", "rates", "concurrency", "offline") if options[name]]
    if options["schedule"] == "replay":
        given = given or ["--schedule replay"]
    searching = [typed(name) for name in given_of(SearchPlan, dict(options))]
    if len(given) > 1 or not (given or options["slo"]):
        raise click.UsageError(
            "name one of --rate, --rates, --users and --offline (or --schedule replay); or --slo alone, to search"
        )
    if given and searching:
        raise click.UsageError(f"{', '.join(searching)}: for a search, which --slo is without {given[0]}")
    if options["goodput"] is not None and not options["slo"]:
        raise click.UsageError("--goodput is part of an objective: name its --slo, such as p99=300ms")
    if not given:
        return {}
    settings = settings_of(options)
    if options["rates"]:
        return {f"rate-{rate:g}": replace(settings, rate=rate) for rate in options["rates"]}
    return {"": settings}


def _require_empty(out: Path) -> None:
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty: ladders and searches are written once, name another folder")


def _target(stack: ExitStack, options: dict[str, Any]) -> Target:
    from interlingua_loadtest.run import target

    repository = options["model_repository"]
    if options["server"] is None:
        click.echo(f"starting Triton on {repository} ...", err=True)
        return stack.enter_context(target.started(repository))
    given = click.get_current_context().get_parameter_source("model_repository")
    known = given is not click.core.ParameterSource.DEFAULT
    return target.running(options["server"], options["metrics_url"], repository if known else None)


def _measure(
    runs: dict[str, RunSettings], stack: ExitStack, out: Path, slo: Slo | None, options: dict[str, Any]
) -> int:
    target, results = _target(stack, options), []
    for name, settings in runs.items():
        results.append(_run(settings, target, out / name, slo, options))
        if results[-1].interrupted:
            break
    if options["as_json"]:
        click.echo(_as_json(results, ladder=len(runs) > 1))
    if any(result.interrupted for result in results):
        return 130
    return int(any(result.validity.is_void for result in results))


def _run(settings: RunSettings, target: Target, out: Path, slo: Slo | None, options: dict[str, Any]) -> RunResult:
    from interlingua.display.terminal import print_parts
    from interlingua_loadtest.report.run_result import parts
    from interlingua_loadtest.run.drive import drive

    result = drive(settings, target, out, workers=options["workers"], slo=slo)
    if not options["as_json"]:
        print_parts(parts(result), _PIPED_WIDTH)
    for reason in result.validity.reasons:
        print(f"{'void' if result.validity.is_void else 'not steady'}: {reason}", file=sys.stderr)
    return result


def _as_json(results: list[RunResult], *, ladder: bool) -> str:
    from interlingua.base.plain import plain

    rows = [plain(result) for result in results]
    return json.dumps({"runs": rows} if ladder else rows[0], ensure_ascii=False, allow_nan=False)


def _search(slo: Slo, stack: ExitStack, out: Path, options: dict[str, Any]) -> int:
    from interlingua_loadtest.rate_search.found_rate import INTERRUPTED
    from interlingua_loadtest.rate_search.rate_runs import OfferRuns
    from interlingua_loadtest.rate_search.search import RateSearch

    # Any rate will do to check the rest by: what cannot be scheduled is said before a server starts.
    settings = settings_of({**options, "rate": 1.0})
    settings.times()
    plan = SearchPlan(seconds=settings.seconds, seed=settings.seed, **given_of(SearchPlan, dict(options)))
    runs = OfferRuns(settings, _target(stack, options), out, slo, workers=options["workers"])
    search = RateSearch(runs, slo, plan, _keeper(out, options))
    try:
        found = search.find()
    except InterlinguaError:
        _show_found(search.found, out, options)
        raise
    _show_found(found, out, options)
    if found.stopped:
        print(f"stopped early: {found.stopped}", file=sys.stderr)
    return 130 if found.stopped == INTERRUPTED else int(bool(found.stopped))


def _keeper(out: Path, options: dict[str, Any]) -> Callable[[FoundRate], None]:
    """Writes what is known, and says what each run came to, once."""
    from interlingua_loadtest.rate_search.found_rate import line

    said = 0

    def keep(found: FoundRate) -> None:
        nonlocal said
        if found.tries:
            found.write(out / "search.json")
        for made in found.tries[said:]:
            click.echo(line(made), err=options["as_json"])
        said = len(found.tries)

    return keep


def _show_found(found: FoundRate, out: Path, options: dict[str, Any]) -> None:
    from interlingua.base.plain import plain

    if not found.tries:
        return
    if options["as_json"]:
        click.echo(json.dumps({**plain(found), "folder": str(out)}, ensure_ascii=False, allow_nan=False))
    else:
        click.echo("\n".join([*found.lines(), str(out)]))
