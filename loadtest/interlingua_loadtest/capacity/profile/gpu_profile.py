"""Service times of a GPU that nobody measured, from its datasheet and the network's own size.

    gpu_profiles.toml --> Card;  model.onnx --> NetworkSize;  both + ASSUMPTIONS --> HardwareProfile (origin: estimated)

    seconds = call + weights' bytes / bandwidth + 2 x weights x padded / (rate x utilisation)
              + 4 x layers x heads x head width x padded x longest / (rate x attention utilisation)
    padded  = texts x longest

The second term is what reading all weights once takes. Everything that is not in a datasheet or in the ONNX file is an
assumption and stands here, once; a plan prints them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.served.limits import GPU_BATCH_TOKENS
from interlingua_loadtest.capacity.profile.hardware_profile import HardwareProfile
from interlingua_loadtest.capacity.profile.measured_network import SERVICES
from interlingua_loadtest.capacity.profile.network_size import NetworkSize, network_size
from interlingua_loadtest.capacity.profile.server_layout import ServerLayout, TextCost
from interlingua_loadtest.capacity.profile.service_time import ServiceTimeModel

if TYPE_CHECKING:
    from interlingua.repository.published import Published, PublishedVersion
    from interlingua_loadtest.capacity.profile.server_layout import NetworkLayout, ServiceLayout

CARDS = Path(__file__).with_name("gpu_profiles.toml")
DEVICE = "gpu"

CALL_S = 1e-3
"""A call through Triton, its copies to the card and back."""
LAYER_S = 60e-6
"""Launching a layer's kernels: about a dozen, 5 microseconds each."""
UTILISATION = 0.35
"""Share of the peak rate that matrix products of such sizes reach."""
ATTENTION_UTILISATION = 0.1
"""The same of the attention, whose products are small and whose softmax waits for memory."""
WEIGHT_BYTES = 4
"""Of a weight on the card, as fp32 (tf32 is stored so, too)."""
CORES = 8
"""Of the CPU beside the card: it tokenizes."""
TEXT = TextCost(batch_s=5e-4, text_s=2e-5, token_s=2e-6)
"""Of tokenizing on one of those cores, where no measured profile says better."""
CONTEXT_MIB = 600
"""Of the card's memory, taken by CUDA and its libraries."""

ASSUMPTIONS = (
    f"a call takes {1e3 * CALL_S:g} ms and {1e6 * LAYER_S:g} microseconds a layer besides its arithmetic",
    f"matrix products reach {UTILISATION:.0%} of the datasheet's rate, attention {ATTENTION_UTILISATION:.0%}",
    "the network runs in fp32, its products in tf32 where the card has it, unless it is published in fp16 or bf16; "
    "an int8 export is made for CPUs and would be exported again",
    f"a call holds up to {GPU_BATCH_TOKENS} padded tokens, the default of `interlingua export --kind gpu`",
    f"the card sits beside {CORES} CPU cores, which tokenize",
)


@dataclass(frozen=True, kw_only=True)
class Card:
    """A GPU's datasheet.

    Attributes:
        tflops: peak rate of dense matrix products by arithmetic (fp16, bf16, tf32, fp32), in TFLOP/s.
        memory_gb, bandwidth_gb_s: as stated.
        source, url: whose statement that is.
    """

    name: str
    tflops: Mapping[str, float]
    memory_gb: float
    bandwidth_gb_s: float
    source: str
    url: str

    def arithmetic(self, precision: str) -> str:
        """What a network published in that precision is computed in."""
        wanted = (precision, "fp16", "fp32") if precision in ("fp16", "bf16") else ("tf32", "fp32")
        return next(name for name in wanted if name in self.tflops)


@cache
def cards() -> Mapping[str, Card]:
    """All that are known, by name."""
    raw = tomllib.loads(CARDS.read_text(encoding="utf-8"))
    return {name: _card(name, entry) for name, entry in raw.items()}


def card(name: str) -> Card:
    """One of them, whatever its letters' case. Raises InputError: there is none of that name."""
    for known, found in cards().items():
        if known.lower() == name.lower():
            return found
    raise InputError(f"there is no GPU {name!r} in {CARDS.name}, it has {', '.join(cards())}")


def _card(name: str, entry: Mapping[str, Any]) -> Card:
    rates = {key: float(entry[key]) for key in ("fp16", "bf16", "tf32", "fp32") if key in entry}
    return Card(
        name=name,
        tflops=rates,
        memory_gb=entry["memory_gb"],
        bandwidth_gb_s=entry["bandwidth_gb_s"],
        source=entry["source"],
        url=entry["url"],
    )


def estimated_time(size: NetworkSize, on: Card, network: str, precision: str, threads: int) -> ServiceTimeModel:
    """The formula above, for one network."""
    flops = 1e12 * on.tflops[on.arithmetic(precision)]
    read_s = WEIGHT_BYTES * size.weights / (1e9 * on.bandwidth_gb_s)
    return ServiceTimeModel(
        network=network,
        precision=precision,
        threads=threads,
        call_s=CALL_S + LAYER_S * size.layers + read_s,
        token_s=size.token_flop / (flops * UTILISATION),
        attention_s=size.attention_flop / (flops * ATTENTION_UTILISATION),
    )


def gpu_profile(on: Card, published: Published, beside: HardwareProfile | None = None) -> HardwareProfile:
    """Estimated service times of the repository's networks.

    Args:
        beside: a measured profile, for what happens on the CPU; None: `TEXT`, and nothing of Triton's own.

    Raises:
        InputError: the repository holds no network, or one whose ONNX file cannot be read.
    """
    networks = [_network(found, on) for found in published.newest_versions()]
    if not networks:
        raise InputError(f"{published.root} holds no network: run `interlingua export` first")
    hardware = {"gpu": on.name, "source": on.source, "url": on.url, "cores": str(CORES)}
    if beside is None:
        return HardwareProfile(
            name=on.name, origin="estimated", hardware=hardware, networks=tuple(networks), text=TEXT, cores=CORES
        )
    # What a call costs besides the network is CALL_S here: another backend runs it.
    server = {name: replace(costs, call_s=0.0, handover_s=0.0) for name, costs in beside.server.items()}
    memory = {name: mib for name, mib in beside.memory_mb.items() if not name.startswith(tuple(SERVICES))}
    return HardwareProfile(
        name=on.name,
        origin="estimated",
        hardware=hardware,
        networks=tuple(networks),
        text=beside.text,
        cores=CORES,
        server=server,
        memory_mb=memory,
    )


def _network(found: PublishedVersion, on: Card) -> ServiceTimeModel:
    return estimated_time(network_size(found.folder), on, found.network.name, found.precision, found.network.threads)


def gpu_layout(published: Published, profile: HardwareProfile) -> ServerLayout:
    """The repository's server with its networks on the card, an instance each where they were exported for CPUs."""
    layout = ServerLayout.of(published, profile)
    moved = {name for name, network in layout.networks.items() if network.device != DEVICE}
    networks = {name: _on_card(network) if name in moved else network for name, network in layout.networks.items()}
    services = {
        name: _for_card(service) if service.network in moved else service for name, service in layout.services.items()
    }
    return replace(layout, networks=networks, services=services)


def _on_card(network: NetworkLayout) -> NetworkLayout:
    return replace(network, instances=1, device=DEVICE)


def _for_card(service: ServiceLayout) -> ServiceLayout:
    """One call at the card and one that waits, as an export for GPUs has it."""
    return replace(service, outstanding_calls=2, max_batch_tokens=max(service.max_batch_tokens, GPU_BATCH_TOKENS))
