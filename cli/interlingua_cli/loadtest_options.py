"""The options of `interlingua loadtest`: of the load, the search, the traffic, the place.

all_options -> what the command is called with -> option_settings.py
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from interlingua.base.paths import DEFAULT_MODEL_REPOSITORY

_MANY = "may be repeated."
_ABOVE_0 = click.FloatRange(0, min_open=True)
_FOLDER = click.Path(path_type=Path, file_okay=False)


def _rates(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[float, ...]:
    """Parses 5,10,20"""
    try:
        rates = tuple(float(part) for part in (value or "").split(",") if part.strip())
    except ValueError:
        raise click.BadParameter(f"{value!r} is no list of rates such as 5,10,20", ctx, param) from None
    if not all(0 < rate < math.inf for rate in rates):
        raise click.BadParameter(f"{value!r}: a rate must be above 0", ctx, param)
    return rates


_LOAD = (
    click.option("--rate", type=_ABOVE_0, help="Open loop: requests a second on average, whatever the server does."),
    click.option("--rates", callback=_rates, metavar="R,R,...", help="A ladder: one run at each of these rates."),
    click.option("--users", type=click.IntRange(1), help="Closed loop: so many wait for an answer, then ask again."),
    click.option("--offline", is_flag=True, help="All requests at once."),
    click.option("--requests", type=click.IntRange(1), default=500, show_default=True, help="How many, for --offline."),
    click.option("--seconds", type=_ABOVE_0, help="How long requests are sent.  [default: 60; a replay: to its end]"),
    click.option(
        "--schedule",
        type=click.Choice(["poisson", "constant", "bursts", "replay"]),
        default="poisson",
        show_default=True,
        help="When they arrive, in an open loop.",
    ),
    click.option(
        "--burst",
        metavar="FACTOR,PERIOD_S,SHARE",
        default="4,10,0.1",
        show_default=True,
        help="The bursts: rate within a burst over the rate outside of it, seconds from one burst to the next, share "
        "of them that the burst takes. --rate is the average of both.",
    ),
    click.option("--replay", type=click.Path(exists=True), help="A search log or another run's folder, for replay."),
    click.option("--speed", type=_ABOVE_0, default=1.0, show_default=True, help="2 replays twice as fast."),
)
_SEARCH = (
    click.option("--slo", metavar="pNN=TIME", help="An objective such as p99=300ms: say whether the run met it."),
    click.option(
        "--goodput",
        type=click.FloatRange(0, 1),
        help="The objective's least share of requests with an answer at all.  [default: 0.99]",
    ),
    click.option("--tries", type=click.IntRange(1), help="Searching: runs of a rate at most.  [default: 3]"),
    click.option(
        "--precision",
        type=click.FloatRange(0.005, 1),
        help="Searching: share by which the rate that held and the one that did not may differ.  [default: 0.05]",
    ),
    click.option(
        "--start-rate", type=_ABOVE_0, help="Searching: where to begin.  [default: half of what lone requests allow]"
    ),
    click.option("--most-runs", type=click.IntRange(1), help="Searching: then say what was found.  [default: 40]"),
)
_TRAFFIC = (
    click.option("--dataset", default="helpdesk12", show_default=True, help="Where texts come from; as in `evaluate`."),
    click.option(
        "--kind",
        "kinds",
        multiple=True,
        metavar="NAME=SHARE",
        help=f"embed_query, embed_document, rerank, search; {_MANY}  [default: embed_query=1]",
    ),
    click.option("--language", "languages", multiple=True, metavar="TAG=SHARE", help=f"Shares of languages; {_MANY}"),
    click.option(
        "--query-kind",
        "query_kinds",
        multiple=True,
        metavar="NAME=SHARE",
        help=f"Shares of the dataset's kinds of queries; {_MANY}",
    ),
    click.option(
        "--depth", default="20", show_default=True, help="Documents reranked; 10,20,50 draws from these; 0: none."
    ),
    click.option("--length", metavar="LOW-HIGH", default="", help="Only texts of so many characters."),
    click.option(
        "--repeats",
        type=click.Choice(["unique", "zipf"]),
        default="unique",
        show_default=True,
        help="zipf lets caches work.",
    ),
    click.option("--zipf-exponent", type=float, default=1.0, show_default=True),
    click.option("--seed", type=int, default=1, show_default=True, help="Equal seeds, equal texts at equal times."),
    click.option(
        "--deadline-ms",
        type=float,
        default=0.0,
        help="After its scheduled moment an answer is worthless.  [default: none]",
    ),
    click.option("--index", type=_FOLDER, help="The index that searches use."),
)
_PLACE = (
    click.option("--server", metavar="HOST:PORT", help="A running one.  [default: one is started]"),
    click.option("--metrics-url", help="Address of the running one's metrics page.  [default: its host's port 8002]"),
    click.option(
        "--model-repository",
        type=_FOLDER,
        default=DEFAULT_MODEL_REPOSITORY,
        help="What is served.  [default: model_repository]",
    ),
    click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that send."),
    click.option(
        "--in-flight",
        type=click.IntRange(1),
        default=2000,
        show_default=True,
        help="Requests under way at most, a worker.",
    ),
    click.option(
        "--grace",
        type=float,
        default=10.0,
        show_default=True,
        help="Seconds in which answers are awaited after the end.",
    ),
    click.option("--out", type=_FOLDER, help="New folder for the record.  [default: var/loadtest/TIME]"),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
)


def all_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator: the options in this order, the search's after the load's."""
    for option in reversed(_LOAD + _SEARCH + _TRAFFIC + _PLACE):
        command = option(command)
    return command
