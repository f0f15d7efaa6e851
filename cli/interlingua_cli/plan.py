"""`interlingua plan`: replicas, memory and cost for a traffic and an objective, and what breaks first."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from interlingua.base.extras import require
from interlingua_cli.options.click_options import click_options, given_of, listed_numbers, named_numbers
from interlingua_cli.options.common import FILE, goodput_option, repository_option, requests_option
from interlingua_loadtest.capacity.plan.planned_traffic import Growth, PlannedCorpus, PlannedTraffic

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.plan.machine_plan import PlanGoal
    from interlingua_loadtest.capacity.plan.records import Plan

_MANY = "may be repeated."


TRAFFIC_FLAGS: dict[str, dict[str, str]] = {
    "traffic": {
        "kinds": "--kind",
        "languages": "--language",
        "burst_factor": "--burst FACTOR",
        "burst_period_s": "--burst PERIOD_S",
        "burst_share": "--burst SHARE",
    },
    "kinds": {},
    "languages": {},
    "corpus": {"m": "--hnsw-m"},
    "growth": {"traffic": "--traffic-growth", "corpus": "--corpus-growth"},
}
_RECORDS: dict[str, type] = {"traffic": PlannedTraffic, "corpus": PlannedCorpus, "growth": Growth}


def typed(section: str, key: str) -> str:
    """A key of a traffic file as its option's user types it."""
    if section in ("kinds", "languages"):
        return f"{TRAFFIC_FLAGS['traffic'][section]} {key}"
    return TRAFFIC_FLAGS[section].get(key, "--" + key.replace("_", "-"))


def _traffic(command: Any) -> Any:
    for section, record in reversed(_RECORDS.items()):
        command = click_options(record, TRAFFIC_FLAGS[section], prefix=f"{section}_")(command)
    return command


@click.command()
@click.option("--traffic", "traffic_file", type=FILE, help="A file that describes the traffic (docs/capacity.md).")
@_traffic
@click.option(
    "--burst",
    callback=listed_numbers,
    metavar="FACTOR,PERIOD_S,SHARE",
    help="Factor, period in seconds and share of the bursts.  [default: 4,10,0.1]",
)
@click.option("--slo", required=True, metavar="pNN=TIME", help="The objective, such as p99=300ms.")
@goodput_option
@click.option("--profile", "profiles", type=FILE, multiple=True, help=f"Made by `interlingua calibrate`; {_MANY}")
@click.option("--gpu", "gpus", multiple=True, metavar="NAME",
              help=f"A card, estimated from its datasheet: T4, L4, A10, A100-80GB, ...; {_MANY}")  # fmt: skip
@repository_option("The repository that is served.")
@click.option("--price", "prices", multiple=True, callback=named_numbers, metavar="HARDWARE=NUMBER",
              help=f"Price of a replica for an hour, by the profile's or the card's name; {_MANY}")  # fmt: skip
@click.option("--currency", default="EUR", show_default=True)
@click.option("--headroom", type=float, default=0.3, show_default=True, help="Share of a rate kept free at the peak.")
@click.option("--spare", type=int, default=1, show_default=True, help="Replicas that may be away at the peak.")
@requests_option(2000)
@click.option(
    "--repeats", type=click.IntRange(2), default=3, show_default=True, help="Simulations of each plan, for intervals."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--html", type=FILE, help="Also write a page with the picture.")
def command(**options: Any) -> None:
    """Say what hardware a traffic needs.

    Name the traffic with --traffic, with options, or with both: an option stands in the file's place. Name machines
    with --profile and --gpu.
    """
    require("loadtest", "onnx", "scipy", "tokenizers")
    from interlingua.base.whole_file import whole
    from interlingua_loadtest.capacity.plan.traffic_file import read_traffic

    traffic = read_traffic(options["traffic_file"], _traffic_options(options), typed)
    plan = _plan(traffic, options)
    if options["html"]:
        from interlingua_loadtest.capacity.plan.report.page import page

        with whole(options["html"]) as partial:
            partial.write_text(page(plan), encoding="utf-8")
    _print(plan, as_json=options["as_json"])
    if options["html"]:
        click.echo(f"the picture: {options['html']}", err=True)


def _traffic_options(options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The options that were given, as a traffic file has them."""
    sections = {name: given_of(record, options, f"{name}_") for name, record in _RECORDS.items()}
    traffic = sections["traffic"]
    if burst := options["burst"]:
        if len(burst) != 3:
            raise click.UsageError("--burst must be FACTOR,PERIOD_S,SHARE as in 4,10,0.1")
        traffic |= zip(("burst_factor", "burst_period_s", "burst_share"), burst, strict=True)
    return sections | {name: traffic.pop(name, {}) for name in ("kinds", "languages")}


def _plan(traffic: PlannedTraffic, options: dict[str, Any]) -> Plan:
    from interlingua.repository.published import Published
    from interlingua_evaluation.datasets.sources import open_dataset
    from interlingua_loadtest.capacity.index.index_cost import IndexCost
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
    from interlingua_loadtest.record.slo import Slo

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
    from interlingua_loadtest.capacity.plan.report.terminal import parts

    print_parts(parts(plan))
