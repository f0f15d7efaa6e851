"""What an export takes, and whether it is there: memory, and disk in every place that it writes to.

StoredWeights, ExportPlan --export_need--> ExportNeed --shortages(Machine)--> sentences --require_room--> InputError

    W = 4 bytes a parameter, T = the largest tensor in fp32, A = activations of the gate's largest batch
    memory   0.6 GB (torch, transformers, ONNX Runtime) + the larger of
             2 W + T + A   torch's weights beside those of a session (mapped or copied), and the gate
             2 W + 3 T     a tensor that is read, scaled and rounded, in int8, fp16 and bf16
             3 W           ONNX Runtime's fusions, which hold the whole graph twice
             for --runtime torch the first line: the weights that were read beside those that are gated
    disk     W for the fp32 network, and beside it the converted one, or the one before fusion
             W for temporary files where a half precision is gated (in fp32, rounded), W for a dummy's folder

Measured as peak resident memory, the mapped files' pages included: 2.1 GB in fp32, 2.4 in int8 and 2.7 in fp16 for the
default embedder (W 0.47 GB, T 0.38, texts of 512 tokens), 1.9 for its fusion; 2.7, 4.0 and 3.5 for an XLM-R base (W
1.11 GB, T 0.77, texts of 256 tokens). The rule gives 2.1, 2.7, 2.7 and 2.1; 3.7, 5.1 and 5.1. Pages of mapped files can
be dropped, so an export may just do with less: --ignore-limits tries.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_exporter.models.memory_need import GIGABYTE, WEIGHT_BYTES
from interlingua_exporter.models.this_machine import Machine, device, hub_cache, hub_cached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua.served.kinds import Precision
    from interlingua_exporter.models.stored_weights import StoredWeights

_LIBRARIES = 600_000_000
_HALVES = ("fp16", "bf16")


@dataclass(frozen=True)
class ExportPlan:
    """What an export is to do.

    Attributes:
        precisions: that it makes, one after the other.
        repository: where it publishes; None for a comparison, which works among temporary files alone.
        fuse: whether operators are fused.
        dummy: whether the weights are made up, in a temporary folder.
        torch: whether torch itself is to serve it: the weights are copied, in the precision, and there is no graph.
    """

    precisions: tuple[Precision, ...]
    repository: Path | None
    fuse: bool = False
    dummy: bool = False
    torch: bool = False


@dataclass(frozen=True)
class DiskNeed:
    """Bytes in one place."""

    what: str
    folder: Path
    size: int


@dataclass(frozen=True)
class ExportNeed:
    """Bytes of memory, and of disk by place."""

    memory: int
    disk: tuple[DiskNeed, ...]

    @property
    def disk_size(self) -> int:
        """In all places together."""
        return sum(place.size for place in self.disk)


def export_need(weights: StoredWeights, plan: ExportPlan) -> ExportNeed:
    """What the weights and the plan come to, by the rule above; a download counts without what the cache has of it."""
    full, largest = weights.full_bytes, weights.largest * WEIGHT_BYTES["fp32"]
    converted = not plan.torch and any(name != "fp32" for name in plan.precisions)
    memory = [2 * full + largest + weights.activations, 2 * full + 3 * largest * converted, 3 * full * plan.fuse]
    return ExportNeed(_LIBRARIES + max(memory), tuple(place for place in _places(weights, plan) if place.size))


def shortages(need: ExportNeed, machine: Machine) -> tuple[str, ...]:
    """What there is too little of, in words: need, free and the mend."""
    found = []
    if need.memory > machine.memory:
        found.append(
            f"{gigabytes(need.memory)} of memory and {gigabytes(machine.memory)} are free (end other programs, or take "
            "a smaller model)"
        )
    for places in _by_device(need.disk):
        size, free = sum(place.size for place in places), machine.disk(places[0].folder)
        if size > free:
            named = ", ".join(f"{place.what} {place.folder}" for place in places)
            found.append(
                f"{gigabytes(size)} of disk for {named} and {gigabytes(free)} are free there (make room, or move them: "
                "--model-repository, TMPDIR, HF_HOME)"
            )
    return tuple(found)


def require_room(name: str, weights: StoredWeights | None, plan: ExportPlan, machine: Machine) -> None:
    """Raises InputError where memory or disk are too small; weights of unknown size pass.

    Args:
        name: the model's, for the message.
    """
    if weights is None:
        return
    if found := shortages(export_need(weights, plan), machine):
        raise InputError(
            f"exporting {name} in {', '.join(plan.precisions)} needs {'; and '.join(found)}. Nothing was fetched or "
            "written; --ignore-limits tries all the same"
        )


def gigabytes(count: int) -> str:
    """5.1 GB; with two digits below 1."""
    return f"{count / GIGABYTE:.1f} GB" if count >= GIGABYTE else f"{count / GIGABYTE:.2f} GB"


def _places(weights: StoredWeights, plan: ExportPlan) -> Iterator[DiskNeed]:
    full, network = weights.full_bytes, _network_bytes(weights, plan)
    emulated = full * any(name in _HALVES and not plan.torch for name in plan.precisions)
    temporary = emulated + full * plan.dummy + network * (plan.repository is None)
    if plan.repository is not None:
        yield DiskNeed("the model repository", plan.repository, network)
    yield DiskNeed("temporary files in", Path(tempfile.gettempdir()), temporary)
    if weights.download and not plan.dummy:
        left = weights.download - hub_cached(weights.hub_id)
        yield DiskNeed("the Hub's cache", hub_cache(), max(left, 0))


def _network_bytes(weights: StoredWeights, plan: ExportPlan) -> int:
    """At the most at a time: the fp32 network and the largest that is made of it, or torch's copy."""
    sizes = [weights.parameters * WEIGHT_BYTES[name] for name in plan.precisions if plan.torch or name != "fp32"]
    if plan.torch:
        return max(sizes, default=0)
    return weights.full_bytes + max([*sizes, weights.full_bytes * plan.fuse])


def _by_device(places: tuple[DiskNeed, ...]) -> list[list[DiskNeed]]:
    """Places that share a file system share its room."""
    found: dict[int, list[DiskNeed]] = {}
    for place in places:
        found.setdefault(device(place.folder), []).append(place)
    return list(found.values())
