"""Quality against cost: the front, floors and joins, on figures written by hand and on a tiny published model."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua.base.record_file import write_record
from interlingua.repository.published import Published
from interlingua.repository.triton_config import Placement
from interlingua_client.index.language_offsets import LanguageOffsets
from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query
from interlingua_evaluation.measures.relevance import Judge
from interlingua_evaluation.report.averages import Averager
from interlingua_evaluation.report.list_values import ListValues
from interlingua_evaluation.report.model import (
    DECIMALS,
    FORMAT,
    Breakdown,
    DatasetFacts,
    Figure,
    LanguageCounts,
    MeasureFigures,
    ModelFacts,
)
from interlingua_evaluation.report.saved_report import FILE, SavedReport
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, CandidateLists, Pair, candidate_lists
from interlingua_evaluation.systems.dense_vectors import DenseVectors
from interlingua_evaluation.systems.system_name import SystemName
from interlingua_evaluation.systems.trec_run import write_run
from interlingua_exporter.export import export
from interlingua_exporter.export_request import ExportRequest
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.publication.candidate import ServingOptions
from interlingua_loadtest.capacity.index.index_cost import IndexCost
from interlingua_loadtest.capacity.profile.hardware_profile import HardwareProfile
from interlingua_loadtest.capacity.profile.server_layout import TextCost
from interlingua_loadtest.capacity.profile.service_time import ServiceTimeModel
from interlingua_loadtest.capacity.simulate.highest_rate import Runs
from interlingua_loadtest.record.slo import Slo
from interlingua_loadtest.tradeoff.floors import Floors
from interlingua_loadtest.tradeoff.graph_quality import GraphQuality, through_graph
from interlingua_loadtest.tradeoff.joined_report import JoinedReport, ReportSource
from interlingua_loadtest.tradeoff.make_tradeoff import TradeoffGoal, make_tradeoff
from interlingua_loadtest.tradeoff.pareto_front import by_cost, placed
from interlingua_loadtest.tradeoff.records import PlacedSetting, ServingSetting, SettingCost, Tradeoff
from interlingua_loadtest.tradeoff.scatter import page
from interlingua_loadtest.tradeoff.setting_cost import FirstStageCost, looked_at
from interlingua_loadtest.tradeoff.verdict import verdict
from tests.evaluation.report_sample import bare_report

BARE = bare_report()
SLO = Slo(99, 0.3)


def _figure(mean: float, half: float = 0.05) -> Figure:
    return Figure(mean, mean - half, mean + half, 20, 20)


def _ndcg(mixed: float, half: float = 0.05) -> MeasureFigures:
    """Of German asking English 0.1 more than the mixed pool, the other way round 0.1 less."""
    across = {Pair("de", "en"): _figure(mixed + 0.1), Pair("en", "de"): _figure(mixed - 0.1)}
    return MeasureFigures(Breakdown(None, _figure(mixed), _figure(mixed, half)), {}, across)


def _row(system: str, cpu_s: float | None, mixed: float, half: float = 0.05) -> PlacedSetting:
    cost = (
        None
        if cpu_s is None
        else SettingCost(
            rate=10.0, low=9.0, high=11.0, p99_s=0.2, busiest="cores", first_stage_s=0.0, cpu_s=cpu_s, price=None
        )
    )
    return PlacedSetting(setting=ServingSetting("int8", system, 0, None, _ndcg(mixed, half)), cost=cost)


ROWS = [
    _row("best", 900.0, 0.60),
    _row("cheap", 100.0, 0.40),
    _row("worse", 200.0, 0.32),
    _row("middle", 300.0, 0.50),
    _row("nearly", 400.0, 0.48),
    _row("impossible", None, 0.90),
]


def test_the_front_by_hand() -> None:
    found = {row.setting.system: row for row in placed(ROWS, "mixed")}
    assert [name for name, row in found.items() if row.on_front] == ["best", "cheap", "middle"]
    # `worse` costs more than `cheap` alone, whose interval 0.35 to 0.45 overlaps its 0.27 to 0.37.
    assert (found["worse"].dominated_by, found["worse"].told_apart) == ("int8 cheap", False)
    assert (found["nearly"].dominated_by, found["nearly"].told_apart) == ("int8 middle", False)
    assert found["impossible"].dominated_by == ""
    assert not found["impossible"].on_front


def test_what_is_far_below_is_told_apart() -> None:
    rows = placed([_row("good", 100.0, 0.6, 0.02), _row("bad", 100.0, 0.5, 0.02)], "mixed")
    assert (rows[1].dominated_by, rows[1].told_apart) == ("int8 good", True)


def test_settings_that_are_equal_do_not_dominate_each_other() -> None:
    assert all(row.on_front for row in placed([_row("one", 1.0, 0.5), _row("other", 1.0, 0.5)], "mixed"))


def test_of_equal_cost_the_better_comes_first_and_the_impossible_last() -> None:
    rows = by_cost([*ROWS, _row("as cheap", 100.0, 0.45)], "mixed")
    assert [row.setting.system for row in rows][:3] == ["as cheap", "cheap", "worse"]
    assert rows[-1].setting.system == "impossible"


def test_floors_name_the_pair_that_fails_and_by_how_much() -> None:
    floors = Floors.parse(["ndcg@10=0.5", "pair:de>en:ndcg@10=0.45", "worst-pair:ndcg@10=0.42"])
    held = floors.judged(_row("best", 900.0, 0.60))
    assert held.fits
    failed = floors.judged(_row("cheap", 100.0, 0.40))
    # de>en is 0.5; the worst pair is en>de, 0.3.
    assert failed.failures == ("across 0.400 < 0.5", "mixed 0.400 < 0.5", "en>de 0.300 < 0.42")
    assert failed.shortfall == pytest.approx(0.12)
    assert not failed.fits


def test_a_pair_that_was_not_evaluated_holds_no_floor() -> None:
    row = Floors.parse(["pair:sw>en:ndcg@10=0.1"]).judged(_row("best", 1.0, 0.6))
    assert row.failures == ("sw>en not in the report < 0.1",)


def test_the_verdict_is_the_cheapest_that_fits() -> None:
    floors = Floors.parse(["ndcg@10=0.45"])
    rows = by_cost([floors.judged(row) for row in ROWS], "mixed")
    assert verdict(rows, floors.specs, SLO) == (
        "cheapest that holds p99=300ms, ndcg@10=0.45: int8 middle, 300 core seconds a million searches."
    )


def test_the_verdict_says_what_came_closest() -> None:
    floors = Floors.parse(["worst-pair:ndcg@10=0.55"])
    rows = by_cost([floors.judged(row) for row in ROWS], "mixed")
    # Of those that hold the objective `best` has the best worst pair, 0.6 - 0.1.
    found = verdict(rows, floors.specs, SLO)
    assert found.startswith(
        "nothing holds p99=300ms, worst-pair:ndcg@10=0.55. int8 best comes closest and fails en>de 0.5"
    )


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("dense|ndcg@10=0.5", "leave dense| out"),
        ("recall@100=0.5", "one of ndcg@10"),
        ("ndcg@10=5", "--floor.*not a number from 0 to 1"),
    ],
)
def test_floors_that_are_none(spec: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint.replace("|", r"\|")):
        Floors.parse([spec])


# -- through the graph ---------------------------------------------------------------------------------------


def test_what_the_graph_misses_is_taken_out_of_the_list() -> None:
    documents = tuple(JudgedDocument(f"d{number}", "en", "", f"text {number}", f"g{number}") for number in range(6))
    queries = tuple(Query(f"q{number}", "en", "what", "plain", f"g{number}", "test") for number in range(2))
    dataset = Dataset("hand", documents, queries, {"q0": {"d0": 1}, "q1": {"d1": 1}}, {})
    order = np.array([[3, 1, 2, 0], [3, 1, 2, 0], [0, 1, 2, 3]])
    lists = CandidateLists(
        dataset=dataset,
        queries=np.array([0, 0, 1]),
        pools=("en", MIXED, MIXED),
        documents=order,
        scores=np.zeros_like(order, np.float32),
        not_a_number=np.zeros(3, np.int64),
    )
    # Of the first query the graph reaches 5, 2 and 3: 1 and 0 go, 5 comes after what was ranked. The pool of one
    # language is compared exactly, and so is the second query, whose search the graph did not answer.
    ranked = through_graph(lists, {0: np.array([5, 2, 3])})
    assert ranked.tolist() == [[3, 1, 2, 0], [3, 2, 5, NOTHING], [0, 1, 2, 3]]


def test_a_graph_that_finds_everything_changes_no_figure(tmp_path: Path) -> None:
    random, nothing = np.random.default_rng(0), np.zeros(8, np.float32)
    documents = tuple(JudgedDocument(f"d{number}", "en", "", f"text {number}", f"g{number}") for number in range(60))
    queries = tuple(Query(f"q{number}", "en", "what", "plain", f"g{number}", "test") for number in range(12))
    dataset = Dataset("hand", documents, queries, {f"q{number}": {f"d{number}": 1} for number in range(12)}, {})
    vectors = DenseVectors(
        random.standard_normal((60, 8), dtype=np.float32),
        random.standard_normal((12, 8), dtype=np.float32),
        LanguageOffsets.from_means({"": nothing}, {"": nothing}),
    )
    lists = candidate_lists(dataset, vectors.searched(dataset, use_offsets=False), 100)
    write_run(lists, tmp_path / "runs", "dense")
    measured = Averager(lists, lists.of_half("test")).measure(Judge(lists).ndcg(lists.documents))
    name = SystemName(first="dense")
    words = np.array(["en"])
    values = ListValues(query=words, pool=words, language=words, kind=words, group=words, values={})
    saved = SavedReport(tmp_path, replace(BARE, dataset=_facts("hand", dataset.digest)), values)
    models = Published(tmp_path, {}, {})
    report = JoinedReport(
        source=ReportSource("a", tmp_path, tmp_path),
        saved=saved,
        models=models,
        ndcg={name: measured},
        left_out=(),
        languages=("en",),
        detected=False,
    )
    found = GraphQuality(report, dataset, vectors).measure(name, [200])
    assert found[200] == measured
    assert 0 < measured.pairs[Pair("en", MIXED)].mean < 1


def test_an_ef_below_the_candidates_is_as_many_candidates() -> None:
    assert [looked_at(50, 16), looked_at(50, 64), looked_at(0, 1)] == [50, 64, 10]


def test_small_corpora_are_compared_exactly() -> None:
    cost = IndexCost.load()
    assert FirstStageCost(cost, 20_000, 384).is_exact
    large = FirstStageCost(cost, 20_001, 384)
    assert not large.is_exact
    assert large.seconds(50, 16) == cost.query_s(20_001, 384, 16, 50)
    assert large.seconds(0, None) == cost.exact_s(20_001, 384)


# -- joined with a published model ---------------------------------------------------------------------------

MakeFolder = Callable[..., Path]
SOON = Slo(99, 0.05)  # the simulated time grows with the objective
SERVING = ServingOptions(placement=Placement("cpu", 2, 1), max_batch_size=16, max_batch_tokens=512)
SYSTEMS = {"bm25": 0.2, "dense": 0.4, "dense+offsets": 0.5, "dense+offsets+rerank@10": 0.6}


@pytest.fixture(scope="module")
def repository(make_folder: MakeFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tradeoff") / "models"
    for folder in (make_folder("bert", pooling="mean", normalize=True), make_folder("xlm-roberta", labels=1)):
        export(
            ExportRequest(model=resolve(str(folder)), precision="fp32", repository=root, serving=SERVING),
            _ignored,
        )
    return root


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    tags = ("de", "en")
    documents = tuple(
        JudgedDocument(f"a.{tag}", tag, "title", f"An answer in {tag}, of some words", "a") for tag in tags
    )
    queries = tuple(Query(f"q.{tag}", tag, f"A question in {tag}", "plain", "a", "test") for tag in tags)
    return Dataset("hand", documents, queries, {query.id: {"a.de": 1, "a.en": 1} for query in queries}, {})


def _facts(name: str, digest: str, languages: Sequence[str] = ()) -> DatasetFacts:
    counts = tuple(LanguageCounts(tag, 1, 1, None) for tag in languages)
    return replace(BARE.dataset, name=name, digest=digest, half="test", languages=counts)


def _report(folder: Path, of: Dataset, repository: Path, **changes: Any) -> Path:
    """As `interlingua evaluate` writes it."""
    models = Published.read(repository)
    made = {
        role: spec and ModelFacts(spec.model_id, "", spec.precision, spec.digest, "")
        for role, spec in (("embedder", models.embedder), ("reranker", models.reranker))
    }
    systems = (replace(BARE.systems[0], name=name, measures={"nDCG@10": _ndcg(mean)}) for name, mean in SYSTEMS.items())
    report = replace(
        BARE,
        best="dense",
        dataset=_facts(of.name, of.digest, of.languages),
        configuration=replace(BARE.configuration, query_language="given", **made),
        systems=tuple(systems),
    )
    write_record(folder / FILE, replace(report, **changes), made_format=FORMAT, decimals=DECIMALS)
    words = np.array(["de"])
    ListValues(
        query=words, pool=words, language=words, kind=words, group=words, values={"dense": {"nDCG@10": np.array([0.5])}}
    ).save(folder)
    return folder


@pytest.fixture
def source(tmp_path: Path, dataset: Dataset, repository: Path) -> ReportSource:
    return ReportSource("fp32", _report(tmp_path / "report", dataset, repository), repository)


def _profile() -> HardwareProfile:
    times = [
        ServiceTimeModel(network=name, precision="fp32", threads=1, call_s=1e-3, token_s=1e-4)
        for name in ("embedder", "reranker")
    ]
    return HardwareProfile(
        name="written down",
        origin="estimated",
        hardware={"cpu": "none"},
        networks=tuple(times),
        text=TextCost(),
        cores=2,
    )


def _ignored(line: str) -> None:
    """Progress."""


def _wanted(tmp_path: Path, slo: Slo = SOON, *floors: str, documents: int | None = None) -> TradeoffGoal:
    few = Runs(requests=200, repeats=2, precision=0.1)
    return TradeoffGoal(
        slo=slo,
        floors=Floors.parse(floors),
        scope="mixed",
        documents=documents,
        ef_searches=(16, 64),
        price_per_hour=3.6,
        cache=tmp_path,
        runs=few,
    )


@pytest.fixture(scope="module")
def whole(repository: Path, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Tradeoff:
    folder = tmp_path_factory.mktemp("whole")
    source = ReportSource("fp32", _report(folder / "report", dataset, repository), repository)
    wanted = _wanted(folder, SOON, "mixed:ndcg@10=0.55")
    return make_tradeoff([JoinedReport.read(source)], dataset, [_profile()], IndexCost.load(), wanted, _ignored)


def test_a_whole_tradeoff(whole: Tradeoff) -> None:
    assert [row.setting.system for row in whole.rows] == ["dense+offsets", "dense", "dense+offsets+rerank@10"]
    offsets, dense, reranked = whole.rows
    assert (offsets.on_front, reranked.on_front, dense.dominated_by) == (True, True, "fp32 dense+offsets")
    assert whole.cheapest is reranked
    assert "cheapest that holds p99=50ms, mixed:ndcg@10=0.55: fp32 dense+offsets+rerank@10" in whole.verdict
    assert any("bm25" in note for note in whole.notes)
    assert any("ef_search plays no part" in note for note in whole.notes)
    for row in whole.rows:
        assert row.cost is not None
        # Both cores for 1 / rate seconds, and the client for its first stage; 3.6 an hour is 0.0005 a core second.
        assert row.cost.cpu_s == pytest.approx(1e6 * (2 / row.cost.rate + row.cost.first_stage_s))
        assert row.cost.price == pytest.approx(0.0005 * row.cost.cpu_s)
        assert row.cost.p99_s <= SOON.limit_s


def test_what_cannot_be_measured_is_said(source: ReportSource, dataset: Dataset, tmp_path: Path) -> None:
    wanted = _wanted(tmp_path, documents=10**6)
    found = make_tradeoff([JoinedReport.read(source)], dataset, [_profile()], IndexCost.load(), wanted, _ignored)
    assert {row.setting.ef_search for row in found.rows} == {128}
    assert any("ef_search is left at its default, 128" in note for note in found.notes)
    assert any("extrapolated: count 1,000,000" in note for note in found.notes)


class _Marks(HTMLParser):
    """The titles of the points."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.found, self.addresses = "", list[str](), list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        if self.inside == "title" and data.startswith("fp32 "):
            self.found.append(data)


