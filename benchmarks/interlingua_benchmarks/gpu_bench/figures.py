"""What a report says in the end, worked out of its samples.

BenchReport --goal, as_json--> "reached" | "not reached" | "", and the figures beside the samples they come from
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from interlingua.base.plain import plain

if TYPE_CHECKING:
    from interlingua_benchmarks.gpu_bench.records import BenchReport, BenchRow, MeasuredPoint

GOAL = 0.5
"""Of the measured matrix rate, for networks of bge-m3's size and larger, at the best token budget."""

Goal = Literal["", "reached", "not reached"]
_PERCENTILES = (50, 99)


def utilisation(row: BenchRow, report: BenchReport) -> float | None:
    """At the best budget, of real tokens; None where either side was not measured."""
    rate, best = report.rate(row.arithmetic), row.best
    return best.utilisation(rate) if rate and best else None


def goal(row: BenchRow, report: BenchReport) -> Goal:
    """Whether the goal is reached; "" where there is none, or nothing was measured."""
    share = utilisation(row, report)
    if share is None or row.flops is None or not row.flops.has_goal:
        return ""
    return "reached" if share >= GOAL else "not reached"


def as_json(report: BenchReport) -> dict[str, Any]:
    """Header, samples and figures, as JSON holds them."""
    return {
        "header": plain(report.header),
        "interrupted": report.interrupted,
        "goal": GOAL,
        "matrix_rates": [plain(rate) | {"flops": rate.flops, "by_size": plain(rate.by_size)} for rate in report.rates],
        "rows": [_row(row, report) for row in report.rows],
    }


def _row(row: BenchRow, report: BenchReport) -> dict[str, Any]:
    rate, best = report.rate(row.arithmetic), row.best
    content: dict[str, Any] = plain(row)
    return content | {
        "matrix_rate": rate,
        "utilisation": utilisation(row, report),
        "goal": goal(row, report),
        "best_budget": best.budget if best else None,
        "points": [_point(point, rate) for point in row.points],
        "sweep": [_point(point, rate) for point in row.sweep],
        "latencies": [
            plain(latency) | {f"p{percent}_s": latency.percentile_s(percent) for percent in _PERCENTILES}
            for latency in row.latencies
        ],
    }


def _point(point: MeasuredPoint, rate: float | None) -> dict[str, Any]:
    content: dict[str, Any] = plain(point)
    return content | {
        "calls": [call._asdict() for call in point.calls],
        "seconds": point.seconds,
        "real_tokens": point.real_tokens,
        "padded_tokens": point.padded_tokens,
        "padding_share": point.padding_share,
        "tokens_per_s": point.tokens_per_s,
        "flop": point.flop,
        "flop_half": point.flop_half,
        "utilisation": point.utilisation(rate) if rate else None,
        "utilisation_in_full": point.utilisation(rate, half=False) if rate else None,
    }
