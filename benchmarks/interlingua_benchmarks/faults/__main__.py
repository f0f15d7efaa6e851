"""One fault, or all of them, at length: `make faults`, `make soak`; docs/reliability.md says what each has to show."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from interlingua.base.paths import DEFAULT_MODEL_REPOSITORY
from interlingua_benchmarks.command import run
from interlingua_benchmarks.faults import index_faults, process_faults
from interlingua_benchmarks.faults.index_faults import IndexRuns, Whole
from interlingua_benchmarks.faults.served_process import ServedProcess
from interlingua_benchmarks.faults.soak import soak, table
from interlingua_evaluation.data_folders import HELPDESK12

_CORPUS = HELPDESK12 / "corpus.jsonl"


@dataclass(frozen=True)
class Length:
    """How long a scenario goes on."""

    clients: int
    times: int
    minutes: float


def _on_index(fault: Callable[..., dict[str, Any]], served: ServedProcess, *more: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="interlingua-faults-") as scratch:
        runs = IndexRuns(_CORPUS, served.address)
        whole = Whole.of(runs, Path(scratch) / "left-alone")
        return fault(runs, whole, Path(scratch), *more)


def _soak(served: ServedProcess, length: Length) -> dict[str, Any]:
    texts = [json.loads(line)["text"] for line in _CORPUS.read_text(encoding="utf-8").splitlines()]
    facts = soak(served, texts, clients=length.clients, minutes=length.minutes)
    click.echo(table(facts.pop("before"), facts.pop("after")))
    return facts


SCENARIOS: dict[str, Callable[[ServedProcess, Length], dict[str, Any]]] = {
    "idle-stubs": lambda served, _: process_faults.kill_idle_stubs(served),
    "busy-stubs": lambda served, length: process_faults.kill_busy_stubs(served, length.clients),
    "server": lambda served, length: process_faults.kill_server(served, length.clients, length.times or 20),
    "stopped-server": lambda served, length: process_faults.stop_server(served, length.clients, 3.0),
    "stopped-stubs": lambda served, length: process_faults.stop_stubs(served, length.clients, 3.0),
    "index-kills": lambda served, length: _on_index(index_faults.kill_index_runs, served, length.times or 100),
    "index-server": lambda served, _: _on_index(index_faults.index_while, served, lambda: served.triton().kill()),
    "two-indexers": lambda served, _: _on_index(index_faults.two_indexers, served),
    "full-disk": lambda served, _: _on_index(index_faults.fill_disk, served, (0.05, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)),
    "soak": _soak,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*SCENARIOS]))
@click.option("--model-repository", "repository", type=click.Path(path_type=Path), default=DEFAULT_MODEL_REPOSITORY)
@click.option("--clients", default=8, show_default=True, help="How many clients ask meanwhile.")
@click.option("--times", default=0, help="How often it is killed.  [default: a server 20, an index run 100]")
@click.option("--minutes", default=30.0, show_default=True, help="How long the soak lasts.")
def main(names: tuple[str, ...], repository: Path, clients: int, times: int, minutes: float) -> None:
    """Do what NAMES say to a server of its own (all but the soak, without any), and tell what became of everybody."""
    failed = []
    for name in names or [name for name in SCENARIOS if name != "soak"]:
        with ServedProcess(repository) as served:
            facts = SCENARIOS[name](served, Length(clients, times, minutes))
        click.echo(f"{name}: {json.dumps(facts, ensure_ascii=False, indent=1)}")
        if any(facts.get(fault) for fault in ("wrong", "errors", "differences")):
            failed.append(name)
    if failed:
        click.echo(f"not as promised: {', '.join(failed)}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    run(main)
