"""How far off a plan is: `python -m interlingua_benchmarks.truth_test`, on a machine with nothing else to do.

    calibrated profile --simulator--> highest rate predicted  \
    a server, real load --search----> highest rate measured   /  error, a setting each -> table, JSON

None of the settings was part of the calibration, which asks for one query or one pair at a time, in closed loops. The
load generator shares the machine with the server, so the prediction counts the clients' work on the same cores.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InterlinguaError
from interlingua.base.paths import DEFAULT_MODEL_REPOSITORY, PROJECT_ROOT
from interlingua_loadtest.record.slo import Slo
from interlingua_loadtest.traffic.run_settings import RunSettings

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.profile.hardware_profile import HardwareProfile
    from interlingua_loadtest.capacity.simulate.highest_rate import HighestRate
    from interlingua_loadtest.rate_search.found_rate import FoundRate
    from interlingua_loadtest.traffic.run_settings import SearchPlan

_OUT = PROJECT_ROOT / "var" / "truth-test"
_REPEATS = 5  # simulated runs
_PRECISION = 0.05
_LAG_S = 0.05
_FIRST_TRY = 0.75  # of the predicted rate: where the search begins


@dataclass(frozen=True)
class TruthSetting:
    """What is predicted and measured.

    Attributes:
        instances: of every model, in place of what the repository says.
    """

    name: str
    settings: RunSettings
    slo: Slo
    instances: int | None = None


_MIX = "embed_query=30,embed_document=10,search=1"


def _setting(name: str, objective: str, instances: int | None = None, **settings: object) -> TruthSetting:
    return TruthSetting(name, replace(RunSettings(rate=1.0), **settings), Slo.parse(objective), instances)  # type: ignore[arg-type]


SETTINGS = (
    _setting("queries", "p99=100ms", kinds="embed_query=1"),
    _setting("queries in bursts, 4 times the rate in a tenth of the time", "p99=200ms", schedule="bursts"),
    _setting("queries, one instance of every model", "p99=100ms", instances=1),
    _setting("documents", "p99=300ms", kinds="embed_document=1"),
    _setting(
        "documents of 400 characters and more in ru, ar, hi",
        "p99=300ms",
        kinds="embed_document=1",
        languages="ru,ar,hi",
        lengths="400-2000",
    ),
    _setting("reranking 4 documents", "p99=500ms", kinds="rerank=1", depth="4"),
    _setting("searches, 3 candidates reranked", "p99=500ms", kinds="search=1", depth="3"),
    _setting("searches, 8 candidates reranked", "p99=1s", kinds="search=1", depth="8"),
    _setting("30 queries and 10 documents a search of 3", "p99=500ms", kinds=_MIX, depth="3"),
)


@dataclass(frozen=True, kw_only=True)
class Truth:
    """One row.

    Attributes:
        predicted, measured: requests a second, each with its 95% interval; NaN where none was found.
        error: predicted / measured - 1.
    """

    name: str
    objective: str
    predicted: float
    predicted_low: float
    predicted_high: float
    busiest: str
    measured: float
    measured_low: float
    measured_high: float
    error: float
    runs: int
    note: str


def main() -> int:
    """Test, print a table for the documentation, and write truth.json."""
    rows: list[Truth] = []
    status = 0
    try:
        rows.extend(_test(_arguments()))
    except InterlinguaError as error:
        print(f"error: {error}", file=sys.stderr)
        status = error.exit_code
    print("\n".join(_table(rows)))
    return status


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m interlingua_benchmarks.truth_test", description=main.__doc__)
    parser.add_argument("--profile", type=Path, default=PROJECT_ROOT / "var" / "profile.json")
    parser.add_argument("--model-repository", type=Path, default=DEFAULT_MODEL_REPOSITORY)
    parser.add_argument("--index", type=Path, help="index of helpdesk12; made in --out where there is none")
    parser.add_argument("--out", type=Path, default=_OUT, help="new folder for the runs' records")
    parser.add_argument("--seconds", type=float, default=20.0, help="seconds of a run")
    parser.add_argument("--tries", type=int, default=3, help="runs of a rate, at most")
    parser.add_argument("--only", default="", help="settings whose names hold this")
    parser.add_argument("--predict", action="store_true", help="do not measure")
    arguments = parser.parse_args()
    arguments.index = arguments.index or arguments.out / "index"
    return arguments


def _test(arguments: argparse.Namespace) -> Iterator[Truth]:
    from interlingua_loadtest.capacity.profile.hardware_profile import HardwareProfile
    from interlingua_loadtest.traffic.run_settings import SearchPlan

    profile = HardwareProfile.read(arguments.profile)
    if not arguments.predict and not arguments.index.exists():
        _make_index(arguments.model_repository, arguments.index)
    rows: list[Truth] = []
    for number, setting in enumerate(SETTINGS):
        if arguments.only not in setting.name:
            continue
        if "search" in setting.settings.shares:
            setting = replace(setting, settings=replace(setting.settings, index=str(arguments.index)))
        with _repository(arguments.model_repository, setting.instances) as repository:
            predicted = predict(setting, repository, profile, arguments.seconds)
            print(f"{setting.name}: {predicted.rate:.1f}/s predicted ({predicted.busiest})", file=sys.stderr)
            found = None
            if not arguments.predict:
                plan = SearchPlan(
                    seconds=arguments.seconds,
                    tries=arguments.tries,
                    precision=_PRECISION,
                    start_rate=_FIRST_TRY * predicted.rate,
                )
                found = measure(setting, repository, arguments.out / str(number), plan)
        rows.append(_truth(setting, predicted, found))
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "truth.json").write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
        yield rows[-1]


def _make_index(repository: Path, index: Path) -> None:
    from interlingua_client.index.indexer import Indexer, IndexSettings
    from interlingua_client.triton.inference import InferenceClient
    from interlingua_evaluation.datasets.sources import open_dataset
    from interlingua_loadtest.run import target

    documents = [document.indexed for document in open_dataset(RunSettings().dataset).documents]

    with (
        target.started(repository) as server,
        InferenceClient.connect(server.server) as client,
        Indexer.open(index, client, IndexSettings()) as indexer,
    ):
        indexer.add(documents)
        indexer.finish()


@contextmanager
def _repository(original: Path, instances: int | None) -> Iterator[Path]:
    """The repository itself, or one of the same files with other instance counts."""
    if instances is None:
        yield original
        return
    from interlingua.repository.triton_config import kind_of, set_instances
    from interlingua_benchmarks.changed_repository import changed_repository

    with changed_repository(original, lambda config: set_instances(config, kind_of(config), instances)) as changed:
        yield changed


def predict(setting: TruthSetting, repository: Path, profile: HardwareProfile, seconds: float) -> HighestRate:
    """The highest rate that the simulator finds, for runs of so many seconds."""
    from interlingua.repository.published import Published
    from interlingua_loadtest.capacity.profile.server_layout import ServerLayout
    from interlingua_loadtest.capacity.simulate.highest_rate import Runs, highest_rate
    from interlingua_loadtest.capacity.simulate.traffic_tokens import demand_of_run
    from interlingua_loadtest.traffic import schedule

    published = Published.read(repository)
    layout = ServerLayout.of(published, profile, with_clients=True)
    settings = setting.settings

    def bursts(rate: float, seconds: float, seed: int) -> schedule.FloatArray64:
        shape = {"factor": settings.burst_factor, "period_s": settings.burst_period_s, "share": settings.burst_share}
        return schedule.bursts(rate, seconds, seed, **shape)

    arrivals = bursts if settings.schedule == "bursts" else schedule.poisson
    runs = Runs(seconds=seconds, repeats=_REPEATS, precision=_PRECISION / 2, arrivals=arrivals)
    return highest_rate(demand_of_run(settings, published), layout, setting.slo, runs)


def measure(setting: TruthSetting, repository: Path, out: Path, plan: SearchPlan) -> FoundRate:
    """The highest rate that a server holds."""
    from interlingua_loadtest.rate_search.found_rate import line
    from interlingua_loadtest.rate_search.rate_runs import OfferRuns
    from interlingua_loadtest.rate_search.search import RateSearch
    from interlingua_loadtest.record.validity import ValidityBounds
    from interlingua_loadtest.run import target

    def show(found: FoundRate) -> None:
        if found.tries:
            print("  " + line(found.tries[-1]), file=sys.stderr)

    # The generator's lag is in the latency, and its work on the shared cores in the prediction.
    bounds = ValidityBounds(lag_p99_s=_LAG_S)
    with target.started(repository) as server:
        runs = OfferRuns(setting.settings, server, out, setting.slo, bounds=bounds)
        return RateSearch(runs, setting.slo, plan, show).find()


def _truth(setting: TruthSetting, predicted: HighestRate, found: FoundRate | None) -> Truth:
    nan = float("nan")
    measured = (found and found.rate) or nan
    return Truth(
        name=setting.name,
        objective=str(setting.slo),
        predicted=predicted.rate,
        predicted_low=predicted.low,
        predicted_high=predicted.high,
        busiest=predicted.busiest,
        measured=measured,
        measured_low=(found and found.low) or nan,
        measured_high=(found and found.high) or nan,
        error=predicted.rate / measured - 1,
        runs=len(found.tries) if found else 0,
        note=(found and found.stopped) or "",
    )


def _table(rows: list[Truth]) -> Iterator[str]:
    yield "| setting | objective | predicted /s | measured /s | error |"
    yield "|---|---|---|---|---|"
    for row in rows:
        predicted = f"{row.predicted:.1f} ({row.predicted_low:.1f} to {row.predicted_high:.1f})"
        measured = f"{row.measured:.1f} ({row.measured_low:.1f} to {row.measured_high:.1f})"
        yield f"| {row.name} | {row.objective} | {predicted} | {measured} | {100 * row.error:+.0f}% |"


if __name__ == "__main__":
    sys.exit(main())
