"""Indexes a corpus with the hash embedder, for a test that kills it: DIRECTORY CORPUS."""

from __future__ import annotations

import sys

from interlingua_client.corpus import Corpus
from interlingua_client.index.indexer import Indexer
from tests.support.hash_embedder import HashEmbedder


def report(what: object) -> None:
    """One line, at once: the test reads it after the kill."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def main() -> None:
    directory, corpus = sys.argv[1:]
    with Indexer.open(directory, HashEmbedder(pause_s=0.002), batch=4) as indexer:
        indexer.add(Corpus(corpus, str), report)
        indexer.finish()
    report("finished")


if __name__ == "__main__":
    main()
