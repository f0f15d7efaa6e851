"""The measurements of one loaded network.

    waiting texts --cut at each token budget--> calls --passes, the first discarded--> MeasuredPoint, until more tokens
        bring nothing or memory ends
    lone texts of some lengths --call by call, ids and answer on the host--> Latency
    n equal texts --passes--> MeasuredPoint

What a pass holds is chosen by a first look at its speed, so that the counted passes take the time that is meant for
them; a pass of some calls only takes them evenly from the longest to the shortest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from interlingua.served.text.call_cost import measured_cost
from interlingua_benchmarks.gpu_bench.device import out_of_memory
from interlingua_benchmarks.gpu_bench.networks.length_mix import drawn, equal_rows
from interlingua_benchmarks.gpu_bench.products.timing import fitting, once, times
from interlingua_benchmarks.gpu_bench.records import Latency, MeasuredPoint

if TYPE_CHECKING:
    from interlingua.served.text.tokenizer import Tokens
    from interlingua_benchmarks.gpu_bench.networks.loaded_network import Batch, LoadedNetwork
    from interlingua_benchmarks.gpu_bench.networks.rectangles import Rectangle, Rectangles
    from interlingua_benchmarks.gpu_bench.settings import Scale

_WAITING = 4  # budgets' worth of texts that the cut chooses from
_NO_BETTER = 0.98  # of the best so far: a budget below this ends the search
_WARM_UP = 3


class NetworkRuns:
    """Measures one network in one runtime and arithmetic.

    Args:
        vocabulary, max_tokens: of the model.
        notes: gets a line for what could not be measured.
    """

    def __init__(
        self,
        network: LoadedNetwork,
        rectangles: Rectangles,
        scale: Scale,
        *,
        vocabulary: int,
        max_tokens: int,
        seed: int,
        notes: list[str],
    ) -> None:
        self._network, self._rectangles, self._scale = network, rectangles, scale
        self._vocabulary, self._max_tokens = vocabulary, max_tokens
        self._seed, self._notes = seed, notes

    def latencies(self) -> Iterator[Latency]:
        """Measures lone texts; lengths beyond the model's maximum are cut to it."""
        for length in sorted({min(length, self._max_tokens) for length in self._scale.lengths}):
            batch = self._equal(1, length).batch
            for _ in range(_WARM_UP):
                self._network.answer(batch)
            guess = self._lone(batch)
            count = min(self._scale.calls, max(_WARM_UP, fitting(guess, self._scale.point_s)))
            yield Latency(length, tuple(self._lone(batch) for _ in range(count)))

    def budgets(self, rows: Sequence[Tokens]) -> Iterator[MeasuredPoint]:
        """Measures texts of mixed length, from the smallest budget up."""
        overhead = self._overhead()
        best = 0.0
        for budget in sorted(self._scale.budgets):
            waiting = drawn(rows, _WAITING * budget, self._seed)
            point = self._point(self._rectangles.cut(waiting, budget, overhead), budget)
            if point is None:
                return
            yield point
            if point.tokens_per_s < _NO_BETTER * best:
                return
            best = max(best, point.tokens_per_s)

    def sweep(self) -> Iterator[MeasuredPoint]:
        """Measures equal texts, more and more of them; a length ends where memory does."""
        for length in sorted({min(length, self._max_tokens) for length in self._scale.sweep_lengths}):
            for texts in sorted(self._scale.sweep_texts):
                if (point := self._point([self._equal(texts, length)], 0)) is None:
                    break
                yield point

    def load(self, point: MeasuredPoint, rows: Sequence[Tokens]) -> None:
        """One call of the largest rectangle of a point again, to look at the card meanwhile."""
        calls = self._rectangles.cut(drawn(rows, point.budget, self._seed), point.budget, 0.0)
        once(lambda: self._network.start(self._network.place(calls[0].batch)), self._network.wait)

    def _point(self, rectangles: Sequence[Rectangle], budget: int) -> MeasuredPoint | None:
        """Passes over some of these calls; None where memory ends, which is noted."""
        try:
            return self._passes(rectangles, budget)
        except Exception as error:
            if not out_of_memory(error):
                raise
            largest = max(rectangles, key=lambda one: one.call.texts * one.call.longest).call
            self._notes.append(f"{largest.texts} texts of {largest.longest} tokens: out of memory")
            return None

    def _passes(self, rectangles: Sequence[Rectangle], budget: int) -> MeasuredPoint:
        network, scale = self._network, self._scale
        largest = max(rectangles, key=lambda one: one.call.texts * one.call.longest)
        guess = self._call_seconds(largest)
        chosen = evenly(rectangles, fitting(guess, scale.point_s / scale.repeats))
        placed = [network.place(one.batch) for one in chosen]

        def one_round() -> None:
            for batch in placed:
                network.start(batch)

        warm = once(one_round, network.wait)
        rounds = fitting(warm, scale.point_s / scale.repeats)
        seconds = tuple(once(times(one_round, rounds), network.wait) for _ in range(scale.repeats))
        return MeasuredPoint(budget, tuple(one.call for one in chosen), rounds, seconds)

    def _call_seconds(self, rectangle: Rectangle) -> float:
        """The duration of a call that was made before, when its memory was allocated and kernels were chosen."""
        placed = self._network.place(rectangle.batch)
        once(lambda: self._network.start(placed), self._network.wait)
        return once(lambda: self._network.start(placed), self._network.wait)

    def _overhead(self) -> float:
        """What one call more costs, in padded tokens, found as a service finds it when it starts."""

        def seconds(length: int) -> float:
            batch = self._equal(1, length).batch
            self._network.answer(batch)
            return min(self._lone(batch) for _ in range(_WARM_UP))

        return measured_cost(seconds, self._max_tokens).overhead_tokens

    def _lone(self, batch: Batch) -> float:
        return once(lambda: self._network.answer(batch), self._network.wait)

    def _equal(self, texts: int, length: int) -> Rectangle:
        return self._rectangles.of(equal_rows(texts, length, self._vocabulary))


def evenly(rectangles: Sequence[Rectangle], count: int) -> list[Rectangle]:
    """So many of them, from all places of the list alike; all where there are not more."""
    if count >= len(rectangles):
        return list(rectangles)
    step = len(rectangles) / count
    return [rectangles[math.floor((place + 0.5) * step)] for place in range(count)]
