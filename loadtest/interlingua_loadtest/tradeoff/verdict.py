"""The answer in a sentence: the cheapest that holds, or what came closest and where it fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from interlingua_loadtest.tradeoff.pareto_front import by_cost

if TYPE_CHECKING:
    from interlingua_loadtest.record.slo import Slo
    from interlingua_loadtest.tradeoff.records import PlacedSetting


def verdict(rows: Sequence[PlacedSetting], floors: Sequence[str], slo: Slo) -> str:
    """Judges rows with a cost, the cheapest first."""
    wanted = ", ".join([str(slo), *floors])
    cheapest = next((row for row in rows if row.fits), None)
    if cheapest is not None and cheapest.cost is not None:
        name = cheapest.setting.name
        return f"cheapest that holds {wanted}: {name}, {cheapest.cost} a million searches."
    closest = min((row for row in by_cost(rows, "mixed") if row.cost), key=lambda row: row.shortfall)
    return (
        f"nothing holds {wanted}. {closest.setting.name} comes closest and fails {_some(closest.failures)}: lower the "
        "floor, or evaluate deeper reranking or a better model."
    )


def _some(failures: Sequence[str], shown: int = 3) -> str:
    more = f" and {len(failures) - shown} more" if len(failures) > shown else ""
    return ", ".join(failures[:shown]) + more
