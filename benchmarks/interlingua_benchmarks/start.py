"""How long a start of the server takes: `python -m interlingua_benchmarks.start`.

start, wait until every service has answered, end     several times --> seconds, and CPU seconds of each model's
                                                                        processes, which other work disturbs less
"""

from __future__ import annotations

from pathlib import Path

import click

from interlingua.base.paths import DEFAULT_MODEL_REPOSITORY
from interlingua.display.grid import Grid, row
from interlingua.display.markdown import markdown
from interlingua_benchmarks import command
from interlingua_benchmarks.process_times import cpu_seconds
from interlingua_benchmarks.serving_benchmark import machine
from interlingua_server.embedded import EmbeddedServer, ServerSettings
from interlingua_server.ports import free_ports


@click.command()
@click.option("--model-repository", type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_MODEL_REPOSITORY)
@click.option("--starts", default=3, show_default=True, help="How often the server is started.")
def main(model_repository: Path, starts: int) -> None:
    """Print, as Markdown, how long starts took, and which processes took how much CPU time."""
    facts = machine()
    click.echo(f"{facts['cores']} cores of {facts['cpu']}, {facts['date']}, commit {facts['commit']}\n")
    ready_s, cpu_s = zip(*(_start(model_repository) for _ in range(starts)), strict=True)
    numbers = [f"{number}" for number in range(1, starts + 1)]
    rows = [row("ready after, s", *(f"{seconds:.1f}" for seconds in ready_s))]
    rows += [row(f"{model}, CPU s", *(f"{one[model]:.1f}" for one in cpu_s)) for model in sorted(cpu_s[0])]
    rows.append(row("all, CPU s", *(f"{sum(one.values()):.1f}" for one in cpu_s)))
    click.echo(markdown(Grid("starts", ("", *numbers), tuple(rows))))


def _start(repository: Path) -> tuple[float, dict[str, float]]:
    """Seconds until it was ready, and CPU seconds of its processes until then, by model."""
    grpc, http, metrics = free_ports(3)
    settings = ServerSettings(model_repository=repository, grpc_port=grpc, http_port=http, metrics_port=metrics)
    server = EmbeddedServer(settings)
    try:
        ready_s = server.start()
        return ready_s, cpu_seconds(server)
    finally:
        server.stop(at_once=True)


if __name__ == "__main__":
    command.run(main)
