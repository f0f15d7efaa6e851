"""What a run over an index's token vectors says, before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class TokenForecast(NamedTuple):
    """What is to be done, from what a sample took.

    Attributes:
        documents: that are still to be encoded.
        bytes: that their rows will take.
        seconds: that encoding them will take.
    """

    documents: int
    bytes: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class TokenOutcome:
    """The end of a run.

    Attributes:
        format: "none" where the index has no token vectors.
        added: documents that were encoded.
        documents, tokens, bytes: that are stored now, of documents that are there.
        verified: documents whose rows were read and their checksums compared before; 0 where nobody asked for it.
        damaged: documents whose rows were not as they were written, and were made again.
        reclaimed: bytes of documents that are gone.
        kept: share of the sample's squared length that the projection keeps; None where none was fitted now.
        note: why nothing was done although there was something to do.
    """

    format: str
    added: int = 0
    documents: int = 0
    tokens: int = 0
    bytes: int = 0
    verified: int = 0
    damaged: int = 0
    reclaimed: int = 0
    kept: float | None = None
    note: str = ""
