"""Warm-up samples as Triton takes them: a file with the raw values of each input, `batch` times the same item."""

from __future__ import annotations

from dataclasses import dataclass

FOLDER = "warmup"


@dataclass(frozen=True)
class WarmupTensor:
    """One input of one sample: where its bytes lie and what they are."""

    input: str
    file: str
    length: int
    content: bytes


@dataclass(frozen=True)
class WarmupSample:
    """`batch` times the same item."""

    name: str
    batch: int
    tensors: tuple[WarmupTensor, ...]
