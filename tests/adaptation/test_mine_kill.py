"""`kill -9` while mining: the next run goes on, and ends with the same lists."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from interlingua_adaptation.corpus_step.corpus import make_corpus
from interlingua_adaptation.corpus_step.section import Section
from interlingua_adaptation.mining.mine import mine
from interlingua_adaptation.work_folder import WorkFolder
from interlingua_client.index.document_store import DocumentStore
from tests.support.hash_embedder import HashEmbedder

GROUPS = 300
SENTENCES = "It says {n} and {next} here. It goes on with {n} after {n} and so on. And {n} is where all of it ends."


def make_work(folder: Path) -> WorkFolder:
    work = WorkFolder(folder)
    sections = [
        Section(f"g{n:03}", "en", f"About w{n:03}", SENTENCES.format(n=f"w{n:03}", next=f"w{n + 1:03}"))
        for n in range(GROUPS)
    ]
    make_corpus(sections, work, source="numbers", licence="")
    return work


def kill_once_begun(work: WorkFolder, file: str) -> None:
    """Between two batches, when that file of the work folder has something in it."""
    command = [sys.executable, "-m", "tests.adaptation.mine_target", str(work.root), file]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.kill()
    assert said == "halted\n"


def test_killed_while_indexing_and_while_mining_it_ends_as_if_it_had_not(tmp_path: Path) -> None:
    undisturbed = make_work(tmp_path / "undisturbed")
    expected = mine(undisturbed, HashEmbedder(dimension=1024))
    work = make_work(tmp_path / "killed")
    part = work.root / "lists.part.jsonl"
    kill_once_begun(work, "index/documents.sqlite")
    assert 0 < len(DocumentStore.open(work.index).ids()) < GROUPS
    assert not part.read_bytes()
    kill_once_begun(work, part.name)
    assert part.read_bytes()
    assert not work.lists.exists()
    resumed = HashEmbedder(dimension=1024)
    assert mine(work, resumed) == expected
    assert work.lists.read_bytes() == undisturbed.lists.read_bytes()
    assert len(resumed.embedded) < expected["lists"]  # no section again, and not all of the queries
    assert sorted(path.name for path in work.root.iterdir()) == sorted(path.name for path in undisturbed.root.iterdir())
