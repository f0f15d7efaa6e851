"""Which settings nobody has to regret: none is both cheaper and better.

PlacedSetting ... (cost, quality) --> PlacedSetting ..., each on the front or dominated by another

Point estimates decide. A dominated setting whose quality interval overlaps its dominator's is marked as not told apart:
the evaluation was too small to say that it is worse. That intervals overlap is a careful test, more so than a paired
one (`interlingua compare`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua_evaluation.report.model import Figure
    from interlingua_loadtest.tradeoff.records import PlacedSetting


def by_cost(rows: Sequence[PlacedSetting], scope: str) -> list[PlacedSetting]:
    """The cheapest first, of equal cost the best; those without a cost at the end."""
    return sorted(rows, key=lambda row: (row.cost is None, row.cost.cpu_s if row.cost else 0.0, -_mean(row, scope)))


def placed(rows: Sequence[PlacedSetting], scope: str) -> list[PlacedSetting]:
    """Each row with its dominator: of several the best, and of those the cheapest."""
    return [_placed(row, rows, scope) for row in rows]


def _placed(row: PlacedSetting, rows: Sequence[PlacedSetting], scope: str) -> PlacedSetting:
    stronger = [other for other in rows if _dominates(other, row, scope)]
    if not stronger:
        return row
    best = min(by_cost(stronger, scope), key=lambda other: -_mean(other, scope))
    overlap = _overlap(row.setting.quality(scope), best.setting.quality(scope))
    return row.placed(best.setting.name, told_apart=not overlap)


def _dominates(one: PlacedSetting, other: PlacedSetting, scope: str) -> bool:
    """No dearer, no worse, and not equal in both."""
    if one.cost is None or other.cost is None:
        return False
    mine, its = (one.cost.cpu_s, -_mean(one, scope)), (other.cost.cpu_s, -_mean(other, scope))
    return mine[0] <= its[0] and mine[1] <= its[1] and mine != its


def _mean(row: PlacedSetting, scope: str) -> float:
    figure = row.setting.quality(scope)
    return -1.0 if figure is None else figure.mean


def _overlap(one: Figure | None, other: Figure | None) -> bool:
    if one is None or other is None:
        return False
    return one.low <= other.high and other.low <= one.high
