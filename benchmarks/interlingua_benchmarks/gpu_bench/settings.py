"""What a run measures, and how long.

command line --> BenchSettings (device, models, arithmetic, runtimes, Scale) --> bench.py
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from interlingua.base.errors import InputError

Arithmetic = Literal["fp32", "tf32", "fp16", "bf16"]
Runtime = Literal["torch", "onnxruntime"]

ARITHMETICS: tuple[Arithmetic, ...] = get_args(Arithmetic)
RUNTIMES: tuple[Runtime, ...] = get_args(Runtime)
DEFAULT_ARITHMETICS: tuple[Arithmetic, ...] = ("fp32", "fp16", "bf16")

DEFAULT_MODELS = (
    "intfloat/multilingual-e5-small",
    "interlingua/e5-small-reranker",
    "intfloat/multilingual-e5-base",
    "BAAI/bge-m3",
    "BAAI/bge-reranker-v2-m3",
    "Qwen/Qwen3-Embedding-0.6B",
    "Qwen/Qwen3-Reranker-0.6B",
    "Qwen/Qwen3-Embedding-4B",
)
LARGEST_ONNX = 2_000_000_000
"""Parameters beyond which a default run writes no ONNX file: one takes minutes and tens of gigabytes."""


@dataclass(frozen=True)
class Device:
    """Where networks run.

    Attributes:
        index: as CUDA counts.
    """

    kind: Literal["cuda", "cpu"]
    index: int = 0

    @classmethod
    def parse(cls, text: str) -> Device:
        """From `cuda`, `cuda:1` or `cpu`. Raises InputError: it is none of these."""
        if text == "cpu":
            return cls("cpu")
        if found := re.fullmatch(r"cuda(?::(\d+))?", text):
            return cls("cuda", int(found[1] or 0))
        raise InputError(f"--device {text}: it is cuda, cuda:NUMBER or cpu")

    def __str__(self) -> str:
        return "cpu" if self.kind == "cpu" else f"cuda:{self.index}"


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much of everything.

    Attributes:
        matrix_sizes: rows of the square matrices.
        budgets: most padded tokens of a call.
        lengths: tokens of lone texts, for their latency.
        sweep_lengths, sweep_texts: of calls of equal texts.
        point_s: seconds that the counted repeats of one figure aim at together.
        repeats: passes, of which the median counts.
        calls: most lone calls of one length.
        minutes: after which nothing new is begun.
    """

    matrix_sizes: tuple[int, ...]
    budgets: tuple[int, ...]
    lengths: tuple[int, ...]
    sweep_lengths: tuple[int, ...]
    sweep_texts: tuple[int, ...]
    point_s: float
    repeats: int
    calls: int
    minutes: float


FULL = Scale(
    matrix_sizes=(4096, 8192, 16384),
    budgets=(4096, 8192, 16384, 32768, 65536),
    lengths=(12, 64, 512),
    sweep_lengths=(128, 512),
    sweep_texts=(1, 8, 32, 128),
    point_s=0.9,
    repeats=3,
    calls=200,
    minutes=20.0,
)
QUICK = Scale(
    matrix_sizes=(8192,),
    budgets=(8192, 32768),
    lengths=(12, 64, 512),
    sweep_lengths=(128, 512),
    sweep_texts=(1, 32),
    point_s=0.4,
    repeats=3,
    calls=100,
    minutes=8.0,
)
LOOK = Scale(
    matrix_sizes=(64, 128),
    budgets=(256, 512),
    lengths=(12, 64, 512),
    sweep_lengths=(32, 64),
    sweep_texts=(1, 2),
    point_s=0.02,
    repeats=3,
    calls=5,
    minutes=5.0,
)
"""For a CPU, where figures mean nothing and only the way to them is looked at."""


@dataclass(frozen=True, kw_only=True)
class BenchSettings:
    """One run.

    Attributes:
        models: of the catalogue, in the order in which they are measured.
        chosen: whether the user named the models; what is too much for a default run is then done.
        catalogue: the user's own entries; None for the usual file.
        work: a folder for dummy weights and ONNX files, which are removed.
    """

    device: Device
    models: tuple[str, ...]
    arithmetics: tuple[Arithmetic, ...]
    runtimes: tuple[Runtime, ...]
    scale: Scale
    work: Path
    chosen: bool = False
    catalogue: Path | None = None
    seed: int = 12
