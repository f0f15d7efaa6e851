"""`interlingua ready`: ask a server for a real embedding and a real score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlingua_cli.options.common import tls_option
from interlingua_cli.options.number_range import NumberRange
from interlingua_cli.options.placed_options import server_option
from interlingua_client.deadline import LONGEST_S
from interlingua_client.triton.server_address import ServerAddress

if TYPE_CHECKING:
    from interlingua_client.embedder import Role
    from interlingua_client.triton.inference import InferenceClient


@click.command()
@server_option
@tls_option
@click.option(
    "--timeout",
    "timeout_s",
    type=NumberRange(min=0, max=LONGEST_S, min_open=True),
    default=10.0,
    show_default=True,
    help="Seconds that each answer may take.",
)
def command(server: str, tls_ca: Path | None, timeout_s: float) -> None:
    """Ask every service a short text; exit with 0 where all answer finite values of the right width, else with 4."""
    from interlingua.base.errors import RequestRejectedError
    from interlingua.served.watch.canary import FULL
    from interlingua_client.triton.inference import InferenceClient

    said = []
    with InferenceClient.connect(ServerAddress.parse(server, tls_ca), patience_s=0.0) as client:
        sides = ("encode_query_tokens", "encode_document_tokens") if client.encoder else ()
        reranks = ("rerank",) if client.services.rerank else ()
        for service in ("embed_query", "embed_document", *reranks, *sides):
            try:
                _ask(client, service, timeout_s)
            except RequestRejectedError as error:
                if not any(word in str(error) for word in FULL):
                    raise
                said.append(f"{service} is full")
            else:
                said.append(f"{service} answers")
    click.echo(f"ready: {', '.join(said)}")


def _ask(client: InferenceClient, service: str, timeout_s: float) -> None:
    import numpy as np

    from interlingua.base.errors import ServerError
    from interlingua.served.watch.canary import DOCUMENT, TEXT
    from interlingua_client.deadline import Deadline

    deadline, width = Deadline.after(timeout_s), client.identity.dimension
    role: Role = "query" if "query" in service else "document"
    if client.encoder and service.startswith("encode"):
        (side,) = client.encode([TEXT], role, deadline).texts
        values, width = side.vectors, client.encoder.dimension
    elif service == "rerank":
        values, width = client.rerank(TEXT, [DOCUMENT], deadline).scores, 1
    else:
        values = client.embed([TEXT], role, deadline).vectors
    if values.shape[-1] != width or not np.isfinite(values).all():
        raise ServerError(f"{service} does not answer {width} finite values: restart the server, or export again")
