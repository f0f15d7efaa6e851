"""Mines with the hash embedder until a test kills it: WORK FILE. Stands still once FILE in WORK holds something."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from interlingua_adaptation.mining.mine import mine
from interlingua_adaptation.work_folder import WorkFolder
from interlingua_client.deadline import Deadline
from interlingua_client.embedder import Embedded, Role
from tests.support.hash_embedder import HashEmbedder


class HaltingEmbedder(HashEmbedder):
    """Says so and never answers, from the first batch on that finds the file."""

    def __init__(self, file: Path) -> None:
        super().__init__(dimension=1024)
        self._file = file

    def embed(self, texts: Sequence[str], role: Role, deadline: Deadline | None = None) -> Embedded:
        if self._file.exists() and self._file.stat().st_size and self.embedded:
            sys.stdout.write("halted\n")
            sys.stdout.flush()
            threading.Event().wait()
        return super().embed(texts, role, deadline)


if __name__ == "__main__":
    work = WorkFolder(Path(sys.argv[1]))
    mine(work, HaltingEmbedder(work.root / sys.argv[2]))
