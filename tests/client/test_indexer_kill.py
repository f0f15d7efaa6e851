"""`kill -9` at any moment of indexing loses nothing that was committed and duplicates nothing."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from interlingua_client.corpus import Corpus
from interlingua_client.index.document_store import DocumentStore
from interlingua_client.index.indexer import Indexer
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.index.token_store.stored_tokens import StoredTokens
from tests.client.sample_documents import make_documents
from tests.support.hash_embedder import HashEmbedder
from tests.support.hash_tokens import HashTokenEncoder, score, tokens_of

KILLS = 24


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(json.dumps(document._asdict()) + "\n" for document in make_documents()))
    return path


def start(directory: Path, corpus: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.client.kill_target", str(directory), str(corpus)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def reported(process: subprocess.Popen[str]) -> int:
    """Documents that the killed process said were committed (or were there)."""
    assert process.stdout is not None
    return sum(int(line) for line in process.stdout.read().splitlines() if line.isdecimal())


def check(directory: Path, at_least: int) -> int:
    """What is there is whole, there once, and can be searched; how many documents have token vectors, right ones."""
    if not DocumentStore.exists(directory):
        assert at_least == 0
        return 0
    expected = {document.id: document for document in make_documents()}
    index = SearchIndex.open(directory)
    assert len(index) >= at_least
    found = index.nearest(HashEmbedder().vector("en:cat", "query"), "en", 1000)
    stored = index.documents(found.labels)
    assert len(stored) == len(found.labels) == len(index)
    assert len({document.id for document in stored.values()}) == len(stored)
    assert all(expected[document.id] == document for document in stored.values())
    tokens = StoredTokens(index._store)
    scores = tokens.compare(tokens_of("cat fish"), list(stored), reranker="tokens-1", empty=-1.0).scores
    right = np.array([score("cat fish", document.passage) for document in stored.values()])
    there = ~np.isnan(scores)
    np.testing.assert_allclose(scores[there], right[there], atol=0.1)
    index.close()
    return int(there.sum())


def test_killed_again_and_again_it_finishes(tmp_path: Path, corpus: Path) -> None:
    """The same directory, killed at ever other moments, each run going on from the last."""
    directory = tmp_path / "index"
    rng = random.Random(7)
    encoded = 0
    for kill in range(KILLS):
        process = start(directory, corpus)
        assert process.stdout is not None
        # Half of them are killed while they start, wherever that is; half while they commit or finish.
        line = process.stdout.readline() if kill % 2 else ""
        time.sleep(rng.uniform(0.0, 0.12) if kill % 2 else rng.uniform(0.0, 0.4))
        process.kill()
        process.wait()
        there = check(directory, reported(process) + int(line or 0))
        assert there >= encoded
        encoded = there
    finishing = start(directory, corpus)
    output, _ = finishing.communicate(timeout=300)
    assert output.endswith("finished\n")
    assert check(directory, 90) == 90
    assert len(list(directory.glob("tokens-*"))) == 1
    assert DocumentStore.open(directory).ids() == {document.id for document in make_documents()}
    assert SearchIndex.open(directory).has_offsets


@pytest.mark.parametrize("commits", range(0, 23, 3))
def test_killed_right_after_a_commit(tmp_path: Path, corpus: Path, commits: int) -> None:
    """A fresh directory each, killed when so many commits were reported."""
    directory = tmp_path / "index"
    process = start(directory, corpus)
    assert process.stdout is not None
    seen = 0
    for _ in range(2 * commits + 1):  # each chunk reports what was unchanged, then what was committed
        line = process.stdout.readline()
        seen += int(line) if line.strip().isdecimal() else 0
    process.kill()
    process.wait()
    check(directory, seen)
    before = DocumentStore.open(directory).ids()
    embedder = HashEmbedder()
    with Indexer.open(directory, embedder, encoder=HashTokenEncoder()) as indexer:
        progress = indexer.add(Corpus(corpus, str))
        indexer.finish()
    assert progress.unchanged == len(before)
    assert progress.added == 90 - len(before)
    assert check(directory, 90) == 90


@pytest.mark.parametrize("batches", [0, 5, 6, 7, 12, 20])
def test_killed_among_the_token_vectors(tmp_path: Path, corpus: Path, batches: int) -> None:
    """Six batches are the sample, which is held until the projection is fitted; each one after them stays."""
    directory = tmp_path / "index"
    process = start(directory, corpus)
    assert process.stdout is not None
    seen = 0
    while seen < batches:
        seen += process.stdout.readline().endswith("encoded\n")
    process.kill()
    process.wait()
    assert check(directory, 0) >= (4 * batches if batches > 6 else 0)
    finishing = start(directory, corpus)
    finishing.communicate(timeout=300)
    assert check(directory, 90) == 90
