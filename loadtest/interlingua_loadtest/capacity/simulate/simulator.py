"""A server in simulated time: minutes of traffic in seconds.

    Workload + ServerLayout --events in order of time--> Timeline

Events are arrivals, ends of work on the cores (or a device), and delays. The same workload, layout and seed give the
same timeline.
"""

from __future__ import annotations

import gc
import heapq
import math
from collections.abc import Callable
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from interlingua.base.errors import InputError
from interlingua.served.limits import TEXTS_PER_REQUEST
from interlingua.served.service import EMBED_QUERY, RERANK
from interlingua_loadtest.capacity.profile.server_layout import NetworkLayout, ServerLayout, busy_threads
from interlingua_loadtest.capacity.simulate.client_requests import ClientRequests
from interlingua_loadtest.capacity.simulate.considerate import SimulatedTraffic
from interlingua_loadtest.capacity.simulate.cores import Cores, Slowdown
from interlingua_loadtest.capacity.simulate.searches import Searches
from interlingua_loadtest.capacity.simulate.stations import Batch, Door, Jobs, Network, Service
from interlingua_loadtest.capacity.simulate.timeline import DEADLINE, OK, Timeline, Usage
from interlingua_loadtest.traffic.request_kinds import KINDS, SEARCH

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.simulate.workload import Workload

_CPU = "cpu"
_STREAM = 2  # random numbers of its own: demand.py and schedule.py may have the same seed
_JITTERS = 1 << 16  # random factors drawn ahead, used again in turn


def simulate(workload: Workload, layout: ServerLayout, seed: int = 0) -> Timeline:
    """Run the workload through the server.

    Args:
        seed: of the jitter of the calls; without jitter in the service times it changes nothing.

    Raises:
        InputError: the workload asks for a service that the layout does not have.
    """
    _check(workload, layout)
    collecting = gc.isenabled()
    gc.disable()  # a run makes many small objects and no cycles of them; looking for some takes a third of its time
    try:
        return _Simulation(workload, layout, seed).run()
    finally:
        if collecting:
            gc.enable()


def closed_loop_rate(workload: Workload, layout: ServerLayout, callers: int, seconds: float, seed: int = 0) -> float:
    """Answers a second that so many callers get, each asking again at once, in so many seconds.

    Args:
        workload: requests to one service, asked in order and from the start again; when they arrived does not count.

    Raises:
        InputError: a request is a search, or asks for a service that the layout does not have.
    """
    _check(workload, layout)
    if (workload.kinds == KINDS.index(SEARCH)).any():
        raise InputError("a closed loop of searches is not simulated")
    return _Simulation(workload, layout, seed).run_closed(callers, seconds)


def _check(workload: Workload, layout: ServerLayout) -> None:
    sizes = np.diff(workload.first)
    for position in np.unique(workload.kinds):
        kind = KINDS[position]
        needed = [kind] if kind != SEARCH else [EMBED_QUERY]
        if kind == SEARCH and sizes[workload.kinds == position].max() > 1:
            needed.append(RERANK)
        for name in needed:
            if name not in layout.services:
                raise InputError(f"the traffic asks for {kind}, but the server has no {name}")


