"""The kinds of machine that a plan is made for.

profile.json | a card's name --> Hardware: its profile, and the server that the repository makes on it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_loadtest.capacity.profile.gpu_profile import ASSUMPTIONS, Card, card, gpu_layout, gpu_profile
from interlingua_loadtest.capacity.profile.hardware_profile import HardwareProfile
from interlingua_loadtest.capacity.profile.server_layout import ServerLayout

if TYPE_CHECKING:
    from interlingua.repository.published import Published
    from interlingua_loadtest.capacity.profile.server_layout import NetworkLayout


@dataclass(frozen=True)
class Hardware:
    """One of them.

    Attributes:
        layout: a replica, as it is exported.
        card: of an estimated GPU.
    """

    profile: HardwareProfile
    layout: ServerLayout
    card: Card | None = None

    @property
    def name(self) -> str:
        """For people, and for prices."""
        return self.profile.name

    @property
    def is_measured(self) -> bool:
        """Whether its service times were."""
        return self.profile.origin == "measured"

    @property
    def described(self) -> str:
        """In a few words."""
        facts = self.profile.hardware
        if self.card:
            return f"{self.card.name}, {self.card.memory_gb:g} GB, from its datasheet"
        return ", ".join([facts.get("cpu", "a machine"), f"{self.profile.cores} cores"])


def hardware(published: Published, profiles: Sequence[Path], gpus: Sequence[str]) -> list[Hardware]:
    """All that were named.

    Raises:
        InputError: nothing was named, a profile does not fit the repository, a card is not known, or two have one name.
    """
    measured = [HardwareProfile.read(path) for path in profiles]
    found = [Hardware(profile, ServerLayout.of(published, profile)) for profile in measured]
    beside = next((profile for profile in measured if profile.origin == "measured"), None)
    for name in gpus:
        on = card(name)
        profile = gpu_profile(on, published, beside)
        found.append(Hardware(profile, gpu_layout(published, profile), on))
    names = [one.name for one in found]
    if not found:
        raise InputError("no hardware was named: give --profile FILE (made by `interlingua calibrate`), or --gpu NAME")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{', '.join(twice)}: two profiles have this name; calibrate one of them under another")
    return found


def assumptions_of(hardware: Hardware) -> tuple[str, ...]:
    """What an estimated one rests on."""
    if hardware.card is None:
        return ()
    rate = _arithmetic(hardware.card, next(iter(hardware.layout.networks.values())))
    return (f"{hardware.card.name}: {rate}, as stated in: {hardware.card.source}, {hardware.card.url}", *ASSUMPTIONS)


def _arithmetic(on: Card, network: NetworkLayout) -> str:
    name = on.arithmetic(network.time.precision)
    return f"{on.tflops[name]:g} TFLOP/s in {name}, {on.bandwidth_gb_s:g} GB/s"
