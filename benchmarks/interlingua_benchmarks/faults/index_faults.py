"""What is done to `interlingua index`, or under it; each function one fault, and what the index holds in the end.

corpus -> a run left alone -> contents of its index
       -> runs that are killed, short of disk, without their server, two at once ... and one more -> the same contents
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from interlingua.base.errors import InputError
from interlingua_client.index.document_store import DocumentStore
from interlingua_client.index.search_index import SearchIndex

Facts = dict[str, Any]

_MOUNT = 'mount -t tmpfs -o "size=$1" none "$2"'
_RUN_ON = 'mount -o "remount,size={size}" "$2"; "${{@:4}}" || echo "status $?"; echo "--" >&2'


@dataclass(frozen=True)
class IndexRuns:
    """`interlingua index` on one corpus, against one server."""

    corpus: Path
    address: str

    def command(self, index: Path) -> list[str]:
        command = [sys.executable, "-m", "interlingua", "index", str(self.corpus), "--index", str(index)]
        return [*command, "--server", self.address, "--batch", "16"]

    def start(self, index: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(self.command(index), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, index: Path) -> None:
        """One run that nothing is done to. Raises InputError: it did not end well."""
        done = subprocess.run(self.command(index), capture_output=True, text=True, check=False)
        if done.returncode:
            raise InputError(f"the run ended with status {done.returncode}: {done.stderr}")


@dataclass(frozen=True)
class Whole:
    """The index of a run that was left alone, and how long that took."""

    index: Path
    seconds: float

    @classmethod
    def of(cls, runs: IndexRuns, index: Path) -> Whole:
        began = time.monotonic()
        runs.finish(index)
        return cls(index, time.monotonic() - began)

    def differences(self, other: Path) -> list[str]:
        """What another index has not, or has otherwise; in words."""
        mine, its = _contents(self.index), _contents(other)
        if mine.keys() != its.keys():
            return [f"{len(mine.keys() ^ its.keys())} documents are in one of the two alone"]
        changed = [id_ for id_, (digest, _) in mine.items() if its[id_][0] != digest]
        moved = [id_ for id_, (_, vector) in mine.items() if not np.allclose(vector, its[id_][1], atol=1e-2)]
        told = [f"{len(ids)} {what}: {ids[:3]}" for what, ids in (("contents", changed), ("vectors", moved)) if ids]
        index = SearchIndex.open(other)  # its graph is whole, or is made again here
        counts = (len(index), len(mine))
        index.close()
        return told + ([f"{counts[0]} of {counts[1]} documents can be searched"] if counts[0] != counts[1] else [])


def kill_index_runs(runs: IndexRuns, whole: Whole, folder: Path, times: int, seed: int = 7) -> Facts:
    """Runs on one index are killed at random moments, each going on from the last, until one ends by itself; then again
    from nothing, until there were so many kills."""
    rng = random.Random(seed)
    kills, rounds, differences = 0, 0, []
    while kills < times:
        index = folder / f"killed-{rounds}"
        rounds += 1
        while kills < times:
            process = runs.start(index)
            try:
                process.wait(rng.uniform(0.0, 1.2 * whole.seconds))
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                kills += 1
        runs.finish(index)
        differences += whole.differences(index)
    return {"kills": kills, "indexes": rounds, "differences": differences}


def index_while(runs: IndexRuns, whole: Whole, folder: Path, hurt: Callable[[], object]) -> Facts:
    """Something is done to the server while a run is at work; the same run has to end well."""
    index = folder / "through"
    process = runs.start(index)
    _wait_for_commit(index, process)
    hurt()
    _, errors = process.communicate()
    status = process.returncode
    return {"status": status, "said": _last(errors), "differences": [errors] if status else whole.differences(index)}


def two_indexers(runs: IndexRuns, whole: Whole, folder: Path) -> Facts:
    """Two runs on one index at once: one does the work, the other one waits for it or says who has it."""
    index = folder / "two"
    processes = [runs.start(index) for _ in range(2)]
    said = [process.communicate()[1] for process in processes]
    ended = [(process.returncode, _last(text)) for process, text in zip(processes, said, strict=True)]
    runs.finish(index)
    return {"ended": ended, "differences": whole.differences(index)}


def can_mount() -> bool:
    """Whether this user may mount a file system of its own, out of everybody's sight."""
    return _in_own_mounts("true", []).returncode == 0


def fill_disk(runs: IndexRuns, whole: Whole, folder: Path, megabytes: Sequence[float]) -> Facts:
    """Runs on a disk that is too small, then larger, then large enough, each going on from the last."""
    disk, copy = folder / "disk", folder / "copy"
    disk.mkdir()
    sizes = [f"{int(1024 * size)}k" for size in (*megabytes, 512)]
    script = [_MOUNT, *(_RUN_ON.format(size=size) for size in sizes), 'cp -r "$2/index" "$3"']
    command = runs.command(disk / "index")
    done = _in_own_mounts("; ".join(script), [sizes[0], str(disk), str(copy), *command])
    statuses = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("status ")]
    said = [_last(part) for part in done.stderr.split("--\n")]
    return {"statuses": statuses, "said": said, "differences": whole.differences(copy)}


def on_read_only(folder: Path, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """A command on a folder that nobody may write to, whoever runs it."""
    script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && "${@:2}"'
    return _in_own_mounts(script, [str(folder), *command])


def _contents(index: Path) -> dict[str, tuple[bytes, Any]]:
    store = DocumentStore.open(index)
    try:
        labels = np.sort(np.concatenate(list(store.labels_by_language().values())))
        vectors = {
            label: vector
            for found in store.vectors_of(labels)
            for label, vector in zip(found.labels.tolist(), found.vectors, strict=True)
        }
        ids = {label: document.id for label, document in store.documents(labels.tolist()).items()}
        digests = store.digests(list(ids.values()))
        return {id_: (digests[id_], vectors[label]) for label, id_ in ids.items()}
    finally:
        store.close()


def _last(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]


def _wait_for_commit(index: Path, process: subprocess.Popen[str]) -> None:
    while process.poll() is None:
        if DocumentStore.exists(index):
            store = DocumentStore.open(index)
            committed = len(store.ids())
            store.close()
            if committed:
                return
        time.sleep(0.01)


def _in_own_mounts(script: str, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a script where its mounts are seen by nobody else."""
    command = ["unshare", *(("-m",) if os.geteuid() == 0 else ("-Urm",)), "bash", "-c", script, "bash", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)
