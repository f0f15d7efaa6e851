"""`kill -9` while mining: the next run goes on, and ends with the same lists."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from adaptation.corpus import make_corpus
from adaptation.mine import mine
from adaptation.section import Section
from adaptation.work_folder import WorkFolder
from tests.client.hash_embedder import HashEmbedder

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


def kill_when(work: WorkFolder, is_so_far: object) -> None:
    process = subprocess.Popen([sys.executable, "-m", "tests.adaptation.mine_target", str(work.root)])
    try:
        deadline = time.monotonic() + 60
        while not is_so_far(work):  # type: ignore[operator]
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        process.kill()
        process.wait()


def is_indexing(work: WorkFolder) -> bool:
    return (work.index / "documents.sqlite").exists()


def is_mining(work: WorkFolder) -> bool:
    part = work.root / "lists.part.jsonl"
    return part.exists() and part.stat().st_size > 0


def test_killed_while_indexing_and_while_mining_it_ends_as_if_it_had_not(tmp_path: Path) -> None:
    undisturbed = make_work(tmp_path / "undisturbed")
    expected = mine(undisturbed, HashEmbedder(dimension=1024))
    work = make_work(tmp_path / "killed")
    kill_when(work, is_indexing)
    assert not is_mining(work)
    kill_when(work, is_mining)
    assert not work.lists.exists()
    resumed = HashEmbedder(dimension=1024)
    assert mine(work, resumed) == expected
    assert work.lists.read_bytes() == undisturbed.lists.read_bytes()
    assert len(resumed.embedded) < expected["lists"]  # no section again, and not all of the queries
    assert sorted(path.name for path in work.root.iterdir()) == sorted(path.name for path in undisturbed.root.iterdir())
