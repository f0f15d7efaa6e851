"""Mines with the hash embedder, slowly, for a test that kills it: WORK."""

from __future__ import annotations

import sys
from pathlib import Path

from adaptation.mine import mine
from adaptation.work_folder import WorkFolder
from tests.client.hash_embedder import HashEmbedder

if __name__ == "__main__":
    mine(WorkFolder(Path(sys.argv[1])), HashEmbedder(dimension=1024, pause_s=0.1))
