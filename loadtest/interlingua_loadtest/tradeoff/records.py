"""What a trade-off says, as records: the table, the JSON and the picture are made of these alone."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from interlingua.base.plain import saved
from interlingua_evaluation.report.changes.thresholds import WORST
from interlingua_evaluation.report.model import Figure, MeasureFigures
from interlingua_evaluation.report.plain import plain

if TYPE_CHECKING:
    from interlingua_evaluation.systems.candidate_lists import Pair

SCOPES = ("same", "across", "mixed", WORST)


@saved
@dataclass(frozen=True)
class ServingSetting:
    """One way to serve.

    Attributes:
        label: of the model repository, such as its precision.
        system: as `interlingua evaluate` names it.
        depth: candidates that are reranked; 0 for none.
        ef_search: of the graph; None where every document is compared.
        ndcg: nDCG@10.
        form: of the stored token vectors that are compared; "" where pairs are sent.
    """

    label: str
    system: str
    depth: int
    ef_search: int | None
    ndcg: MeasureFigures
    _: KW_ONLY
    form: str = ""

    @property
    def is_stored(self) -> bool:
        """Whether stored token vectors are compared, and no pairs sent."""
        return bool(self.form)

    @property
    def name(self) -> str:
        return f"{self.label} {self.system}" + ("" if self.ef_search is None else f" ef={self.ef_search}")

    @property
    def worst(self) -> Pair | None:
        """The pair with the lowest mean; None without pairs."""
        return min(self.ndcg.pairs, key=lambda pair: self.ndcg.pairs[pair].mean, default=None)

    def quality(self, scope: str) -> Figure | None:
        """One of SCOPES."""
        if scope == WORST:
            return None if self.worst is None else self.ndcg.pairs[self.worst]
        found: Figure | None = getattr(self.ndcg.all, scope)
        return found


@dataclass(frozen=True, kw_only=True)
class SettingCost:
    """What a setting costs, at the highest rate that one replica holds within the SLO.

    Attributes:
        rate, low, high: that rate, searches a second, and its 95% interval.
        p99_s: latency there.
        busiest: the station that sets the limit.
        first_stage_s: of one search, on a core of the client.
        cpu_s: core seconds of a million searches: all cores of the replica, and the client's for the first stage.
        price: of a million searches; None where no price was given.
    """

    rate: float
    low: float
    high: float
    p99_s: float
    busiest: str
    first_stage_s: float
    cpu_s: float
    price: float | None

    def __str__(self) -> str:
        return f"{self.price:.2f}" if self.price is not None else f"{self.cpu_s:,.0f} core seconds"


@dataclass(frozen=True, kw_only=True)
class PlacedSetting:
    """A setting and its place.

    Attributes:
        cost: None where it cannot hold the SLO at all; `impossible` then says why.
        dominated_by: a setting that is no dearer and no worse; "" on the front.
        told_apart: False where the intervals of its quality and of that setting's overlap.
        failures: floors that it does not hold, in words.
        shortfall: by how much at most it is below a floor.
    """

    DERIVED: ClassVar = ("name", "worst_pair")

    setting: ServingSetting
    cost: SettingCost | None
    impossible: str = ""
    dominated_by: str = ""
    told_apart: bool = True
    failures: tuple[str, ...] = ()
    shortfall: float = 0.0

    @property
    def name(self) -> str:
        return self.setting.name

    @property
    def worst_pair(self) -> Pair | None:
        return self.setting.worst

    @property
    def on_front(self) -> bool:
        return self.cost is not None and not self.dominated_by

    @property
    def fits(self) -> bool:
        """Whether it holds the SLO and every floor."""
        return self.cost is not None and not self.failures

    def placed(self, dominated_by: str, *, told_apart: bool) -> PlacedSetting:
        return replace(self, dominated_by=dominated_by, told_apart=told_apart)


@saved
@dataclass(frozen=True, kw_only=True)
class Tradeoff:
    """The answer.

    Attributes:
        scope: which of the averages decides the front.
        documents: of the corpus that the first stage is reckoned for.
        floors: as they were written.
        rows: the cheapest first, those without a cost at the end.
        verdict: in a sentence.
        notes: what to know when reading it.
    """

    dataset: str
    hardware: str
    slo: str
    goodput: float
    scope: str
    documents: int
    floors: tuple[str, ...]
    rows: tuple[PlacedSetting, ...]
    verdict: str
    notes: tuple[str, ...]

    @property
    def cheapest(self) -> PlacedSetting | None:
        """The first row that fits."""
        return next((row for row in self.rows if row.fits), None)

    def to_json(self) -> dict[str, Any]:
        """Plain values; the figures of single pairs too."""
        return {**plain(self), "cheapest": self.cheapest.name if self.cheapest else None}
