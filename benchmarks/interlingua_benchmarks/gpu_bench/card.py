"""The card as its driver sees it: clocks, power, memory, and what holds the clocks down.

nvidia-smi --read_card--> CardState, or None where it is not there or does not answer
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua_benchmarks.gpu_bench.settings import Device

_FIELDS = (
    "index",
    "name",
    "driver_version",
    "clocks.sm",
    "clocks.max.sm",
    "power.draw",
    "power.limit",
    "temperature.gpu",
    "memory.used",
    "memory.total",
)
# The older name, and the one that takes its place from driver 535 on.
_REASONS = ("clocks_event_reasons.active", "clocks_throttle_reasons.active")
# https://docs.nvidia.com/deploy/nvml-api/group__nvmlClocksEventReasons.html; idle (1) and the user's own clocks (2)
# are no fault of the card.
_HELD_BY = {
    0x4: "power limit",
    0x8: "hardware slowdown",
    0x10: "sync boost",
    0x20: "temperature (software)",
    0x40: "temperature (hardware)",
    0x80: "power brake",
    0x100: "display clocks",
}
_WITHIN_S = 20.0


@dataclass(frozen=True, kw_only=True)
class CardState:
    """One look at a card; what it does not tell is None.

    Attributes:
        index: as nvidia-smi counts, which need not be as CUDA does.
        held_by: what keeps the clocks below what they could be; empty for nothing, and where it is not known.
    """

    index: int
    name: str
    driver: str
    sm_mhz: float | None
    sm_max_mhz: float | None
    power_w: float | None
    power_limit_w: float | None
    temperature_c: float | None
    memory_used_mb: float | None
    memory_total_mb: float | None
    held_by: tuple[str, ...] = ()


def read_card(device: Device) -> CardState | None:
    """The state now; None for a CPU."""
    if device.kind == "cpu":
        return None
    which = _selector(device)
    said = _ask(which, ",".join(_FIELDS))
    if said is None or len(said) != len(_FIELDS):
        return None
    index = _number(said[0])
    if index is None:
        return None
    clock, most, power, limit, degrees, used, total = map(_number, said[3:])
    held_by = _held_by(which)
    return CardState(
        index=int(index),
        name=said[1],
        driver=said[2],
        sm_mhz=clock,
        sm_max_mhz=most,
        power_w=power,
        power_limit_w=limit,
        temperature_c=degrees,
        memory_used_mb=used,
        memory_total_mb=total,
        held_by=held_by,
    )


def under_load(load: Callable[[], object], device: Device) -> CardState | None:
    """The state while `load`, which ends when the card has done its work, runs again and again."""
    if device.kind == "cpu":
        return None
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(read_card, device)
        while not asked.done():
            load()
        return asked.result()


def _held_by(which: str) -> tuple[str, ...]:
    for field in _REASONS:
        if said := _ask(which, field):
            try:
                bits = int(said[0], 16)
            except ValueError:
                continue
            return tuple(name for bit, name in _HELD_BY.items() if bits & bit)
    return ()


def _selector(device: Device) -> str:
    """What nvidia-smi calls the card: CUDA may count in another order, and show only some."""
    try:
        import torch

        return f"GPU-{torch.cuda.get_device_properties(device.index).uuid}"
    except (ImportError, AssertionError, AttributeError, RuntimeError):  # no torch, or one without CUDA
        shown = [part.strip() for part in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if part.strip()]
        return shown[device.index] if device.index < len(shown) else str(device.index)


def _ask(which: str, fields: str) -> list[str] | None:
    command = ["nvidia-smi", f"--id={which}", f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_WITHIN_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return [part.strip() for part in done.stdout.strip().split(",")]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:  # "[N/A]"
        return None
