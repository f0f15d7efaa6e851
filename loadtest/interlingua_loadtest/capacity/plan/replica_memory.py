"""What memory a replica takes: its processes as measured, or from the files they load.

HardwareProfile.memory_mb, layout, Published --> MemoryPart ... --> Memory
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from interlingua.base.errors import InputError
from interlingua_loadtest.capacity.profile.gpu_profile import CONTEXT_MIB, WEIGHT_BYTES
from interlingua_loadtest.capacity.profile.network_size import network_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interlingua.repository.published import Published, PublishedVersion
    from interlingua_loadtest.capacity.plan.hardware import Hardware
    from interlingua_loadtest.capacity.profile.server_layout import ServerLayout

SERVER = "tritonserver"
SERVER_MIB = 150.0
"""Of Triton itself, where it was not measured."""
PROCESS_MIB = 60.0
"""Of a process beside what it loads: Python, numpy, ONNX Runtime."""
TOKENIZER_TIMES = 17.0
"""Memory of a tokenizer over its tokenizer.json (that of XLM-RoBERTa: 282 MiB of 16.3)."""
_MIB = 2**20


@dataclass(frozen=True)
class MemoryPart:
    """Processes of one kind.

    Attributes:
        mib: of one of them.
    """

    name: str
    instances: int
    mib: float
    origin: str

    @property
    def total_mib(self) -> float:
        """The memory of all instances."""
        return self.instances * self.mib


@dataclass(frozen=True)
class Memory:
    """The memory of one replica; `gpu_mib` is the card's, 0 without one."""

    DERIVED: ClassVar = ("total_mib", "is_measured")

    parts: tuple[MemoryPart, ...]
    gpu_mib: float = 0.0

    @property
    def total_mib(self) -> float:
        """The memory of the host."""
        return sum(part.total_mib for part in self.parts)

    @property
    def is_measured(self) -> bool:
        """Every part of it."""
        return all(part.origin == "measured" for part in self.parts)


def memory_of(hardware: Hardware, layout: ServerLayout, published: Published) -> Memory:
    """The memory of a replica with these instances.

    Raises:
        InputError: the card is too small, or a network's file cannot be read.
    """
    measured = hardware.profile.memory_mb
    newest = {name: found for found in published.newest_versions() for name in found.models}
    parts = [_server(measured)]
    for name, service in layout.services.items():
        tokenizer = newest[name].tokenizer(name)
        size = tokenizer.stat().st_size if tokenizer.is_file() else 0
        parts.append(_part(name, service.instances, measured, TOKENIZER_TIMES * size / _MIB))
    for name, network in layout.networks.items():
        if network.device == "cpu":
            loads_mib = network_size(newest[name].folder).file_bytes / _MIB
            parts.append(_part(name, network.instances + newest[name].network.spare, measured, loads_mib))
    return Memory(tuple(parts), _on_card(hardware, layout, newest))


def _server(measured: Mapping[str, float]) -> MemoryPart:
    known = measured.get(SERVER)
    return MemoryPart(SERVER, 1, SERVER_MIB if known is None else known, "estimated" if known is None else "measured")


def _part(name: str, instances: int, measured: Mapping[str, float], loads_mib: float) -> MemoryPart:
    known = [mib for process, mib in measured.items() if re.fullmatch(rf"{re.escape(name)}(_\d+)+", process)]
    if known:
        return MemoryPart(name, instances, sum(known) / len(known), "measured")
    return MemoryPart(name, instances, PROCESS_MIB + loads_mib, "estimated")


def _on_card(hardware: Hardware, layout: ServerLayout, newest: Mapping[str, PublishedVersion]) -> float:
    """Weights and embeddings as fp32, and CUDA's own; activations of a call are small beside them."""
    if hardware.card is None:
        return 0.0
    sizes = {name: network_size(newest[name].folder) for name in layout.networks}
    weights = sum(
        WEIGHT_BYTES * sizes[name].parameters * network.instances for name, network in layout.networks.items()
    )
    needed = CONTEXT_MIB + weights / _MIB
    if needed * _MIB > hardware.card.memory_gb * 1e9:
        raise InputError(
            f"{hardware.name} has {hardware.card.memory_gb:g} GB, the networks need about {needed / 1024:.1f} GiB: "
            "name a larger card"
        )
    return needed
