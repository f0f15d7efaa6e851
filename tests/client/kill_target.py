"""Indexes a corpus with the hash embedder and encoder, for a test that kills it: DIRECTORY CORPUS."""

from __future__ import annotations

import sys

from interlingua_client.corpus import Corpus
from interlingua_client.index.indexer import Indexer
from interlingua_client.index.token_store import reclaiming, token_indexing
from tests.support.hash_embedder import HashEmbedder
from tests.support.hash_tokens import HashTokenEncoder


def report(what: object) -> None:
    """One line, at once: the test reads it after the kill."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def main() -> None:
    directory, corpus = sys.argv[1:]
    token_indexing.SAMPLE = 24  # a third of the documents: the rest is encoded after the projection is fitted
    reclaiming.UNUSED_SHARE = 0.0
    encoder = HashTokenEncoder(pause_s=0.002)
    with Indexer.open(directory, HashEmbedder(pause_s=0.002), batch=4, encoder=encoder) as indexer:
        indexer.add(Corpus(corpus, str), report)
        indexer.finish(encode=lambda work: work.run(advance=lambda count: report(f"{count} encoded")))
    report("finished")


if __name__ == "__main__":
    main()
