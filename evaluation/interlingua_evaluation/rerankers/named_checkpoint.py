"""What `--system NAME=CHECKPOINT` says."""

from __future__ import annotations

from typing import NamedTuple


class NamedCheckpoint(NamedTuple):
    """A reranker to compare: what the table calls it, and its folder or catalogue name."""

    name: str
    source: str
