"""What a filter costs a search, and that it loses nothing: `python -m interlingua_benchmarks.filters`.

    20,000 documents of 5 passages, vectors drawn around topics, a number each by which they are filtered --> an index
    questions, without a filter and with filters that pass some shares, in turn --> ms a search, ratio, recall

A search is all that one does but for the network: filter, nearest passages, reading what was found. With --server, the
time that its embedder takes for a question is added to both sides of the ratio. Recall is against comparing all that
passes. The machine has nothing else to do meanwhile.
"""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np

from interlingua.display.markdown import markdown
from interlingua_benchmarks import command
from interlingua_benchmarks.filters.filter_cost import table
from interlingua_benchmarks.filters.synthetic_index import PASSAGES, around_topics, build
from interlingua_benchmarks.serving_benchmark import machine
from interlingua_client.index.document_store import DocumentStore
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.triton.inference import InferenceClient

_SEED = 1


@click.command()
@click.option("--passages", default=100_000, show_default=True, help="Passages in the index.")
@click.option("--searches", default=200, show_default=True, help="Questions for each share.")
@click.option("--index", "directory", type=click.Path(path_type=Path), help="Keep the index there, and use it again.")
@click.option("--server", help="A server whose embedder's time for a question is added: host:port.")
def main(passages: int, searches: int, directory: Path | None, server: str | None) -> None:
    """Print, as Markdown, what filters of several shares cost."""
    facts = machine()
    click.echo(f"{facts['cores']} cores of {facts['cpu']}, {facts['date']}, commit {facts['commit']}\n")
    with TemporaryDirectory() as temporary:
        folder = directory or Path(temporary) / "index"
        if not DocumentStore.exists(folder):
            build(folder, passages // PASSAGES)
        with closing(SearchIndex.open(folder)) as index:
            questions = around_topics(np.random.default_rng(_SEED), searches)
            embedding_ms = _embedding_ms(server, searches) if server else None
            click.echo(markdown(table(index, questions, embedding_ms)))


def _embedding_ms(server: str, questions: int) -> float:
    """The median time that a lone question's vector takes."""
    seconds = []
    with InferenceClient.connect(server) as client:
        for number in range(questions):
            began = time.perf_counter()
            client.embed([f"how do I change my password for the {number}th time?"], "query")
            seconds.append(time.perf_counter() - began)
    return 1e3 * float(np.median(seconds))


if __name__ == "__main__":
    command.run(main)
