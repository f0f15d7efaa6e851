"""What a check has found in a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")

_EXAMPLES = 5


@dataclass(frozen=True)
class DatasetFinding:
    """One kind of fault.

    Attributes:
        kind: a name for machines, such as "duplicate-documents".
        severity: "error" makes figures wrong or impossible, "warning" makes them doubtful, "note" is to be known.
        count: how often it was found.
        examples: five at most.
        message: what one of them is, and what it does to the figures.
    """

    kind: str
    severity: Severity
    count: int
    examples: tuple[str, ...]
    message: str


def findings_of(kind: str, severity: Severity, hits: Iterable[str], message: str) -> Iterator[DatasetFinding]:
    """One finding of these hits, or none."""
    found: Sequence[str] = list(hits)
    if found:
        yield DatasetFinding(kind, severity, len(found), tuple(found[:_EXAMPLES]), message)
