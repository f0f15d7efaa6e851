"""A checkpoint's network in a precision, in a folder.

Checkpoint --ONNX (, fused)--> fp32 network --rounded per token | halved around fp32 islands--> network
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.served.kinds import EXACT_BITS, WeightBits
from interlingua_exporter.precision.trade import folder_bytes, texts_per_second

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua.served.kinds import Precision
    from interlingua_exporter.graphs.checkpoint import Checkpoint


@dataclass(frozen=True)
class Build:
    """A network, and what was on the way to it.

    Attributes:
        network: the folder with model.onnx and its data.
        full_bytes: of the fp32 network's files.
        full_speed: texts a second of the fp32 network; None where it was not measured.
        fused: fused operators by kind.
        notes: what the user should know of the precision.
    """

    network: Path
    full_bytes: int
    full_speed: float | None
    fused: dict[str, int]
    notes: tuple[str, ...]


def build(
    checkpoint: Checkpoint,
    precision: Precision,
    folder: Path,
    *,
    fuse: bool = False,
    threads: int = 1,
    timed: bool = False,
    weight_bits: WeightBits = EXACT_BITS,
) -> Build:
    """Write a network into a new folder inside `folder`.

    Args:
        timed: whether the fp32 network's speed is measured before it goes.
        weight_bits: of the matrices of an int8 network's products.

    Raises:
        ExportError: torch cannot export it, a weight or an activation is out of range, or nothing can be fused.
    """
    network = folder / ".network"
    full = network if precision == "fp32" else folder / ".fp32"
    fused = write_full(checkpoint, full, fuse=fuse)
    size, speed = folder_bytes(full), speed_of(checkpoint, full, threads) if timed else None
    if precision == "fp32":
        return Build(network, size, speed, fused, ())
    notes = convert(checkpoint, full, precision, network, threads, weight_bits)
    shutil.rmtree(full)
    return Build(network, size, speed, fused, notes)


def write_full(checkpoint: Checkpoint, folder: Path, *, fuse: bool = False) -> dict[str, int]:
    """The fp32 network in a new folder; the fused operators."""
    from interlingua_exporter.graphs.onnx.fusion import fuse_network, require_known
    from interlingua_exporter.graphs.onnx.onnx_graph import export_onnx

    folder.mkdir()
    if not fuse:
        export_onnx(checkpoint, folder)
        return {}
    require_known(checkpoint)
    plain = folder.with_name(f"{folder.name}-plain")
    plain.mkdir()
    fused = fuse_network(checkpoint, export_onnx(checkpoint, plain), folder)
    shutil.rmtree(plain)
    return fused


def convert(
    checkpoint: Checkpoint,
    full: Path,
    precision: Precision,
    folder: Path,
    threads: int,
    weight_bits: WeightBits = EXACT_BITS,
) -> tuple[str, ...]:
    """The fp32 network of one folder in another precision, in a new folder; notes. Raises as `build`."""
    from interlingua.served.graph_names import MODEL_FILE
    from interlingua_exporter.precision.activation_range import check_range
    from interlingua_exporter.precision.half_precision import halve_network
    from interlingua_exporter.precision.quantization import quantize_network

    source = full / MODEL_FILE
    folder.mkdir()
    notes: list[str] = []
    match precision:
        case "int8":
            quantize_network(source, folder, weight_bits)
            if weight_bits != EXACT_BITS:
                notes.append("int8 with weights of 8 bits: wrong on x86 CPUs without VNNI, where `serve` refuses it")
        case "fp16" | "bf16":
            halved = halve_network(source, folder, precision)
            kept = ", ".join(f"{count} of {reason}" for reason, count in sorted(halved.full.items()))
            notes.append(f"{halved.half} nodes in {precision}; in fp32: {kept}")
            if precision == "fp16":
                notes.append(check_range(checkpoint, source, precision, threads).describe())
    return tuple(notes)


def speed_of(checkpoint: Checkpoint, folder: Path, threads: int) -> float:
    """Texts a second of the network in a folder, as it is, on this CPU. Raises ExportError: it does not load."""
    from interlingua.served.graph_names import MODEL_FILE
    from interlingua_exporter.graphs.onnx.onnx_session import OnnxSession

    return texts_per_second(checkpoint, OnnxSession(folder / MODEL_FILE, threads=threads, emulate=False))
