"""The whole comparison, from texts to tables, with the hash embedder and a tiny reranker."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from interlingua.base.errors import InputError
from interlingua.display.terminal import print_parts
from interlingua_benchmarks import reranker_table
from interlingua_evaluation.datasets.dataset import Dataset
from interlingua_evaluation.measures.relevance import Judge
from interlingua_evaluation.rerankers.first_stages import BASELINE, RAW
from interlingua_evaluation.rerankers.named_checkpoint import NamedCheckpoint
from interlingua_evaluation.rerankers.reranker_measurement import measure
from interlingua_evaluation.rerankers.reranker_report import RerankerReport
from interlingua_evaluation.rerankers.reranker_report_tables import as_markdown, grids
from interlingua_evaluation.serving import EmbeddingService
from interlingua_evaluation.significance.bootstrap import Interval
from interlingua_evaluation.systems.candidate_lists import MIXED, Pair, candidate_lists
from interlingua_evaluation.systems.dense_vectors import dense_vectors
from tests.evaluation.small_dataset import LANGUAGES, small_dataset
from tests.support.hash_embedder import HashEmbedder
from tests.support.tiny_reranker import RERANK_WEIGHT


@contextmanager
def connect() -> Iterator[HashEmbedder]:
    yield HashEmbedder()


SERVICE = EmbeddingService(HashEmbedder().identity.digest, connect)


def all_test(dataset: Dataset) -> Dataset:
    queries = tuple(query._replace(half="test") for query in dataset.queries)
    return Dataset("unsplit", dataset.documents, queries, dataset.qrels, dataset.facts)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evaluation")


@pytest.fixture(scope="module")
def report(reranker_folder: Path, cache: Path) -> RerankerReport:
    rerankers = [NamedCheckpoint("tiny", str(reranker_folder))]
    return measure(rerankers, [small_dataset(), all_test(small_dataset())], "test", SERVICE, cache)


def test_every_system_is_there_on_every_dataset(report: RerankerReport) -> None:
    for dataset in report.datasets:
        assert [system.name for system in dataset.systems] == [RAW, BASELINE, "tiny, alone", "tiny, mixed"]


def test_the_weight_comes_from_development_and_holds_for_every_dataset(report: RerankerReport) -> None:
    (facts,) = report.rerankers
    assert facts.weight_curve[facts.weight] == max(facts.weight_curve.values())
    assert [dataset.systems[3].weight for dataset in report.datasets] == [facts.weight] * 2
    assert [dataset.systems[2].weight for dataset in report.datasets] == [1.0, 1.0]


def test_without_a_development_half_the_weight_is_the_checkpoints(reranker_folder: Path, cache: Path) -> None:
    rerankers = [NamedCheckpoint("tiny", str(reranker_folder))]
    report = measure(rerankers, [all_test(small_dataset())], "test", SERVICE, cache)
    assert report.rerankers[0].weight == RERANK_WEIGHT
    assert report.rerankers[0].weight_curve == {}


def test_halves_are_apart_and_pools_whole(report: RerankerReport, reranker_folder: Path, cache: Path) -> None:
    rerankers = [NamedCheckpoint("tiny", str(reranker_folder))]
    development = measure(rerankers, [small_dataset()], "development", SERVICE, cache).datasets[0]
    test, unsplit = report.datasets
    assert test.queries + development.queries == unsplit.queries == 18
    assert test.groups + development.groups == unsplit.groups == 6
    assert test.documents == development.documents == 18


def test_figures_are_the_means_of_the_judged_lists(report: RerankerReport, cache: Path) -> None:
    dataset = all_test(small_dataset())
    vectors = dense_vectors(dataset, cache, SERVICE)
    lists = candidate_lists(dataset, vectors.searched(dataset, use_offsets=True))
    values = Judge(lists).ndcg(lists.documents)
    by_pair = {
        pair: np.mean([value for value, other in zip(values, lists.pairs, strict=True) if other == pair])
        for pair in set(lists.pairs)
    }
    baseline = report.datasets[1].systems[1]
    assert {pair: interval.mean for pair, interval in baseline.pairs.items()} == pytest.approx(by_pair)
    across = [value for pair, value in by_pair.items() if pair.pool not in (pair.asked, MIXED)]
    assert len(across) == 6
    assert baseline.ndcg.across.mean == pytest.approx(np.mean(across))


def test_differences_are_from_the_baseline(report: RerankerReport) -> None:
    for dataset in report.datasets:
        baseline = dataset.systems[1]
        assert baseline.difference is None
        for system in (dataset.systems[0], *dataset.systems[2:]):
            assert system.difference is not None
            for kind in ("same", "across", "mixed"):
                expected = getattr(system.ndcg, kind).mean - getattr(baseline.ndcg, kind).mean
                assert getattr(system.difference, kind).mean == pytest.approx(expected)
            assert set(system.pair_differences) == {Pair(a, b) for a in LANGUAGES for b in (*LANGUAGES, MIXED)}


def test_json_holds_every_figure(report: RerankerReport) -> None:
    values = json.loads(json.dumps(report.as_json()))
    system = values["datasets"][0]["systems"][3]
    interval = report.datasets[0].systems[3].pairs[Pair("de", "sv")]
    assert system["pairs"]["de>sv"] == pytest.approx(list(interval), abs=1e-5)
    assert set(system["pair_differences"]) == {f"{a}>{b}" for a in LANGUAGES for b in (*LANGUAGES, MIXED)}
    assert values["bootstrap"]["resamples"] == 10_000
    assert values["rerankers"][0]["weight_curve"].keys() == {f"{step / 10}" for step in range(11)}
    assert len(values["rerankers"][0]["digest"]) == 64


def test_tables_show_means_and_differences(report: RerankerReport) -> None:
    shown_on = io.StringIO()
    print_parts(grids(report), out=Console(width=200, file=shown_on))
    text, markdown = shown_on.getvalue(), as_markdown(report)
    mixed = report.datasets[0].systems[3]
    assert mixed.difference is not None
    difference = mixed.difference.across
    for shown in (text, markdown):
        assert f"{mixed.ndcg.across.mean:.3f}" in shown
        assert f"{difference.mean:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]" in shown
        assert "small, test half" in shown
    rows = [line for line in markdown.splitlines() if line.startswith("| ")]
    assert len({line.count("|") for line in rows}) <= 3  # three kinds of tables, each with its own width


def test_a_datasets_facts_stand_below_its_table(report: RerankerReport) -> None:
    assert "- source: written by hand" in as_markdown(report)


@pytest.mark.parametrize(
    ("interval", "is_worse", "is_better"),
    [((-0.1, -0.2, -0.01), True, False), ((-0.1, -0.2, 0.0), False, False), ((0.1, 0.01, 0.2), False, True)],
)
def test_worse_and_better_exclude_zero(interval: tuple[float, float, float], is_worse: bool, is_better: bool) -> None:
    assert (Interval(*interval).is_worse, Interval(*interval).is_better) == (is_worse, is_better)


def test_a_reranker_that_is_not_there(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing-here"):
        measure([NamedCheckpoint("x", str(tmp_path / "nothing-here"))], [small_dataset()], "test", SERVICE, cache)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--system", "a"], "'a' is not NAME=CHECKPOINT"),
        (["--system", "=x"], "'=x' is not NAME=CHECKPOINT"),
        (["--system", "a=x", "--system", "a=y"], "two systems are called a"),
        (["--gnome", "/nowhere"], "'/nowhere' does not exist"),
        (["--half", "both"], "'both' is not one of"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_arguments_that_are_wrong(arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(reranker_table.main, arguments)
    assert done.exit_code == 2
    assert message in done.output
