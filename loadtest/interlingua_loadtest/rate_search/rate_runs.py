"""What a search for the highest rate asks with: recorded runs, each in a folder of its own.

Offer -> RunSettings -> drive() -> OUT/lone-1, OUT/rate-12.5-1, ... -> Try
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import ServerError
from interlingua_loadtest.rate_search.rate_try import Offer, Try
from interlingua_loadtest.record.run_folder import RunFolder
from interlingua_loadtest.run.drive import drive

if TYPE_CHECKING:
    from interlingua_loadtest.record.request_columns import Requests
    from interlingua_loadtest.record.slo import Slo
    from interlingua_loadtest.record.validity import ValidityBounds
    from interlingua_loadtest.run.drive import RunResult
    from interlingua_loadtest.run.target import Target
    from interlingua_loadtest.traffic.run_settings import RunSettings


class OfferRuns:
    """Makes a run for every offer."""

    def __init__(
        self,
        settings: RunSettings,
        target: Target,
        out: Path,
        slo: Slo,
        *,
        workers: int = 1,
        bounds: ValidityBounds | None = None,
    ) -> None:
        """`settings`: of an open loop; rate, seed and seconds are those of the offer. `bounds`: as for drive()."""
        self._bounds = bounds
        self._settings, self._target, self._out, self._slo, self._workers = settings, target, out, slo, workers
        self._made: Counter[str] = Counter()

    def __call__(self, offer: Offer) -> Try:
        """Raises what drive() raises, and ServerError where the server was lost meanwhile."""
        name = "lone" if offer.lone else f"rate-{offer.rate:g}"
        self._made[name] += 1
        folder = self._out / f"{name}-{self._made[name]}"
        settings = replace(self._settings, rate=offer.rate, seed=offer.seed, seconds=offer.seconds)
        if offer.lone:
            settings = replace(settings, schedule="constant")
        result = drive(settings, self._target, folder, workers=self._workers, slo=self._slo, bounds=self._bounds)
        requests = RunFolder(folder).requests()
        _require_server(result, requests)
        return Try.of(
            offer,
            requests,
            result.summary,
            result.validity,
            self._slo,
            folder=folder.name,
            in_flight=settings.in_flight,
            interrupted=result.interrupted,
        )


def _require_server(result: RunResult, requests: Requests) -> None:
    """A run that lost its server says nothing of what the server holds."""
    away = int((requests.status == "away").sum())
    if away and not result.triton and not result.interrupted:
        said = "; ".join(result.notes) or "its counters cannot be read"
        raise ServerError(
            f"the server went away during {result.folder}, {away} of {len(requests)} requests found none: {said}"
        )
