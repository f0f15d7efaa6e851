"""What was measured: raw samples with what they are samples of; every figure is worked out of them.

Pass (calls of one pass, seconds of each repeat) -> MeasuredPoint -> BenchRow (one model, runtime, arithmetic)
    -> BenchReport
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from interlingua_benchmarks.gpu_bench.card import CardState
    from interlingua_benchmarks.gpu_bench.networks.network_flops import NetworkFlops
    from interlingua_benchmarks.gpu_bench.settings import Arithmetic, Runtime


class MeasuredCall(NamedTuple):
    """One rectangle: `texts` rows of `longest` tokens, padding included; `flop` and `flop_half` of real tokens alone.

    In `flop` a causal model's attention is counted as if every token saw every other; in `flop_half` only what it
    sees. For other models they are equal.
    """

    texts: int
    longest: int
    real_tokens: int
    flop: int
    flop_half: int


@dataclass(frozen=True)
class MeasuredPoint:
    """One way to make calls, repeated.

    Attributes:
        budget: most padded tokens of a call; 0 where all calls are of one given shape.
        calls: of one pass; `rounds` times over.
        pass_s: seconds of each pass.
    """

    budget: int
    calls: tuple[MeasuredCall, ...]
    rounds: int
    pass_s: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """The duration of the median pass."""
        return statistics.median(self.pass_s)

    @property
    def real_tokens(self) -> int:
        """The real tokens of one pass."""
        return self.rounds * sum(call.real_tokens for call in self.calls)

    @property
    def padded_tokens(self) -> int:
        """The tokens of one pass, padding included."""
        return self.rounds * sum(call.texts * call.longest for call in self.calls)

    @property
    def flop(self) -> int:
        """The operations of one pass, real tokens alone, attention in full."""
        return self.rounds * sum(call.flop for call in self.calls)

    @property
    def flop_half(self) -> int:
        """The same with a causal model's attention by what it sees."""
        return self.rounds * sum(call.flop_half for call in self.calls)

    @property
    def tokens_per_s(self) -> float:
        """Real tokens a second."""
        return self.real_tokens / self.seconds

    @property
    def padding_share(self) -> float:
        """The share of the padded tokens that are nothing but padding."""
        return 1 - self.real_tokens / self.padded_tokens

    def utilisation(self, rate: float, *, half: bool = True) -> float:
        """Share of a matrix rate in FLOP/s that went into real tokens."""
        return (self.flop_half if half else self.flop) / self.seconds / rate


@dataclass(frozen=True)
class Latency:
    """Lone texts of one length, ids in the host's memory to the answer there; seconds of each call."""

    tokens: int
    call_s: tuple[float, ...]

    def percentile_s(self, percent: float) -> float:
        return float(np.percentile(self.call_s, percent))


@dataclass(frozen=True)
class MatrixRate:
    """The matrix rate of one arithmetic.

    Attributes:
        runtime: by which it was measured.
        product_s: by rows of the square matrices, seconds of a product in each repeat.
        card: its state while products ran.
        failed: why there are none.
    """

    arithmetic: Arithmetic
    runtime: Runtime
    product_s: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    card: CardState | None = None
    failed: str = ""

    @property
    def by_size(self) -> dict[int, float]:
        """FLOP/s of each size, in its median repeat: 2 n^3 for a product of n rows."""
        return {size: 2 * size**3 / statistics.median(seconds) for size, seconds in self.product_s.items()}

    @property
    def flops(self) -> float | None:
        """FLOP/s of the best size; None where nothing was measured."""
        return max(self.by_size.values(), default=None)


@dataclass(kw_only=True)
class BenchRow:
    """One model by one runtime in one arithmetic.

    Attributes:
        weights: `published`, or `random` in the true shape.
        flops: None where the catalogue does not state the shape.
        points: by token budget, on texts of mixed length.
        sweep: calls of equal texts.
        deviation: largest difference from the fp32 reference on a CPU, of an embedding relative to its length, of a
            score to the largest one.
        memory_mb: the most that the card's memory held, other processes included; None where nvidia-smi is silent.
        card: its state under the best budget's load.
        whole: whether all was measured.
        failed: why not; what was measured before stays.
    """

    model: str
    runtime: Runtime
    arithmetic: Arithmetic
    weights: str = ""
    parameters: int = 0
    flops: NetworkFlops | None = None
    points: list[MeasuredPoint] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)
    sweep: list[MeasuredPoint] = field(default_factory=list)
    deviation: float | None = None
    memory_mb: float | None = None
    card: CardState | None = None
    notes: list[str] = field(default_factory=list)
    whole: bool = False
    failed: str = ""

    @property
    def best(self) -> MeasuredPoint | None:
        """The budget with the most real tokens a second."""
        return max(self.points, key=lambda point: point.tokens_per_s, default=None)


@dataclass
class BenchReport:
    """One run.

    Attributes:
        header: card, driver, versions, date, commit (environment.py).
        interrupted: whether it was broken off.
    """

    header: dict[str, Any]
    rates: list[MatrixRate] = field(default_factory=list)
    rows: list[BenchRow] = field(default_factory=list)
    interrupted: bool = False

    def rate(self, arithmetic: Arithmetic) -> float | None:
        """The best measured matrix rate of an arithmetic, FLOP/s, by whichever runtime."""
        rates = [rate.flops for rate in self.rates if rate.arithmetic == arithmetic and rate.flops]
        return max(rates, default=None)
