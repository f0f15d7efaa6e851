"""Short runs against a server of one's own, as the totals that its costs are fitted to.

model repository --started, 1, 8, 32 callers--> RunFolder --CPU, counts--> MeasuredRun
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError
from interlingua_loadtest.capacity.profile.measured_network import SERVICES
from interlingua_loadtest.capacity.profile.server_costs import MeasuredRun
from interlingua_loadtest.record.run_folder import RunFolder
from interlingua_loadtest.run.triton_statistics import ModelCounts, counters, difference
from interlingua_loadtest.traffic.run_settings import RunSettings

if TYPE_CHECKING:
    from interlingua.repository.published import Published
    from interlingua_loadtest.record.request_columns import Processes
    from interlingua_loadtest.run.target import Target

_ALONE, _SOME, _CROWD = 1, 8, 32  # callers
_SKIPPED_S = 2.0  # at the beginning of a run
_SETTINGS = RunSettings(dataset="helpdesk12", grace_s=5.0)


@dataclass(frozen=True)
class LiveRuns:
    """What was measured on one server.

    Attributes:
        alone, crowd: by service.
        settings: what each service was asked.
        loops: answers a second, by service and number of callers, where these were several.
        memory_mb: of each of the server's processes, the most it had, shared pages divided among their users.
    """

    alone: Mapping[str, MeasuredRun]
    crowd: Mapping[str, MeasuredRun]
    settings: Mapping[str, RunSettings]
    loops: Mapping[str, Mapping[int, float]]
    memory_mb: Mapping[str, float]


def measure_server(published: Published, seconds: float, on_step: Callable[[str], None]) -> LiveRuns:
    """Start it, ask it, stop it.

    Args:
        seconds: of each run; there are three a service.

    Raises:
        ServerError: it does not start.
        InputError: a run was void, say because something else had the cores.
    """
    from interlingua_loadtest.run import target

    kinds = [SERVICES[found.network.name] for found in published.newest_versions()]
    settings = {kind: replace(_SETTINGS, kinds=f"{kind}=1", depth="1", seconds=_SKIPPED_S + seconds) for kind in kinds}
    runs: dict[tuple[str, int], MeasuredRun] = {}
    memory: dict[str, float] = {}
    with target.started(published.root) as server, tempfile.TemporaryDirectory() as folder:
        for kind, callers in product(kinds, (_ALONE, _SOME, _CROWD)):
            on_step(f"asking {kind}: {callers} caller{'s' if callers > 1 else ''}")
            run = _run(replace(settings[kind], concurrency=callers), server, Path(folder) / f"{kind}-{callers}")
            runs[kind, callers] = measured(run, kind)
            memory = _memory(run.processes(), memory)
    return LiveRuns(
        alone={kind: runs[kind, _ALONE] for kind in kinds},
        crowd={kind: runs[kind, _CROWD] for kind in kinds},
        settings=settings,
        loops={
            kind: {callers: runs[kind, callers].requests / seconds for callers in (_SOME, _CROWD)} for kind in kinds
        },
        memory_mb=memory,
    )


def _run(settings: RunSettings, server: Target, out: Path) -> RunFolder:
    from interlingua_loadtest.run.drive import drive

    result = drive(settings, server, out)
    if result.interrupted:
        raise KeyboardInterrupt
    return RunFolder(out)


def measured(run: RunFolder, kind: str) -> MeasuredRun:
    """The totals of a run that asked one service alone. Raises InputError: nothing was answered."""
    requests, processes = run.requests(), run.processes()
    end = float(run.settings["seconds"])
    kept = requests.where(requests.answered & (requests.sent_s >= _SKIPPED_S) & (requests.finished_s <= end))
    counts = {count.model: count for count in difference(run.read_json("triton-before"), run.read_json("triton-after"))}
    network = next(name for name, service in SERVICES.items() if service == kind)
    if not len(kept) or kind not in counts or network not in counts:
        raise InputError(f"{run.path}: the server answered no {kind}: see its log")
    # Triton counted the whole run; the processes are looked at where it was under way.
    share = len(kept) / max(counts[kind].requests, 1)
    cpu = _cpu(processes, end)
    return MeasuredRun(
        requests=len(kept),
        batches=share * counts[kind].executions,
        texts=share * counts[kind].inferences,
        tokens=share * _counted(counts[kind], "tokens"),
        calls=share * counts[network].executions,
        client_s=cpu("generator"),
        triton_s=cpu("server:tritonserver"),
        service_s=cpu(f"server:{kind}_"),
        network_s=cpu(f"server:{network}_"),
        compute_s=float(np.median(kept.compute_s)),
        latency_s=float(np.median(kept.service_s)),
        stages_s=float(np.median(kept.tokenize_s + kept.compute_s)),
        cut_call_s=_gauge(run, kind, "call"),
        cut_token_s=_gauge(run, kind, "token"),
    )


def _counted(counts: ModelCounts, name: str) -> float:
    return float(counts.counters[f"interlingua_{name}_total"])


def _gauge(run: RunFolder, kind: str, name: str) -> float:
    """The gauge of the newest version that has it; 0 without a metrics page."""
    values = counters(run.read_json("triton-after")["metrics"])
    found = {key[2]: value for key, value in values.items() if key[:2] == (f"interlingua_network_{name}_seconds", kind)}
    return found[max(found, key=int)] if found else 0.0


def _cpu(processes: Processes, end: float) -> Callable[[str], float]:
    """Seconds of CPU of the processes whose names begin so, while the run was under way."""
    during = processes.where((processes.time_s >= _SKIPPED_S) & (processes.time_s <= end))
    seconds = end - _SKIPPED_S

    def used(beginning: str) -> float:
        mine = during.where(np.char.startswith(during.name, beginning))
        shares = [float(np.nanmean(mine.cpu_share[mine.pid == pid])) for pid in np.unique(mine.pid)]
        return sum(shares) * seconds

    return used


def _memory(processes: Processes, known: Mapping[str, float]) -> dict[str, float]:
    found = dict(known)
    for name in np.unique(processes.name).tolist():
        if name.startswith("server:"):
            most = np.nanmax(np.append(processes.pss_mb[processes.name == name], 0.0))
            key = name.removeprefix("server:")
            found[key] = max(found.get(key, 0.0), float(most))
    return found
