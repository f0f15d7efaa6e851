"""`interlingua adapt mine`: queries from headings and sentences, with hard negatives."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from interlingua_cli.adapt import work_option
from interlingua_cli.options.common import repository_option, tls_option
from interlingua_client.triton.server_address import ServerAddress

if TYPE_CHECKING:
    from interlingua_adaptation.work_folder import WorkFolder

_PATIENCE_S = 120.0  # mining outlives a restart of the server


@click.command()
@work_option
@click.option("--server", help="host:port of a running server.  [default: one is started for this step]")
@tls_option
@repository_option("What the server that is started loads.")
@click.option(
    "--negatives", type=click.IntRange(1, 20), default=7, show_default=True, help="Negatives of a list, at most."
)
@click.option(
    "--sentences", type=click.IntRange(min=0), help="Lists that ask with a sentence.  [default: as many as headings]"
)
@click.option("--seed", default=0, show_default=True, help="Seed of the samples that are drawn.")
@click.option("--replace", is_flag=True, help="Give up lists that were made of another corpus or with other settings.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def command(
    work: WorkFolder,
    server: str | None,
    tls_ca: Path | None,
    model_repository: Path,
    negatives: int,
    sentences: int | None,
    seed: int,
    replace: bool,
    as_json: bool,
) -> None:
    """Make lists of a query, the section that answers it, and sections that do not."""
    from interlingua_adaptation.mining.mine import MiningSettings, mine
    from interlingua_client.triton.inference import InferenceClient

    work.require_corpus()
    settings = MiningSettings(negatives=negatives, most_sentences=sentences, seed=seed)
    with (
        _address(server, tls_ca, model_repository) as address,
        InferenceClient.connect(address, patience_s=_PATIENCE_S) as client,
    ):
        facts = mine(work, client, settings, replace=replace)
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else _summary(facts, work))


@contextmanager
def _address(server: str | None, tls_ca: Path | None, model_repository: Path) -> Iterator[ServerAddress]:
    """A running server's address, or that of one that runs as long as this lasts, on ports that are free."""
    if server is not None:
        yield ServerAddress.parse(server, tls_ca)
        return
    from interlingua_server.embedded import EmbeddedServer, ServerSettings
    from interlingua_server.ports import free_ports

    grpc, http, metrics = free_ports(3)
    settings = ServerSettings(model_repository=model_repository, grpc_port=grpc, http_port=http, metrics_port=metrics)
    signal.signal(signal.SIGTERM, _interrupt)  # so that a stop from outside stops the server as well
    click.echo(f"starting Triton on {model_repository} ...", err=True)
    with EmbeddedServer(settings):
        yield ServerAddress.parse(settings.grpc_address)


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise KeyboardInterrupt


def _summary(facts: dict[str, Any], work: WorkFolder) -> str:
    kinds = " and ".join(f"{number} by a {kind}" for kind, number in facts["kinds"].items())
    lines = [
        f"{facts['lists']} lists, {kinds}; {facts['negatives']} negatives, "
        f"{facts['near_duplicates']} near-duplicates kept out; {work.lists}",
        "languages of the queries: " + ", ".join(f"{tag} {number}" for tag, number in facts["languages"].items()),
    ]
    if facts["short"]:
        lines.append(f"{facts['short']} lists have fewer negatives than asked for")
    if facts["without_negatives"]:
        lines.append(f"{facts['without_negatives']} queries left out: nothing near them is a wrong answer")
    if facts["truncated"]:
        lines.append(f"{facts['truncated']} sections are longer than the network reads: their ends were left out")
    return "\n".join(lines)
