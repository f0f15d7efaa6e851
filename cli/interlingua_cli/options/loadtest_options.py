"""The options of `interlingua loadtest`: a run's settings, the search's, and the place.

RunSettings, SearchPlan --all_options--> what the command is called with --settings_of--> RunSettings
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from interlingua_cli.options.click_options import click_options, given_of
from interlingua_cli.options.common import FOLDER, repository_option
from interlingua_cli.options.number_range import NumberRange
from interlingua_loadtest.traffic.run_settings import RunSettings, SearchPlan

# Settings that this command calls otherwise than Locust does, whose own --users counts its users.
RUN_FLAGS = {
    "concurrency": "--users",
    "replay_file": "--replay",
    "replay_speed": "--speed",
    "kinds": "--kind",
    "languages": "--language",
    "query_kinds": "--query-kind",
    "lengths": "--length",
    "grace_s": "--grace",
    "record": "--out",
    "burst_factor": "--burst FACTOR",
    "burst_period_s": "--burst PERIOD_S",
    "burst_share": "--burst SHARE",
}
_ASKED_OTHERWISE = ("offline", "burst_factor", "burst_period_s", "burst_share", "record")


def _rates(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[float, ...]:
    """5,10,20"""
    try:
        rates = tuple(float(part) for part in (value or "").split(",") if part.strip())
    except ValueError:
        raise click.BadParameter(f"{value!r} is no list of rates such as 5,10,20", ctx, param) from None
    if not all(0 < rate < math.inf for rate in rates):
        raise click.BadParameter(f"{value!r}: a rate must be above 0", ctx, param)
    return rates


_LOAD = (
    click.option("--rates", callback=_rates, metavar="R,R,...", help="A ladder: one run at each of these rates."),
    click.option("--offline", is_flag=True, help="All requests at once."),
    click.option("--requests", type=click.IntRange(1), default=500, show_default=True, help="How many, for --offline."),
    click.option(
        "--burst",
        metavar="FACTOR,PERIOD_S,SHARE",
        default="4,10,0.1",
        show_default=True,
        help="The bursts: rate within a burst over the rate outside of it, seconds from one burst to the next, share "
        "of them that the burst takes. --rate is the average of both.",
    ),
)
_OBJECTIVE = (
    click.option("--slo", metavar="pNN=TIME", help="An objective such as p99=300ms: say whether the run met it."),
    click.option(
        "--goodput",
        type=NumberRange(0, 1),
        help="The objective's least share of requests with an answer at all.  [default: 0.99]",
    ),
)
_PLACE = (
    click.option("--server", metavar="HOST:PORT", help="A running one.  [default: one is started]"),
    click.option("--metrics-url", help="Address of the running one's metrics page.  [default: its host's port 8002]"),
    repository_option("What is served."),
    click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that send."),
    click.option("--out", type=FOLDER, help="New folder for the record.  [default: var/loadtest/TIME]"),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
)


def all_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator: the options of a run, the search's, the place's."""
    run = click_options(RunSettings, RUN_FLAGS, leave_out=_ASKED_OTHERWISE)
    for add in reversed((run, *_LOAD, *_OBJECTIVE, click_options(SearchPlan), *_PLACE)):
        command = add(command)
    return command


def typed(name: str) -> str:
    """The flag of a run's setting, as a user of this command types it."""
    return RUN_FLAGS.get(name, "--" + name.replace("_", "-"))


def settings_of(options: dict[str, Any]) -> RunSettings:
    """The settings of one run; of a ladder, of its first.

    Raises:
        InputError: something does not fit.
        click.UsageError: --burst cannot be read.
    """
    given = given_of(RunSettings, dict(options))
    if "dataset" in given and Path(given["dataset"]).is_dir():
        given["dataset"] = str(Path(given["dataset"]).resolve())
    given["offline"] = options["requests"] if options["offline"] else 0
    given |= zip(("burst_factor", "burst_period_s", "burst_share"), _burst(options["burst"]), strict=True)
    if options["rates"]:
        given["rate"] = options["rates"][0]
    settings = RunSettings(**given)
    settings.require_sound(typed)
    return _to_its_end(settings) if settings.schedule == "replay" and options["seconds"] is None else settings


def _burst(text: str) -> tuple[float, float, float]:
    try:
        factor, period_s, share = (float(part) for part in text.split(","))
    except ValueError:
        raise click.UsageError(f"--burst is {text!r}, it must be FACTOR,PERIOD_S,SHARE as in 4,10,0.1") from None
    return factor, period_s, share


def _to_its_end(settings: RunSettings) -> RunSettings:
    from interlingua_loadtest.traffic import schedule

    times = schedule.replay(Path(settings.replay_file), speed=settings.replay_speed)
    return replace(settings, seconds=float(times[-1]) + 1e-3)
