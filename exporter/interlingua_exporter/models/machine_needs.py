"""What one catalogue entry needs on this machine: memory, disk, packages, network.

ModelSpec, Machine, folder to publish in --needs--> sentences of `interlingua models show`
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_exporter.models.export_needs import ExportNeed, ExportPlan, export_need, gigabytes, shortages
from interlingua_exporter.models.exportable import runtime_of
from interlingua_exporter.models.memory_need import download_bytes, memory_need
from interlingua_exporter.models.spec import ArchiveSource, DeltaSource, FolderSource, HubSource
from interlingua_exporter.models.stored_weights import of_entry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interlingua_exporter.models.spec import ModelSpec
    from interlingua_exporter.models.stored_weights import StoredWeights
    from interlingua_exporter.models.this_machine import Machine


def needs(spec: ModelSpec, machine: Machine, repository: Path) -> Iterator[str]:
    """Sentences on memory, disk, packages and network, against what is here."""
    weights, serving = of_entry(spec), memory_need(spec, "fp32")
    if weights and serving:
        yield from _exporting(spec, weights, machine, repository)
        total = serving.total * machine.cores
        yield (
            f"memory to serve: {gigabytes(serving.total)} for an instance in fp32, {gigabytes(total)} for the "
            f"{machine.cores} that export plans here (one a core; --instances){_short(total, machine.memory)}"
        )
    else:
        yield "memory and disk: not known, for the entry does not state the network"
    yield f"packages: {_packages(spec)}"
    yield f"network: {_network(spec)}"


def _exporting(spec: ModelSpec, weights: StoredWeights, machine: Machine, repository: Path) -> Iterator[str]:
    """What `interlingua export` would say, in fp32 and in the precision that takes the most disk."""
    torch = runtime_of(spec) == "torch"
    plans = {name: ExportPlan((name,), repository, torch=torch) for name in spec.precisions}
    made = {name: export_need(weights, plan) for name, plan in plans.items()}
    most = max(made, key=lambda name: (made[name].memory, made[name].disk_size))
    for name in dict.fromkeys(("fp32" if "fp32" in made else most, most)):
        lacks = shortages(made[name], machine)
        short = f" - NOT ENOUGH: {'; '.join(lacks)}" if lacks else ""
        yield f"to export in {name}: {gigabytes(made[name].memory)} of memory, disk {_disk(made[name])}{short}"
    yield f"free: {gigabytes(machine.memory)} of memory, {gigabytes(machine.disk(repository))} in the model repository"


def _disk(need: ExportNeed) -> str:
    return ", ".join(f"{gigabytes(place.size)} for {place.what.removesuffix(' in')}" for place in need.disk)


def _short(wanted: int, free: int) -> str:
    return " - NOT ENOUGH" if wanted > free else ""


def _packages(spec: ModelSpec) -> str:
    from interlingua.base.extras import require

    missing = [name for name in spec.packages if importlib.util.find_spec(name) is None]
    own = f"; its own code imports {', '.join(missing)}, not installed" if missing else ""
    try:
        require("export")
    except InputError as error:
        return f"{error}{own}"
    return f"what export needs is installed{own}"


def _network(spec: ModelSpec) -> str:
    match spec.source:
        case HubSource():
            at = f"commit {spec.revision}" if spec.revision else "the default branch: pin a commit by its revision"
            login = "; it asks for a login and an accepted licence" if spec.gated else ""
            return f"{gigabytes(download_bytes(spec))} from huggingface.co/{spec.source.id}, {at}{login}"
        case FolderSource():
            there = "is there" if spec.source.path.is_dir() else "is NOT THERE"
            return f"none; the folder {spec.source.path} {there}"
        case ArchiveSource() | DeltaSource():
            return "pinned archives from PyPI, once (interlingua/base/archives.py)"
