"""What an index of a real knowledge base costs beside the network: `python -m interlingua_benchmarks.knowledge_base`.

20,000 synthetic pages of 5 sections --> passages a second into the store, beside the network's rate where that is given
                                     --> opening, first stage of a search, memory of a process that searches
"""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from interlingua_benchmarks.command import run
from interlingua_benchmarks.knowledge_base.costs import make, search
from interlingua_benchmarks.knowledge_base.pages import ReadyEmbedder

if TYPE_CHECKING:
    from interlingua_benchmarks.knowledge_base.costs import MakingCost, SearchingCost


@click.command()
@click.option("--documents", default=20_000, show_default=True, help="How many pages there are.")
@click.option("--sections", default=5, show_default=True, help="How many sections a page has, each a passage.")
@click.option("--dimension", default=384, show_default=True, help="Of the vectors.")
@click.option("-k", default=10, show_default=True, help="How many documents a search returns.")
@click.option(
    "--network-rate",
    type=float,
    help="Passages a second that the service embeds (`embed_document` in `make bench`), for the share of it that is "
    "left where nothing is done side by side.",
)
def main(documents: int, sections: int, dimension: int, k: int, network_rate: float | None) -> None:
    """Show what indexing and searching a knowledge base cost."""
    with tempfile.TemporaryDirectory(prefix="interlingua-knowledge-base-") as folder:
        embedder = ReadyEmbedder(documents * sections, dimension)
        making = make(Path(folder), documents, sections, embedder)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:
            searching = other.submit(search, Path(folder), embedder.queries, k).result()
    click.echo(json.dumps(_facts(making, searching, network_rate), indent=2))


def _facts(making: MakingCost, searching: SearchingCost, network_rate: float | None) -> dict[str, float]:
    rate = making.passages / making.add_s
    p50, p99 = np.percentile(searching.search_ms, (50, 99))
    facts = {
        "documents": making.documents,
        "passages": making.passages,
        "passages_per_second": round(rate),
        "cpu_ms_per_passage": round(1e3 * making.cpu_s / making.passages, 3),
        "finish_s": round(making.finish_s, 1),
        "open_s": round(searching.open_s, 2),
        "search_p50_ms": round(float(p50), 2),
        "search_p99_ms": round(float(p99), 2),
        "resident_mb": round(searching.resident_bytes / 1e6, 1),
        "resident_per_vector_byte": round(searching.resident_bytes / searching.vector_bytes, 2),
    }
    return facts | ({"share_of_network_rate": round(rate / (rate + network_rate), 3)} if network_rate else {})


if __name__ == "__main__":
    run(main)
