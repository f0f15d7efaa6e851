"""How fast a collection is embedded by indexing it, against what the service does for 32 clients: `make bench-index`.

    the same documents --one text a request, 32 at a time--> texts a second, the service's benchmark rate
                       --client.Indexer, store, offsets and graph included--> documents a second

Both run twice, in turn, on one server, and the better of each is taken.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import click

from interlingua.base.paths import DEFAULT_MODEL_REPOSITORY
from interlingua_benchmarks.closed_loop import run_closed_loop
from interlingua_client.document import Document
from interlingua_client.index.indexer import Indexer
from interlingua_client.triton.inference import InferenceClient
from interlingua_server.embedded import EmbeddedServer, ServerSettings
from interlingua_server.ports import free_ports

_CLIENTS = 32
_ROUNDS = 2


@click.command()
@click.argument("corpus", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--documents", default=400, show_default=True, help="How many of the file's first documents are indexed.")
@click.option(
    "--model-repository",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_MODEL_REPOSITORY,
    help="The repository that is served.  [default: model_repository]",
)
def main(corpus: Path, documents: int, model_repository: Path) -> None:
    """Embed CORPUS (JSON lines) both ways and compare."""
    chosen = read_documents(corpus, documents)
    grpc, http, metrics = free_ports(3)
    settings = ServerSettings(model_repository=model_repository, grpc_port=grpc, http_port=http, metrics_port=metrics)
    served, indexed = [], []
    with EmbeddedServer(settings):
        texts = [document.passage for document in chosen]
        run_closed_loop(settings.grpc_address, "embed_document", texts, _CLIENTS, _CLIENTS)
        for _ in range(_ROUNDS):
            result = run_closed_loop(settings.grpc_address, "embed_document", texts, _CLIENTS, len(texts))
            served.append(result.texts_per_second)
            indexed.append(indexing_rate(settings.grpc_address, chosen))
    click.echo(f"{len(chosen)} documents, {sum(map(len, texts)) / len(texts):.0f} characters on average")
    click.echo(f"service, {_CLIENTS} clients: {max(served):.1f} texts/s   ({_listed(served)})")
    click.echo(f"indexing: {max(indexed):.1f} documents/s   ({_listed(indexed)})")
    click.echo(f"share of the service's rate: {max(indexed) / max(served):.2f}")


def read_documents(corpus: Path, number: int) -> list[Document]:
    """The first documents of a file."""
    with corpus.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(number), strict=False)]
    return [Document(row.get("id", row.get("_id")), row["language"], row.get("title", ""), row["text"]) for row in rows]


def indexing_rate(address: str, documents: list[Document]) -> float:
    """Documents a second into a new index; embedding the documents alone, as the offsets' queries are few and short."""
    with (
        tempfile.TemporaryDirectory() as folder,
        InferenceClient.connect(address) as client,
        Indexer.open(Path(folder) / "index", client) as indexer,
    ):
        began = time.perf_counter()
        indexer.add(documents)
        return len(documents) / (time.perf_counter() - began)


def _listed(rates: list[float]) -> str:
    return ", ".join(f"{rate:.1f}" for rate in rates)


if __name__ == "__main__":
    main()
