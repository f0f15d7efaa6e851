"""What a folder says and an export does not follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Topic = Literal["window", "pooling", "prompts", "texts", "modules", "model"]


@dataclass(frozen=True)
class Remark:
    """One such statement, in words.

    Attributes:
        refused: whether the answers would be others than the folder's; else it is told as a note.
        topic: the user's words, or the entry's, about it go before the folder's and settle it; nobody's settle `model`.
    """

    text: str
    refused: bool = False
    topic: Topic = "model"
