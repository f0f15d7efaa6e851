"""What was measured on one machine, as a file.

    Execution [R] --fit--> HardwareProfile <--JSON--> profile.json

A profile says how it came about: `measured` by `interlingua calibrate`, or `estimated` from other figures.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from interlingua.base.errors import InputError
from interlingua.base.plain import saved
from interlingua.base.processor import this_processor
from interlingua.base.record_file import read_record, write_record
from interlingua.served.service import EMBED_QUERY, RERANK
from interlingua_loadtest.capacity.profile.server_costs import ServiceCosts
from interlingua_loadtest.capacity.profile.server_layout import TextCost
from interlingua_loadtest.capacity.profile.service_time import ServiceTimeModel

_FORMAT = 1


@saved
@dataclass(frozen=True, kw_only=True)
class HardwareProfile:
    """Service times on one kind of machine.

    Attributes:
        name: for people.
        origin: measured, or estimated.
        hardware: what the machine is, by name ("cpu", "cores", ...).
        networks: one model for each network, precision and thread count.
        text: what tokenizing costs.
        server: what a server adds, by service; empty where none was asked.
        busy: times as long that work takes on that server while all cores are busy; 0 where none was asked.
        memory_mb: of each of that server's processes, shared pages divided among their users.
        hardware_digest: SHA-256 of `hardware`: profiles of equal machines have equal ones.
    """

    DERIVED: ClassVar = ("hardware_digest",)

    name: str
    origin: Literal["measured", "estimated"]
    hardware: Mapping[str, str]
    networks: tuple[ServiceTimeModel, ...]
    text: TextCost
    cores: int
    server: Mapping[str, ServiceCosts] = field(default_factory=dict)
    memory_mb: Mapping[str, float] = field(default_factory=dict)
    busy: float = 0.0

    @property
    def hardware_digest(self) -> str:
        return hashlib.sha256(json.dumps(dict(self.hardware), sort_keys=True).encode()).hexdigest()

    def find(self, network: str, precision: str, threads: int) -> ServiceTimeModel:
        """Raises InputError: it was not measured."""
        for model in self.networks:
            if (model.network, model.precision, model.threads) == (network, precision, threads):
                return model
        known = ", ".join(f"{model.network} {model.precision} x {model.threads}" for model in self.networks)
        raise InputError(
            f"profile {self.name} has no {network} in {precision} with {threads} threads, it has "
            f"{known or 'nothing'}: calibrate with that model repository"
        )

    def costs(self, service: str) -> ServiceCosts:
        """What a service costs, documents and sides as much as queries. Nothing where no server was asked."""
        known = self.server.get(service)
        return known or self.server.get("" if service == RERANK else EMBED_QUERY, ServiceCosts())

    def write(self, path: Path) -> None:
        """Writes it as JSON, whole or not at all. Raises InputError: it cannot be written."""
        write_record(path, self, made_format=_FORMAT)

    @classmethod
    def read(cls, path: Path) -> HardwareProfile:
        """Raises InputError: it is missing, damaged, or of another format."""
        return read_record(cls, path, what="hardware profile", made_format=_FORMAT, remedy="calibrate again")


def this_hardware() -> dict[str, str]:
    """What this machine is: processor, cores that may be used, memory, system."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": str(this_processor()),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory_gib": str(round(memory / 2**30)),
        "system": f"{platform.system()} {platform.machine()}",
    }
