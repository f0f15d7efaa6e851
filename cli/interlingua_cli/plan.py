"""`interlingua plan`: replicas, memory and cost for a traffic and an objective, and what breaks first."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlingua.base.extras import require
from interlingua.base.paths import DEFAULT_MODEL_REPOSITORY

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.plan.machine_plan import PlanGoal
    from interlingua_loadtest.capacity.plan.planned_traffic import PlannedTraffic
    from interlingua_loadtest.capacity.plan.records import Plan

_FILE = click.Path(path_type=Path, dir_okay=False)
_MANY = "may be repeated."


def _numbers(ctx: click.Context, param: click.Parameter, value: Any) -> dict[str, float]:
    """Parses NAME=NUMBER ..."""
    found = {}
    for text in value:
        name, _, number = text.rpartition("=")
        try:
            found[name] = float(number)
        except ValueError:
            raise click.BadParameter(f"{text!r} is not as in {param.metavar}", ctx, param) from None
        if not name or not math.isfinite(found[name]) or found[name] < 0:
            raise click.BadParameter(f"{text!r} is not as in {param.metavar}, with a number of 0 or more", ctx, param)
    return found


def _list(ctx: click.Context, param: click.Parameter, value: str | None) -> list[float] | None:
    """Parses 4,3,2,..."""
    try:
        return None if value is None else [float(part) for part in value.split(",")]
    except ValueError:
        raise click.BadParameter(f"{value!r} is no list of numbers", ctx, param) from None


@click.command()
@click.option("--traffic", "traffic_file", type=_FILE, help="A file that describes the traffic (docs/capacity.md).")
@click.option("--peak-rate", type=float, help="Requests a second in the busiest hour.")
@click.option("--mean-rate", type=float, help="The mean over the day, for the cost.  [default: as the peak]")
@click.option(
    "--hourly-rates",
    callback=_list,
    metavar="R,R,...",
    help="Requests a second in each of the 24 hours, in place of both.",
)
@click.option("--arrivals", type=click.Choice(["poisson", "bursts"]), help="How requests arrive.  [default: poisson]")
@click.option(
    "--burst",
    callback=_list,
    metavar="FACTOR,PERIOD_S,SHARE",
    help="Factor, period in seconds and share of the bursts.  [default: 4,10,0.1]",
)
@click.option("--kind", "kinds", multiple=True, callback=_numbers, metavar="NAME=SHARE",
              help=f"search, embed_query, embed_document, rerank; {_MANY}  [default: search=1]")  # fmt: skip
@click.option("--language", "languages", multiple=True, callback=_numbers, metavar="TAG=SHARE",
              help=f"Shares of the languages asked in; {_MANY}  [default: as in the dataset]")  # fmt: skip
@click.option("--depth", type=int, help="Candidates that are reranked.  [default: 20]")
@click.option("--deadline-ms", type=float, help="The deadline that every request carries.  [default: none]")
@click.option("--dataset", help="Whose texts give the lengths; as in `evaluate`.  [default: helpdesk12]")
@click.option("--documents", type=int, help="Documents in the corpus.  [default: nothing is said about an index]")
@click.option(
    "--traffic-growth", type=float, help="Growth of the traffic in a year: 0.5 is half as much again.  [default: 0]"
)
@click.option("--corpus-growth", type=float, help="Growth of the corpus in a year.  [default: 0]")
@click.option("--months", type=int, help="How far to look.  [default: 12]")
@click.option("--slo", required=True, metavar="pNN=TIME", help="The objective, such as p99=300ms.")
@click.option(
    "--goodput",
    type=click.FloatRange(0, 1),
    default=0.99,
    show_default=True,
    help="Least share of requests with an answer.",
)
@click.option("--profile", "profiles", type=_FILE, multiple=True, help=f"Made by `interlingua calibrate`; {_MANY}")
@click.option("--gpu", "gpus", multiple=True, metavar="NAME",
              help=f"A card, estimated from its datasheet: T4, L4, A10, A100-80GB, ...; {_MANY}")  # fmt: skip
@click.option("--model-repository", type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_MODEL_REPOSITORY,
              help="The repository that is served.  [default: model_repository]")  # fmt: skip
@click.option("--price", "prices", multiple=True, callback=_numbers, metavar="HARDWARE=NUMBER",
              help=f"Price of a replica for an hour, by the profile's or the card's name; {_MANY}")  # fmt: skip
@click.option("--currency", default="EUR", show_default=True)
@click.option("--headroom", type=float, default=0.3, show_default=True, help="Share of a rate kept free at the peak.")
@click.option("--spare", type=int, default=1, show_default=True, help="Replicas that may be away at the peak.")
@click.option(
    "--requests", type=click.IntRange(100), default=2000, show_default=True, help="Requests of a simulated run."
)
@click.option(
    "--repeats", type=click.IntRange(2), default=3, show_default=True, help="Simulations of each plan, for intervals."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--html", type=_FILE, help="Also write a page with the picture.")
def command(**options: Any) -> None:
    """Say what hardware a traffic needs.

    Name the traffic with --traffic, with options, or with both: an option stands in the file's place. Name machines
    with --profile and --gpu.
    """
    require("loadtest", "onnx", "scipy", "tokenizers")
    from interlingua.base.whole_file import whole
    from interlingua_loadtest.capacity.plan.traffic_file import read_traffic

    traffic = read_traffic(options["traffic_file"], _traffic_options(options))
    plan = _plan(traffic, options)
    if options["html"]:
        from interlingua_loadtest.capacity.plan.page import page

        with whole(options["html"]) as partial:
            partial.write_text(page(plan), encoding="utf-8")
    _print(plan, as_json=options["as_json"])
    if options["html"]:
        click.echo(f"the picture: {options['html']}", err=True)


def _traffic_options(options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The options that were given, as a traffic file has them."""
    names = ("peak_rate", "mean_rate", "hourly_rates", "arrivals", "depth", "deadline_ms", "dataset")
    traffic = {name: options[name] for name in names if options[name] is not None}
    if burst := options["burst"]:
        if len(burst) != 3:
            raise click.UsageError("--burst must be FACTOR,PERIOD_S,SHARE as in 4,10,0.1")
        traffic |= dict(zip(("burst_factor", "burst_period_s", "burst_share"), burst, strict=True))
    growth = {"traffic": options["traffic_growth"], "corpus": options["corpus_growth"], "months": options["months"]}
    return {
        "traffic": traffic,
        "kinds": options["kinds"],
        "languages": options["languages"],
        "corpus": {} if options["documents"] is None else {"documents": options["documents"]},
        "growth": {name: value for name, value in growth.items() if value is not None},
    }


