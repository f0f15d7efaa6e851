"""`interlingua serve`: start Triton on the model repository and stay with it."""

from __future__ import annotations

import signal
from importlib import import_module
from pathlib import Path
from types import FrameType

import click

from interlingua_cli.options.common import FILE, repository_option
from interlingua_cli.options.number_range import NumberRange

_PORT = click.IntRange(1, 65535)
_LONGEST_S = 86400.0
_NEEDED = ("numpy", "tritonclient.grpc")


@click.command()
@repository_option("What `interlingua export` published.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on with gRPC and metrics; HTTP stays on loopback.",
)
@click.option("--grpc-port", type=_PORT, default=8001, show_default=True)
@click.option("--http-port", type=_PORT, default=8000, show_default=True)
@click.option("--metrics-port", type=_PORT, default=8002, show_default=True)
@click.option(
    "--start-timeout",
    type=NumberRange(min=0, max=_LONGEST_S, min_open=True),
    default=120.0,
    show_default=True,
    help="Seconds without progress before a start is given up.",
)
@click.option(
    "--stop-timeout",
    type=NumberRange(min=0, max=_LONGEST_S),
    default=10.0,
    show_default=True,
    help="Seconds running requests may take at the end.",
)
@click.option("--admin-key", envvar="INTERLINGUA_ADMIN_KEY", default="", help="The key that opens the restricted APIs.")
@click.option("--log", type=FILE, help="Keep Triton's log in this file.")
@click.option(
    "--log-verbose",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="How much Triton writes into its log.",
)
def command(log: Path | None, start_timeout: float, stop_timeout: float, **settings: object) -> None:
    """Start Triton on the model repository; Ctrl-C ends it."""
    if len({settings[f"{protocol}_port"] for protocol in ("grpc", "http", "metrics")}) < 3:
        raise click.UsageError("--grpc-port, --http-port and --metrics-port must be three different ports")
    from interlingua.served.launch_flags import LOOPBACK
    from interlingua_server.embedded import EmbeddedServer, ServerSettings
    from interlingua_server.exposure import exposed
    from interlingua_server.supervision import supervise

    for needed in _NEEDED:  # before signals raise: an interrupted import is told as a fault of its own
        import_module(needed)
    chosen = ServerSettings(start_timeout_s=start_timeout, stop_timeout_s=stop_timeout, **settings)  # type: ignore[arg-type]
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    if opened := exposed(chosen.host, chosen.model_repository):
        click.echo(opened, err=True)

    def say(line: str) -> None:
        click.echo(line, err=True)

    server = EmbeddedServer(chosen, log=log, say=say)
    click.echo(f"starting Triton on {chosen.model_repository} ...", err=True)
    with_log = f", log in {server.log_path}"
    try:
        seconds = server.start()
        click.echo(
            f"ready after {seconds:.1f} s: gRPC {chosen.grpc_address}, HTTP {LOOPBACK}:{chosen.http_port}, "
            f"metrics {chosen.host}:{chosen.metrics_port}{with_log}",
            err=True,
        )
        supervise(server, say)
    except KeyboardInterrupt:
        click.echo("stopping: running requests finish first", err=True)
    finally:
        server.stop()
    click.echo("stopped", err=True)


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise KeyboardInterrupt