def test_the_page_has_a_point_a_setting_and_needs_nothing_else(whole: Tradeoff) -> None:
    marks = _Marks()
    marks.feed(page(whole))
    assert [text.split(":")[0] for text in marks.found] == [row.setting.name for row in whole.rows]
    assert marks.found[0].endswith("fails mixed 0.500 < 0.55")
    assert marks.addresses == []


def test_json_names_the_cheapest_and_every_worst_pair(whole: Tradeoff) -> None:
    found = json.loads(json.dumps(whole.to_json(), allow_nan=False))
    assert found["cheapest"] == "fp32 dense+offsets+rerank@10"
    assert [row["worst_pair"] for row in found["rows"]] == ["en>de"] * 3


def test_an_impossible_objective_is_said_in_words(source: ReportSource, dataset: Dataset, tmp_path: Path) -> None:
    # A lone call takes a millisecond and more.
    wanted = _wanted(tmp_path, Slo(99, 0.001))
    with pytest.raises(InputError, match=r"no setting holds p99=1ms.*lone requests"):
        make_tradeoff([JoinedReport.read(source)], dataset, [_profile()], IndexCost.load(), wanted, _ignored)


def test_depths_that_miss_the_objective_have_no_cost(source: ReportSource, dataset: Dataset, tmp_path: Path) -> None:
    # Ten pairs of a dozen tokens take some 10 ms, a query 2.
    wanted = _wanted(tmp_path, Slo(99, 0.006))
    found = make_tradeoff([JoinedReport.read(source)], dataset, [_profile()], IndexCost.load(), wanted, _ignored)
    assert [row.setting.system for row in found.rows if row.cost is None] == ["dense+offsets+rerank@10"]
    assert "lone requests" in found.rows[-1].impossible


