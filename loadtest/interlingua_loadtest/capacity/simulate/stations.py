"""Where requests wait and are worked on: services, which batch texts, and networks, which take calls.

    job --> Service: wait, batch, tokenize, cut --> calls --> Network: wait, compute --> batch is answered at once

A job is one Triton request. A service instance is taken from the start of a batch until the last of its calls is back:
`execute` of interlingua_server/backends/text/model.py returns all answers together.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from interlingua.served.text.batches import CallLimits, plan_calls
from interlingua.served.text.call_cost import CallCost, measured_cost
from interlingua.served.text.precedence import TrafficView, is_bulk, next_call
from interlingua.served.text.recent_cost import RecentCost
from interlingua_loadtest.capacity.simulate.batching import cut_batch, take

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.profile.server_layout import NetworkLayout, ServiceLayout
    from interlingua_loadtest.capacity.simulate.client_requests import Group, Later
    from interlingua_loadtest.capacity.simulate.considerate import SimulatedTraffic
    from interlingua_loadtest.capacity.simulate.cores import Cores


_NOBODY = TrafficView(recent=False, present=False, workers=0, rank=0)


@dataclass(slots=True, kw_only=True)
class Jobs:
    """All jobs of a run, by number; those of searches are added on the way."""

    tokens: list[list[int]] = field(default_factory=list)  # of each text
    total: list[int] = field(default_factory=list)  # tokens of all its texts
    texts: list[int] = field(default_factory=list)
    deadline: list[float] = field(default_factory=list)  # an instant
    group: list[Group | None] = field(default_factory=list)  # None: it is a request of its own
    batch: list[Batch | None] = field(default_factory=list)
    shed: list[bool] = field(default_factory=list)
    has_deadlines: bool = False

    def add(self, tokens: list[int], deadline: float, group: Group | None) -> int:
        """The number of a new job."""
        self.tokens.append(tokens)
        self.total.append(sum(tokens))
        self.texts.append(len(tokens))
        self.deadline.append(deadline)
        self.group.append(group)
        self.batch.append(None)
        self.shed.append(False)
        if deadline != math.inf:
            self.has_deadlines = True
        return len(self.tokens) - 1


class Batch:
    """Jobs that a service works on together."""

    __slots__ = (
        *("bulk", "end", "idle_since", "jobs", "left", "lengths"),
        *("owners", "pieces", "sent", "start", "texts", "tokenized"),
    )

    def __init__(self, jobs: list[int], start: float) -> None:
        self.jobs = jobs
        self.start = start
        self.tokenized = start
        self.end = start
        self.texts = 0
        self.lengths: list[int] = []  # tokens of the texts that are computed
        self.owners: list[int] = []  # the job of each, where jobs have deadlines
        self.pieces: list[list[int]] = []  # calls that are not sent yet, as positions into the lengths
        self.sent = 0  # calls that were
        self.left = 0  # calls that are not back
        self.bulk = False
        self.idle_since = start  # while no call is under way


class NetworkCall:
    """One rectangle of token ids on its way through the network."""

    __slots__ = ("batch", "longest", "sent", "service", "start", "texts", "tokens")

    def __init__(self, service: Service, batch: Batch, lengths: list[int]) -> None:
        self.service = service
        self.batch = batch
        self.texts = len(lengths)
        self.longest = max(lengths)
        self.tokens = sum(lengths)
        self.sent = self.start = math.nan


class Network:
    """Calls wait for an instance, in order; one call is one execution."""

    def __init__(self, layout: NetworkLayout, cores: Cores, jitter: Callable[[], float] | None) -> None:
        self._cores = cores
        self._time = layout.time.seconds
        self._threads = layout.time.threads
        self._jitter = jitter
        self._waiting: deque[NetworkCall] = deque()
        self._free = layout.instances
        self.instances = layout.instances
        self.busy_s = 0.0
        self.executions = self.texts = self.tokens = self.padded_tokens = 0

    def arrive(self, now: float, call: NetworkCall) -> None:
        if self._free:
            self._begin(now, call)
        else:
            self._waiting.append(call)

    def _begin(self, now: float, call: NetworkCall) -> None:
        call.start = now
        self._free -= 1
        self.executions += 1
        self.texts += call.texts
        self.tokens += call.tokens
        self.padded_tokens += call.texts * call.longest
        seconds = self._time(call.texts, call.longest)
        if self._jitter:
            seconds *= self._jitter()
        self._cores.start(now, seconds, self._threads, self._end, call)

    def _end(self, now: float, call: NetworkCall) -> None:
        self.busy_s += now - call.start
        self._free += 1
        if self._waiting:
            self._begin(now, self._waiting.popleft())
        call.service.call_ended(now, call)


class Door:
    """Requests on their way in: as many threads as there are cores take them, in order."""

    def __init__(self, lanes: int, cores: Cores) -> None:
        self._cores = cores
        self._free = lanes
        self._waiting: deque[tuple[float, Callable[[float, int], None], int]] = deque()

    def arrive(self, now: float, seconds: float, enter: Callable[[float, int], None], job: int) -> None:
        """`enter(time, job)` follows after so many seconds of work."""
        if self._free:
            self._free -= 1
            self._cores.start(now, seconds, 1, self._through, (enter, job))
        else:
            self._waiting.append((seconds, enter, job))

    def _through(self, now: float, what: tuple[Callable[[float, int], None], int]) -> None:
        if self._waiting:
            seconds, enter, job = self._waiting.popleft()
            self._cores.start(now, seconds, 1, self._through, (enter, job))
        else:
            self._free += 1
        what[0](now, what[1])


class Service:
    """Jobs wait for an instance; what waits then is taken together, up to the largest batch."""

    def __init__(
        self,
        name: str,
        layout: ServiceLayout,
        network: Network,
        lone: Callable[[int, int], float],
        cores: Cores,
        jobs: Jobs,
        door: Door,
        traffic: SimulatedTraffic,
    ) -> None:
        """`lone`: seconds of a lone call of (texts, longest)."""
        self._name = name
        self._traffic = traffic
        self._layout = layout
        self._network = network
        self._cores = cores
        self._jobs = jobs
        self._cost = (
            CallCost(*layout.cut)
            if layout.cut
            else measured_cost(lambda longest: lone(1, longest) + layout.handover_s, layout.max_tokens)
        )
        self._now = 0.0
        self._recent = RecentCost(self._cost, lambda: self._now)
        self.limits = CallLimits(layout.max_batch_tokens, layout.max_batch, layout.outstanding_calls)
        self._waiting: deque[int] = deque()
        self._free = layout.instances
        self.instances = layout.instances
        self.busy_s = 0.0
        self.executions = 0
        self.texts = 0
        self.tokens = 0
        self.max_batch = layout.max_batch
        self._arrival_s = layout.arrival_s
        self._door = door
        self.later: Later  # both are set by the simulator: do something later,
        self.answered: Callable[[float, int], None]  # and hear of the end of a group's job

    def arrive(self, now: float, job: int) -> None:
        if self._arrival_s:
            self._door.arrive(now, self._arrival_s, self._enter, job)
        else:
            self._enter(now, job)

    def _enter(self, now: float, job: int) -> None:
        self._waiting.append(job)
        if self._free:
            self._begin(now)

    def _begin(self, now: float) -> None:
        self._free -= 1
        self.executions += 1
        jobs, layout = self._jobs, self._layout
        batch = Batch(take(self._waiting, jobs.texts, layout.max_batch), now)
        tokens = texts = 0
        for job in batch.jobs:
            jobs.batch[job] = batch
            if jobs.deadline[job] <= now:
                jobs.shed[job] = True
            else:
                texts += jobs.texts[job]
                tokens += jobs.total[job]
        batch.texts = texts
        self.texts += texts
        self.tokens += tokens
        cost = layout.text
        seconds = cost.batch_s + cost.text_s * texts + cost.token_s * tokens
        if seconds:
            self._cores.start(now, seconds, 1, self._tokenized, batch)
        elif not texts:  # all too late; not at once, or a long queue of such batches would nest that deep
            self.later(now, self._tokenized, batch)
        else:
            self._tokenized(now, batch)

    def _tokenized(self, now: float, batch: Batch) -> None:
        batch.tokenized = now
        self._plan(now, batch)
        if not batch.pieces:
            self._finish(now, batch)
            return
        has_deadline = any(self._jobs.deadline[job] < math.inf for job in batch.jobs)
        batch.bulk = is_bulk(self._name, len(batch.lengths), self.max_batch, has_deadline=has_deadline)
        self._traffic.begin(now, batch, self._network)
        self.send_waiting(now, batch)

    def _plan(self, now: float, batch: Batch) -> None:
        """The batch's calls, longest first; jobs that would be late are given up."""
        jobs, most = self._jobs, self._layout.max_tokens
        kept = [job for job in batch.jobs if not jobs.shed[job]] if jobs.has_deadlines else batch.jobs
        if not kept:
            return
        lengths = batch.lengths = [min(count, most) for job in kept for count in jobs.tokens[job]]
        if jobs.has_deadlines:
            batch.pieces = self._in_time(now, batch, kept, lengths)
        else:
            overhead, limits = self._cost.overhead_tokens, self.limits
            batch.pieces = list(cut_batch(lengths, alone=len(kept) == 1, overhead=overhead, limits=limits))

    def _in_time(self, now: float, batch: Batch, kept: list[int], lengths: list[int]) -> list[list[int]]:
        jobs = self._jobs

        def give_up(job: int) -> None:
            jobs.shed[job] = True

        owners = batch.owners = [job for job in kept for _ in jobs.tokens[job]]
        deadline = jobs.deadline.__getitem__
        self._now = now
        cost, limits = self._recent.at_worst(), self.limits
        return plan_calls(lengths, owners, deadline, give_up, cost=cost, limits=limits, clock=lambda: now)

    def send_waiting(self, now: float, batch: Batch) -> None:
        """Send what of a batch may go now; a batch of which nothing is left ends."""
        while batch.pieces and (view := self._view(now, batch)):
            self._now = now
            cost = self._recent.now() if view.recent and self._jobs.has_deadlines else self._cost
            lengths, limits = batch.lengths, self.limits
            piece = next_call(batch.pieces, lengths, view, cost=cost, limits=limits, under_way=batch.left)
            if batch.owners and batch.sent >= self.limits.lanes:  # the others begin at once
                piece = self._awaited(now, batch, piece)
            if piece:
                batch.left, batch.sent = batch.left + 1, batch.sent + 1
                self._send(now, NetworkCall(self, batch, [lengths[row] for row in piece]))
        if not batch.left and not batch.pieces:
            self._traffic.end(now, batch, self._network)
            self._finish(now, batch)

    def _awaited(self, now: float, batch: Batch, piece: list[int]) -> list[int]:
        """The rows whose jobs somebody still waits for, and will when the call is back."""
        deadline, shed = self._jobs.deadline, self._jobs.shed
        self._now = now
        ends = now + self._recent.now().seconds(len(piece) * max(batch.lengths[row] for row in piece))
        for row in piece:
            shed[batch.owners[row]] |= ends > deadline[batch.owners[row]]
        return [row for row in piece if not shed[batch.owners[row]]]

    def _view(self, now: float, batch: Batch) -> TrafficView | None:
        """By which the next call goes; None while it may not."""
        if batch.bulk:
            return self._traffic.looked(now, batch, self, self._network)
        return _NOBODY if batch.left < self.limits.lanes else None

    def _send(self, now: float, call: NetworkCall) -> None:
        call.sent = now
        if self._layout.handover_s:
            self.later(now + self._layout.handover_s, self._network.arrive, call)
        else:
            self._network.arrive(now, call)

    def call_ended(self, now: float, call: NetworkCall) -> None:
        """A call is back: the next one goes, or the batch is complete."""
        if self._jobs.has_deadlines:
            self._now = now
            self._recent.observe(call.texts * call.longest, now - call.sent)
        batch = call.batch
        batch.left -= 1
        batch.idle_since = now
        if batch.pieces:
            self.send_waiting(now, batch)
        elif batch.left == 0:
            self._traffic.end(now, batch, self._network)
            self._finish(now, batch)

    def _finish(self, now: float, batch: Batch) -> None:
        batch.end = now
        self.busy_s += now - batch.start
        self._free += 1
        if self._waiting:
            self._begin(now)
        jobs = self._jobs
        for job in batch.jobs:
            if jobs.has_deadlines and jobs.deadline[job] < now:
                jobs.shed[job] = True
            if jobs.group[job] is not None:
                self.answered(now, job)