def _plan(traffic: PlannedTraffic, options: dict[str, Any]) -> Plan:
    from interlingua.repository.published import Published
    from interlingua_evaluation.datasets.sources import open_dataset
    from interlingua_loadtest.capacity.index_cost import IndexCost
    from interlingua_loadtest.capacity.plan.hardware import hardware
    from interlingua_loadtest.capacity.plan.make_plan import make_plan
    from interlingua_loadtest.capacity.plan.text_lengths import planned_demand

    wanted = _wanted(options)
    published = Published.read(options["model_repository"])
    machines = hardware(published, options["profiles"], options["gpus"])
    demand = planned_demand(traffic, open_dataset(traffic.dataset), published)
    costs = IndexCost.load() if traffic.corpus.documents else None
    on_step = lambda line: click.echo(f"{line} ...", err=True)  # noqa: E731
    return make_plan(traffic, demand, machines, published, wanted, index_cost=costs, on_step=on_step)


def _wanted(options: dict[str, Any]) -> PlanGoal:
    from interlingua_loadtest.capacity.plan.machine_plan import PlanGoal
    from interlingua_loadtest.slo import Slo

    wanted = PlanGoal(
        slo=Slo.parse(options["slo"], options["goodput"]),
        headroom=options["headroom"],
        spare=options["spare"],
        prices=options["prices"],
        currency=options["currency"],
    )
    return replace(wanted, runs=replace(wanted.runs, requests=options["requests"], repeats=options["repeats"]))


def _print(plan: Plan, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(plan.to_json(), ensure_ascii=False, allow_nan=False))
        return
    from interlingua.display.terminal import print_parts
    from interlingua_loadtest.capacity.plan.terminal import parts

    print_parts(parts(plan), markup=False)