def test_a_report_of_another_model_is_refused(dataset: Dataset, repository: Path, tmp_path: Path) -> None:
    other = ModelFacts("other", "", "int8", "0123456789abcdef", "")
    configuration = replace(BARE.configuration, embedder=other)
    folder = _report(tmp_path / "report", dataset, repository, configuration=configuration)
    with pytest.raises(InputError, match=r"embedder is other in int8 \(0123456789ab\).* in fp32"):
        JoinedReport.read(ReportSource("int8", folder, repository))


def test_reports_of_two_datasets_are_refused(source: ReportSource, dataset: Dataset, tmp_path: Path) -> None:
    facts = _facts("other", "abc")
    other = replace(source, label="b", report=_report(tmp_path / "b", dataset, source.repository, dataset=facts))
    reports = [JoinedReport.read(source), JoinedReport.read(other)]
    with pytest.raises(
        InputError, match=r"fp32 was evaluated on hand, test half .*b was evaluated on other, test half \(abc\)"
    ):
        make_tradeoff(reports, dataset, [_profile()], IndexCost.load(), _wanted(tmp_path), _ignored)


def test_a_dataset_that_has_changed_is_refused(source: ReportSource, dataset: Dataset, tmp_path: Path) -> None:
    changed = replace(dataset, qrels={"q.de": {"a.en": 1}})
    with pytest.raises(InputError, match=r"hand now has .*--dataset"):
        make_tradeoff([JoinedReport.read(source)], changed, [_profile()], IndexCost.load(), _wanted(tmp_path), _ignored)


def test_two_settings_need_two_labels(source: ReportSource, dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a label of its own"):
        make_tradeoff(
            [JoinedReport.read(source)] * 2, dataset, [_profile()], IndexCost.load(), _wanted(tmp_path), _ignored
        )


@pytest.mark.parametrize("text", ["int8", "int8=report", "=a:b", "int8=:b"])
def test_a_setting_that_is_none(text: str) -> None:
    with pytest.raises(InputError, match="int8=REPORT:REPOSITORY"):
        ReportSource.parse(text)


def test_a_setting_names_the_report_or_its_folder() -> None:
    assert ReportSource.parse("int8=var/r/report.json:models") == ReportSource.parse("int8=var/r:models")


def test_the_command_says_what_is_wrong_and_exits_with_bad_input(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from interlingua_cli.tradeoff import command

    arguments = ["--setting", "int8", "--profile", str(tmp_path / "none.json"), "--slo", "p99=300ms"]
    result = CliRunner().invoke(command, arguments)
    assert isinstance(result.exception, InputError)
    assert "int8=REPORT:REPOSITORY" in str(result.exception)
