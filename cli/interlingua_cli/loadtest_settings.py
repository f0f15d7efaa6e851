"""What the options of `interlingua loadtest` ask of a run.

options.py -> RunSettings
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from interlingua_loadtest.run_settings import RunSettings


def settings_of(options: dict[str, Any]) -> RunSettings:
    """The settings of one run; of a ladder its first.

    Raises:
        InputError: something does not fit.
        click.UsageError: --burst cannot be read.
    """
    from interlingua_loadtest.run_settings import RunSettings

    factor, period_s, share = _burst(options["burst"])
    dataset = options["dataset"]
    settings = RunSettings(
        dataset=str(Path(dataset).resolve()) if Path(dataset).is_dir() else dataset,
        languages=",".join(options["languages"]),
        query_kinds=",".join(options["query_kinds"]),
        kinds=",".join(options["kinds"]) or "embed_query=1",
        depth=options["depth"],
        lengths=options["length"],
        repeats=options["repeats"],
        zipf_exponent=options["zipf_exponent"],
        seed=options["seed"],
        index=str(options["index"].resolve()) if options["index"] else "",
        deadline_ms=options["deadline_ms"],
        rate=options["rate"] or (options["rates"][0] if options["rates"] else 0.0),
        schedule=options["schedule"],
        seconds=60.0 if options["seconds"] is None else options["seconds"],
        concurrency=options["users"] or 0,
        offline=options["requests"] if options["offline"] else 0,
        burst_factor=factor,
        burst_period_s=period_s,
        burst_share=share,
        replay_file=str(Path(options["replay"]).resolve()) if options["replay"] else "",
        replay_speed=options["speed"],
        grace_s=options["grace"],
        in_flight=options["in_flight"],
    )
    settings.require_sound()
    return _to_its_end(settings) if settings.schedule == "replay" and options["seconds"] is None else settings


def _burst(text: str) -> tuple[float, float, float]:
    try:
        factor, period_s, share = (float(part) for part in text.split(","))
    except ValueError:
        raise click.UsageError(f"--burst is {text!r}, it must be FACTOR,PERIOD_S,SHARE as in 4,10,0.1") from None
    return factor, period_s, share


def _to_its_end(settings: RunSettings) -> RunSettings:
    from interlingua_loadtest import schedule

    times = schedule.replay(Path(settings.replay_file), speed=settings.replay_speed)
    return replace(settings, seconds=float(times[-1]) + 1e-3)
