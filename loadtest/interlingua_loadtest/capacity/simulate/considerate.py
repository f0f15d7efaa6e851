"""Interactive before bulk, simulated: the services' own rule (interlingua/served/text/precedence.py) on all batches.

    batches begin and end --> TrafficView of a bulk batch --may_start--> its next call, or it is asked again later

The services look every two milliseconds; here a look follows at once on what changes the answer.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from interlingua.served.text.precedence import PAUSE_S, PRESENT_S, RECENT_S, TrafficView, may_start

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.simulate.client_requests import Later
    from interlingua_loadtest.capacity.simulate.stations import Batch, Network, Service


class SimulatedTraffic:
    """Who works for somebody that waits, and who does bulk work."""

    def __init__(self, later: Later) -> None:
        self._later = later
        self._interactive: dict[Batch, float] = {}  # when each began
        self._seen = -math.inf
        self._bulk: dict[Network, list[Batch]] = {}
        self._paused: dict[Batch, Service] = {}

    def begin(self, now: float, batch: Batch, network: Network) -> None:
        """A batch goes to the network."""
        if batch.bulk:
            batch.idle_since = now
            self._bulk.setdefault(network, []).append(batch)
        else:
            self._interactive[batch] = now

    def end(self, now: float, batch: Batch, network: Network) -> None:
        """All its calls are back; whoever held back for it goes on."""
        if batch.bulk:
            self._bulk[network].remove(batch)
            self._paused.pop(batch, None)
        else:
            del self._interactive[batch]
            self._seen = now
        for paused, service in list(self._paused.items()):
            self._ask_again(now, (paused, service))

    def looked(self, now: float, batch: Batch, service: Service, network: Network) -> TrafficView | None:
        """The view of a bulk batch that may make its next call; if not, its service is asked to send it later."""
        view = self.view(now, batch, network)
        idle_s = 0.0 if batch.left else now - batch.idle_since
        # What was due at a moment is due there, although the sum of two floats may lie before it.
        if may_start(view, service.limits, under_way=batch.left, idle_s=idle_s + 1e-9):
            return view
        if view.recent and batch not in self._paused:
            self._paused[batch] = service
            if not batch.left:
                self._later(max(batch.idle_since + PAUSE_S, now), self._ask_again, (batch, service))
        return None

    def view(self, now: float, batch: Batch, network: Network) -> TrafficView:
        """What the batch's process would see."""
        present = any(began > now - PRESENT_S for began in self._interactive.values())
        recent = bool(self._interactive) or self._seen > now - RECENT_S
        workers = self._bulk[network]
        place = workers.index(batch)
        return TrafficView.at(now, recent=recent, present=present, workers=len(workers), place=place)

    def _ask_again(self, now: float, what: tuple[Batch, Service]) -> None:
        batch, service = what
        if self._paused.pop(batch, None) is not None:
            service.send_waiting(now, batch)
