"""A hardware profile, for a terminal.

HardwareProfile -> the networks' service times and how far they are off; what a server adds
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from interlingua.display.figures import ABSENT
from interlingua.display.grid import Cell, Grid, row

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.profile.hardware_profile import HardwareProfile
    from interlingua_loadtest.capacity.profile.server_costs import ServiceCosts
    from interlingua_loadtest.capacity.profile.service_time import ServiceTimeModel

_EXAMPLES = ((1, 16), (8, 64))
_COSTS = {
    "client, a request": "client_s",
    "Triton, a request": "request_s",
    "service, a batch": "batch_s",
    "service, a text": "text_s",
    "tokenizing, a token": "token_s",
    "network's process, a call": "call_s",
    "waiting, a call": "handover_s",
    "waiting, a request": "transport_s",
    "the cut: a call": "cut_call_s",
    "the cut: a padded token": "cut_token_s",
}


def profile_tables(profile: HardwareProfile) -> Iterator[Grid | str]:
    """Lines and tables."""
    machine = profile.hardware
    yield f"{profile.name}: {machine.get('cpu', '?')}, {profile.cores} cores ({profile.origin})"
    yield _networks(profile)
    if profile.server:
        yield _server(profile.server)
        yield f"all cores busy: {profile.busy:.2f} times as long"
        yield f"memory of the server's processes: {sum(profile.memory_mb.values()):,.0f} MiB"


def _networks(profile: HardwareProfile) -> Grid:
    shapes = (f"{texts} x {longest} tokens, ms" for texts, longest in _EXAMPLES)
    header = ("network", "precision", "threads", "call ms", "token us", *shapes, "off by (p50, p90)")
    rows = tuple(_network(model) for model in profile.networks)
    return Grid("", (*header, "calls at once: slower"), rows, names=2)


def _network(model: ServiceTimeModel) -> tuple[Cell, ...]:
    off = model.residuals
    return row(
        model.network,
        model.precision,
        str(model.threads),
        f"{1e3 * model.call_s:.2f}",
        f"{1e6 * model.token_s:.1f}",
        *(f"{1e3 * model.seconds(*shape):.1f}" for shape in _EXAMPLES),
        f"{off.relative_p50:.1%}, {off.relative_p90:.1%}" if off else ABSENT,
        ", ".join(f"{calls}: {factor:.2f}" for calls, factor in model.slowdown if calls > 1) or ABSENT,
    )


def _server(costs: Mapping[str, ServiceCosts]) -> Grid:
    rows = tuple(
        row(label, *(f"{1e6 * getattr(cost, name):,.1f}" for cost in costs.values())) for label, name in _COSTS.items()
    )
    return Grid("", ("microseconds that a server adds", *costs), rows)
