"""The kinds of a network: what it is for, in which formats its numbers are, and on what it runs."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["embedder", "reranker"]
Device = Literal["cpu", "gpu"]
Precision = Literal["fp32", "fp16", "bf16", "int8"]
WeightBits = Literal[7, 8]  # of the matrices of int8 products, sign included
EXACT_BITS: WeightBits = 7  # products with so many are exact on every CPU (exporter: graphs/onnx/saturation.py)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
