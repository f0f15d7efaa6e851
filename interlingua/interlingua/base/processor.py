"""The CPU that this process runs on: its name, and which instructions decide how fast and how exactly it multiplies.

/proc/cpuinfo --this_processor--> Processor --> "AMD EPYC (AVX2)" beside a figure, saturates for int8
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

_X86 = ("x86_64", "amd64", "i686")
_NAMED = (
    ("AVX2", ("avx2",)),
    ("AVX-512", ("avx512f",)),
    ("VNNI", ("avx512_vnni", "avx_vnni")),
    ("bf16", ("avx512_bf16", "bf16")),
    ("AMX", ("amx_int8",)),
    ("dotprod", ("asimddp",)),
    ("i8mm", ("i8mm",)),
)


@dataclass(frozen=True)
class Processor:
    """A CPU as its operating system describes it.

    Attributes:
        model: its name, as for people.
        machine: the architecture, as `uname -m` has it.
        flags: what Linux calls its features; empty where that is unknown.
    """

    model: str
    machine: str
    flags: frozenset[str]

    @property
    def features(self) -> str:
        """The instructions that matter to figures, as in "AVX2, AVX-512, VNNI"; "" where none is known."""
        return ", ".join(name for name, flags in _NAMED if not self.flags.isdisjoint(flags))

    @property
    def saturates(self) -> bool:
        """Whether sums of two uint8 x int8 products are cut to 16 bits.

        ONNX Runtime multiplies so with VPMADDUBSW, on every x86 CPU without VNNI (onnxruntime/core/mlas/lib); Arm's
        UDOT and UMLAL add in 32 bits.
        """
        return self.machine.lower() in _X86 and self.flags.isdisjoint(("avx512_vnni", "avx_vnni"))

    def __str__(self) -> str:
        return f"{self.model} ({self.features})" if self.features else self.model


def this_processor(facts: Path = Path("/proc/cpuinfo")) -> Processor:
    """The first CPU that Linux lists; elsewhere what Python knows of it."""
    try:
        lines = facts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    pairs = (line.partition(":") for line in reversed(lines))
    stated = {name.strip(): value.strip() for name, _, value in pairs}
    model = stated.get("model name") or platform.processor() or platform.machine()
    flags = f"{stated.get('flags', '')} {stated.get('Features', '')}"
    return Processor(model, platform.machine(), frozenset(flags.split()))
