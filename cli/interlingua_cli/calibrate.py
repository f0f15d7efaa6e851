"""`interlingua calibrate`: how fast this machine serves a model repository, for `interlingua plan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlingua.base.extras import require
from interlingua.base.paths import PROJECT_ROOT
from interlingua_cli.options.common import FILE, repository_option
from interlingua_cli.options.number_range import NumberRange

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.profile.hardware_profile import HardwareProfile

_PROFILE = PROJECT_ROOT / "var" / "profile.json"


@click.command()
@repository_option("The repository that is measured.")
@click.option("--out", type=FILE, default=_PROFILE, help="Write the profile to this file.  [default: var/profile.json]")
@click.option("--name", default="this machine", show_default=True, help="The name that a plan gives this machine.")
@click.option(
    "--seconds",
    type=NumberRange(0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds that the networks share, without a server.",
)
@click.option(
    "--server-seconds",
    type=NumberRange(0),
    default=20.0,
    show_default=True,
    help="Seconds of each of three runs a network against a server of its own; 0 for none: then a plan knows nothing "
    "of what Triton adds.",
)
def command(model_repository: Path, out: Path, name: str, seconds: float, server_seconds: float) -> None:
    """Measure a model repository on this machine, which should have nothing else to do.

    Networks are called without a server, alone and together; then a server is started and asked by one caller, by
    some and by many. The profile is one file, and says what it was measured on.
    """
    require("loadtest", *(() if server_seconds else ("onnx", "onnxruntime", "scipy", "tokenizers")))
    from interlingua.repository.published import Published
    from interlingua_loadtest.capacity.measure.calibrate import calibrate

    profile = calibrate(
        Published.read(model_repository),
        name=name,
        seconds=seconds,
        server_seconds=server_seconds,
        on_step=lambda line: click.echo(line, err=True),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    profile.write(out)
    _show(profile)
    click.echo(f"\n{out}")


def _show(profile: HardwareProfile) -> None:
    from interlingua.display.terminal import print_parts
    from interlingua_loadtest.capacity.profile.profile_tables import profile_tables

    print_parts(profile_tables(profile))
