"""`interlingua tradeoff`: the cheapest setting that is good enough and fast enough."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from interlingua.base.errors import InputError
from interlingua_cli.options.common import FILE, goodput_option, requests_option
from interlingua_cli.options.number_range import NumberRange
from interlingua_evaluation import options

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_loadtest.tradeoff.joined_report import JoinedReport
    from interlingua_loadtest.tradeoff.make_tradeoff import TradeoffGoal
    from interlingua_loadtest.tradeoff.records import Tradeoff


@click.command()
@click.option(
    "--setting",
    "settings",
    multiple=True,
    required=True,
    metavar="LABEL=REPORT:REPOSITORY",
    help="A folder that `interlingua evaluate --out` wrote, and the models it evaluated; repeat for each precision.",
)
@click.option(
    "--profile",
    "profiles",
    type=FILE,
    required=True,
    multiple=True,
    help="Made by `interlingua calibrate`, of these repositories on one machine; repeat.",
)
@click.option("--slo", required=True, metavar="pNN=TIME", help="The objective, such as p99=300ms.")
@goodput_option
@click.option(
    "--floor",
    "floors",
    multiple=True,
    metavar="SPEC",
    help="Least nDCG@10, such as ndcg@10=0.5, pair:de>en:ndcg@10=0.4, worst-pair:ndcg@10=0.3; repeat.",
)
@click.option(
    "--quality",
    type=click.Choice(["same", "across", "mixed", "worst-pair"]),
    default="mixed",
    show_default=True,
    help="The average that decides the front.",
)
@click.option("--documents", type=click.IntRange(2), help="Documents in the corpus.  [default: as in the dataset]")
@click.option(
    "--ef-search",
    "ef_searches",
    type=click.IntRange(1, 100_000),
    multiple=True,
    help="Candidates while searching the graph; repeat.  [default: 16, 32, 64, 128, 256]",
)
@click.option("--price", type=NumberRange(0), help="Price of a replica for an hour.")
@click.option("--dataset", "dataset_name", help="The dataset that was evaluated.  [default: the reports' name for it]")
@requests_option(1000)
@click.option(
    "--repeats",
    type=click.IntRange(2),
    default=3,
    show_default=True,
    help="Simulations of each setting, for intervals.",
)
@click.option("--html", type=FILE, help="Also write a page with the picture.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@options.ignore_identical_ids
@options.gnome
@options.cache
def command(**options: Any) -> int:
    """Join quality with cost: which setting is on the front, and which is the cheapest that will do.

    Exits with 1 where nothing holds the floors.
    """
    from interlingua.base.extras import require

    require("evaluate")
    found = _tradeoff(options)
    if options["html"]:
        from interlingua.base.whole_file import whole
        from interlingua_loadtest.tradeoff.scatter import page

        with whole(options["html"]) as partial:
            partial.write_text(page(found), encoding="utf-8")
    _print(found, as_json=options["as_json"])
    return int(found.cheapest is None)


def _tradeoff(options: dict[str, Any]) -> Tradeoff:
    from interlingua_loadtest.capacity.index.index_cost import IndexCost
    from interlingua_loadtest.capacity.profile.hardware_profile import HardwareProfile
    from interlingua_loadtest.tradeoff.joined_report import JoinedReport, ReportSource
    from interlingua_loadtest.tradeoff.make_tradeoff import make_tradeoff

    wanted = _wanted(options)
    sources = [ReportSource.parse(text) for text in options["settings"]]
    profiles = [HardwareProfile.read(path) for path in options["profiles"]]
    reports = [JoinedReport.read(source) for source in sources]
    dataset = _dataset(reports[0], options)
    on_step = lambda line: click.echo(f"{line} ...", err=True)  # noqa: E731
    return make_tradeoff(reports, dataset, profiles, IndexCost.load(), wanted, on_step)


def _wanted(options: dict[str, Any]) -> TradeoffGoal:
    from interlingua_evaluation.systems.ann_recall import EF_SEARCHES
    from interlingua_loadtest.capacity.simulate.highest_rate import Runs
    from interlingua_loadtest.record.slo import Slo
    from interlingua_loadtest.tradeoff.floors import Floors
    from interlingua_loadtest.tradeoff.make_tradeoff import TradeoffGoal

    return TradeoffGoal(
        slo=Slo.parse(options["slo"], options["goodput"]),
        floors=Floors.parse(options["floors"]),
        scope=options["quality"],
        documents=options["documents"],
        ef_searches=options["ef_searches"] or EF_SEARCHES,
        price_per_hour=options["price"],
        cache=options["cache"],
        runs=Runs(requests=options["requests"], repeats=options["repeats"]),
    )


def _dataset(report: JoinedReport, options: dict[str, Any]) -> Dataset:
    """The dataset as it was evaluated: if need be in the report's languages alone."""
    from interlingua_evaluation.datasets.sources import open_dataset

    name = options["dataset_name"] or report.saved.dataset
    given = {key: options[key] for key in ("gnome", "ignore_identical_ids")}
    try:
        whole = open_dataset(name, **given)
    except InputError as error:
        raise InputError(f"{error}; --dataset names what {report.source.report} is about") from error
    if whole.digest == report.saved.digest:
        return whole
    return open_dataset(name, languages=report.languages, **given)


def _print(found: Tradeoff, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False, allow_nan=False))
        return
    from interlingua.display.terminal import print_parts
    from interlingua_loadtest.tradeoff.tables import settings_grid

    print_parts([settings_grid(found), found.verdict], piped_width=150)