class _Simulation:
    """One simulated run."""

    def __init__(self, workload: Workload, layout: ServerLayout, seed: int) -> None:
        self._workload = workload
        self._layout = layout
        self._random = np.random.default_rng([seed, _STREAM])
        self._jobs = Jobs()
        self._delayed: list[tuple[float, int, Callable[[float, Any], None], Any]] = []
        self._delays = 0
        self._pools = self._make_pools()
        self._networks = {
            name: Network(network, self._pools[network.device], self._jitter(network))
            for name, network in layout.networks.items()
        }
        traffic = SimulatedTraffic(self._later)
        door = Door(layout.cores, self._pools[_CPU])
        self._services = {
            name: Service(
                name,
                service,
                self._networks[service.network],
                layout.networks[service.network].time.seconds,
                self._pools[_CPU],
                self._jobs,
                door,
                traffic,
            )
            for name, service in layout.services.items()
        }
        requests = self._requests = ClientRequests(self._jobs, self._later, layout.transport_s)
        for service in self._services.values():
            service.later = self._later
            service.answered = requests.answered
        rerank = self._services.get(RERANK)
        self._searches = Searches(requests, rerank, self._later, between_s=layout.between_s, one_side=workload.one_side)

    def _make_pools(self) -> dict[str, Cores]:
        """The CPU, and a pool for each device, on which the calls of its networks slow one another down."""
        networks = list(self._layout.networks.values())
        most = sum(network.instances * network.time.threads for network in networks)
        most += sum(service.instances for service in self._layout.services.values()) + self._layout.cores
        pools = {_CPU: Cores(Slowdown(self._layout.cores, self._layout.slowdown), most)}
        for device in sorted({network.device for network in networks} - {_CPU}):
            models = [network.time for network in networks if network.device == device]
            pools[device] = Cores(Slowdown(1, busy_threads(models)), most)
        return pools

    def _jitter(self, network: NetworkLayout) -> Callable[[], float] | None:
        """Factors of mean 1, log-normal; None where the calls have none."""
        sigma = network.time.jitter
        if sigma == 0:
            return None
        return cycle(self._random.lognormal(-sigma * sigma / 2, sigma, _JITTERS).tolist()).__next__

    def _later(self, when: float, do: Callable[[float, Any], None], what: Any) -> None:
        self._delays += 1
        heapq.heappush(self._delayed, (when, self._delays, do, what))

    def run(self) -> Timeline:
        arrive = self._prepare_arrivals()
        return self._timeline(self._loop([*self._workload.arrived.tolist(), math.inf], arrive, math.inf))

    def run_closed(self, callers: int, seconds: float) -> float:
        workload = self._workload
        tokens = np.split(workload.tokens, workload.first[1:-1])
        asks = cycle(
            [(self._services[KINDS[kind]], texts.tolist()) for kind, texts in zip(workload.kinds, tokens, strict=True)]
        )
        answered = 0

        def ask(now: float, _: object) -> None:
            nonlocal answered
            answered += 1
            service, texts = next(asks)
            self._requests.send(now, service, texts, math.inf, ask, None)

        for _ in range(callers):
            self._later(0.0, ask, None)
        self._loop([math.inf], [], seconds)
        return (answered - callers) / seconds

    def _loop(self, times: list[float], arrive: list[Callable[[float, int], None]], until: float) -> float:
        """Everything that happens, in its order; when the last of it did."""
        pools = list(self._pools.values())
        delayed = self._delayed
        following, last = 0, 0.0
        while last < until:
            now, source = times[following], None
            for pool in pools:
                if pool.due <= now:  # what ends at the moment of an arrival ends first
                    now, source = pool.due, pool
            if delayed and delayed[0][0] <= now:
                now, _, do, what = heapq.heappop(delayed)
                do(now, what)
            elif now == math.inf:
                break
            elif source is not None:
                done, what = source.finish()
                done(now, what)
            else:
                arrive[following](now, following)
                following += 1
            last = now
        return last

    def _prepare_arrivals(self) -> list[Callable[[float, int], None]]:
        """Number the requests as jobs, request i is job i; what takes each of them in."""
        workload = self._workload
        tokens, first, kinds = workload.tokens.tolist(), workload.first.tolist(), workload.kinds.tolist()
        instants = (workload.arrived + workload.deadlines).tolist()
        services = [self._services.get(EMBED_QUERY if kind == SEARCH else kind) for kind in KINDS]
        direct = [service.arrive if service else None for service in services]
        search = KINDS.index(SEARCH)
        arrivals: list[Any] = []
        for number, (kind, instant) in enumerate(zip(kinds, instants, strict=True)):
            texts = tokens[first[number] : first[number + 1]]
            self._jobs.add(texts, instant, None)
            service = services[kind]
            if kind == search:
                arrivals.append(partial(self._begin, self._searches.begin, service))
            elif service and len(texts) > min(TEXTS_PER_REQUEST, service.max_batch):
                arrivals.append(partial(self._begin, self._searches.begin_many, service))
            else:
                arrivals.append(direct[kind])
        return arrivals

    def _begin(self, how: Callable[..., None], service: Service, now: float, number: int) -> None:
        """A request that the client makes several of."""
        how(now, number, service, self._jobs.tokens[number], self._jobs.deadline[number])

    def _timeline(self, last: float) -> Timeline:
        workload, jobs = self._workload, self._jobs
        count = len(workload)
        for number, job in self._searches.shown.items():
            jobs.batch[number] = jobs.batch[job]
        batches = [cast("Batch", batch) for batch in jobs.batch[:count]]
        start = np.array([batch.start for batch in batches])
        tokenized = np.array([batch.tokenized for batch in batches])
        end = np.array([batch.end for batch in batches])
        # The client waits until the deadline and no longer, whatever the server does.
        instants = workload.arrived + workload.deadlines
        finished = np.minimum(end + self._layout.transport_s, instants)
        is_late = np.array(jobs.shed[:count]) | (end + self._layout.transport_s > instants)
        status = np.where(is_late, DEADLINE, OK).astype(np.int64)
        rerank, pairs = np.zeros(count), np.zeros(count, dtype=np.int64)
        if outcomes := self._searches.outcomes:
            numbers = list(outcomes)
            columns = zip(*outcomes.values(), strict=True)
            for values, column in zip((finished, status, rerank, pairs), columns, strict=True):
                values[numbers] = column
        return Timeline(
            workload=workload,
            start=start,
            queue=start - workload.arrived,
            tokenize=tokenized - start,
            compute=end - tokenized,
            finished=finished,
            status=status,
            batch_texts=np.array([batch.texts for batch in batches], dtype=np.int64),
            rerank=rerank,
            pairs=pairs,
            usage=self._usage(last - float(workload.arrived[0])),
        )

    def _usage(self, seconds: float) -> dict[str, Usage]:
        seconds = max(seconds, 1e-12)
        usage = {
            name: Usage(station.busy_s / station.instances / seconds, station.executions, station.texts, station.tokens)
            for name, station in self._services.items()
        }
        for name, network in self._networks.items():
            usage[name] = Usage(
                network.busy_s / network.instances / seconds,
                network.executions,
                network.texts,
                network.tokens,
                network.padded_tokens,
            )
        for name, pool in self._pools.items():
            usage["cores" if name == _CPU else name] = Usage(pool.busy_s / seconds)
        return usage
