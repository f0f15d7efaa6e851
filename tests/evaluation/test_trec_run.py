"""Runs on the disk: read back as they were, and measured by others as they are measured here."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import ir_measures
import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua_evaluation.data_folders import HELPDESK12
from interlingua_evaluation.datasets.beir.beir_folder import read_beir_folder
from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query
from interlingua_evaluation.measures.relevance import Judge
from interlingua_evaluation.systems.candidate_lists import NOTHING, CandidateLists, candidate_lists
from interlingua_evaluation.systems.first_stage import Matrix
from interlingua_evaluation.systems.lexical import Bm25Stage
from interlingua_evaluation.systems.trec_run import read_run, write_qrels, write_run
from tests.evaluation.small_dataset import small_dataset


def pair_dataset(*ids: str) -> Dataset:
    """English documents of these ids and a query of the same id each, which all of them answer; the first best."""
    documents = tuple(JudgedDocument(id_, "en", "", "text", id_) for id_ in ids)
    queries = tuple(Query(id_, "en", "text", "plain", id_, "test") for id_ in ids)
    grades = {id_: 2 if id_ == ids[0] else 1 for id_ in ids}
    return Dataset("pair", documents, queries, dict.fromkeys(ids, grades), {})


def lists_of(dataset: Dataset, scores: list[list[float]], depth: int = 3) -> CandidateLists:
    return candidate_lists(dataset, Matrix(np.array(scores, dtype=np.float32)), depth)


def lines_of(file: Path) -> list[str]:
    return gzip.decompress(file.read_bytes()).decode().splitlines()


@pytest.fixture(scope="module")
def helpdesk() -> CandidateLists:
    """Lists by BM25: in four pools of five nothing is found."""
    dataset = read_beir_folder(HELPDESK12)
    lists = candidate_lists(dataset, Bm25Stage.of(dataset), 30)
    assert (~lists.filled.any(axis=1)).sum() > 1000
    return lists


def test_a_run_is_read_back_as_it_was(helpdesk: CandidateLists, tmp_path: Path) -> None:
    folder = write_run(helpdesk, tmp_path, "bm25")
    again = read_run(folder, helpdesk.dataset)
    assert np.array_equal(again.documents, helpdesk.documents)
    assert np.array_equal(again.queries, helpdesk.queries)
    assert again.pools == helpdesk.pools
    assert again.scores == pytest.approx(helpdesk.scores, rel=1e-5)
    assert not again.not_a_number.any()


def test_scores_without_ties_are_read_back_to_the_last_bit(tmp_path: Path) -> None:
    dataset = small_dataset()
    random = np.random.default_rng(1).standard_normal((18, 18)).astype(np.float32)
    lists = candidate_lists(dataset, Matrix(random), 10)
    again = read_run(write_run(lists, tmp_path, "random"), dataset, depth=10)
    assert np.array_equal(again.scores, lists.scores)
    assert np.array_equal(again.documents, lists.documents)


def test_the_lines_of_a_small_run(tmp_path: Path) -> None:
    """The 32-bit number next below 1 is 1 - 2^-24 = 0.99999994."""
    dataset = pair_dataset("a", "b")
    lists = lists_of(dataset, [[0.25, 1], [1, 1]])
    folder = write_run(lists, tmp_path, "dense + offsets")
    assert folder == tmp_path / "dense-+-offsets"
    assert sorted(file.name for file in folder.iterdir()) == ["en.trec.gz", "mixed.trec.gz"]
    assert lines_of(folder / "en.trec.gz") == [
        "a Q0 b 1 1 dense-+-offsets",
        "a Q0 a 2 0.25 dense-+-offsets",
        "b Q0 a 1 1 dense-+-offsets",
        "b Q0 b 2 0.99999994 dense-+-offsets",
    ]
    assert write_qrels(lists, tmp_path) == tmp_path / "qrels"
    assert (tmp_path / "qrels" / "mixed.qrels").read_text() == "a 0 a 2\na 0 b 1\nb 0 a 2\nb 0 b 1\n"


@pytest.mark.parametrize(
    "scores",
    [[[1.0] * 5], [[0.0] * 5], [[-3.5, 2, 2, -3.5, 1e-30]], [[1, np.nextafter(np.float32(1), np.float32(0)), 1, 1, 1]]],
)
def test_written_scores_fall_in_32_bits(scores: list[list[float]], tmp_path: Path) -> None:
    dataset = pair_dataset(*"abcde")
    folder = write_run(lists_of(dataset, scores * 5, depth=5), tmp_path, "ties")
    written = [np.float32(line.split()[4]) for line in lines_of(folder / "en.trec.gz")[:5]]
    assert all(one > other for one, other in pairwise(written))
    assert np.array(written) == pytest.approx(sorted(scores[0], reverse=True), abs=1e-6)


def test_ir_measures_gives_from_the_files_what_the_judge_gives(helpdesk: CandidateLists, tmp_path: Path) -> None:
    check_ndcg(helpdesk, tmp_path)


def test_and_of_tied_scores_and_two_grades(tmp_path: Path) -> None:
    """Rounded to tenths, most scores are tied; trec_eval would put the greater id first."""
    rounded = np.round(np.random.default_rng(2).random((18, 18)), 1).astype(np.float32)
    lists = candidate_lists(small_dataset(), Matrix(rounded), 12)
    assert any(len(set(row)) < len(row) for row in lists.scores.tolist())
    check_ndcg(lists, tmp_path)


def check_ndcg(lists: CandidateLists, root: Path) -> None:
    """A grade is mapped to the gain that the judge gives it; the files hold the grades themselves."""
    run, qrels = write_run(lists, root, "system"), write_qrels(lists, root)
    expected = Judge(lists).ndcg(lists.documents)
    assert 0 < expected.mean() < 1
    found = {}
    for pool in set(lists.pools):
        judged = list(ir_measures.read_trec_qrels(str(qrels / f"{pool}.qrels")))
        scored = list(ir_measures.read_trec_run(str(run / f"{pool}.trec.gz")))
        for metric in ir_measures.iter_calc([ir_measures.nDCG @ 10], judged, scored):
            found[metric.query_id, pool] = metric.value
    keys = [(lists.dataset.queries[query].id, pool) for query, pool in zip(lists.queries, lists.pools, strict=True)]
    assert [found[key] for key in keys] == pytest.approx(expected.tolist(), abs=1e-9)
    assert len(found) == len(keys)


def test_equal_lists_are_equal_files(helpdesk: CandidateLists, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write_run(helpdesk, tmp_path / "one", "bm25") / "en.trec.gz"
    monkeypatch.setattr("time.time", lambda: 2e9)
    second = write_run(helpdesk, tmp_path / "two", "bm25") / "en.trec.gz"
    assert first.read_bytes() == second.read_bytes()


def test_a_run_replaces_the_one_before_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    dataset = pair_dataset("a", "b")
    for scores in ([[1.0, 2.0], [3.0, 4.0]], [[2.0, 1.0], [4.0, 3.0]]):
        folder = write_run(lists_of(dataset, scores), tmp_path, "again")
    assert [line.split()[2] for line in lines_of(folder / "en.trec.gz")] == ["a", "b", "a", "b"]
    assert sorted(file.name for file in folder.iterdir()) == ["en.trec.gz", "mixed.trec.gz"]


def test_ids_with_whitespace_and_percent_signs(tmp_path: Path) -> None:
    dataset = pair_dataset("a b", "a%20b", "tab\there", "line\nbreak", "no\u00a0break", "ein-Haus/ß.de", "100%")
    scores = np.random.default_rng(3).random((7, 7)).astype(np.float32)
    lists = candidate_lists(dataset, Matrix(scores), 7)
    folder = write_run(lists, tmp_path, "spaces")
    assert lines_of(folder / "en.trec.gz")[0].split()[0] == "a%20b"
    assert all(len(line.split()) == 6 for line in lines_of(folder / "en.trec.gz"))
    assert np.array_equal(read_run(folder, dataset).documents, lists.documents)


@pytest.fixture
def write_lines(tmp_path: Path) -> Callable[[str], Path]:
    """Write these lines as the run of both pools of `pair_dataset`; gives the run's folder."""

    def write(lines: str) -> Path:
        for pool in ("en", "mixed"):
            (tmp_path / f"{pool}.trec.gz").write_bytes(gzip.compress(lines.encode()))
        return tmp_path

    return write


def test_a_run_of_somebody_else(write_lines: Callable[[str], Path]) -> None:
    """In no order, tied, with raw ids, a score that is none, one of -inf, and a query that cannot be judged."""
    dataset = pair_dataset("50%", "b", "c", "d", "e")
    dataset = replace(dataset, qrels={id_: grades for id_, grades in dataset.qrels.items() if id_ != "e"})
    folder = write_lines(
        "b Q0 c 9 0.5 x\n"
        "50% Q0 d 1 1e1 x\n"
        "\n"
        "b  0 50%   1 2 x\n"
        "b Q0 b 0 0.5 x\n"
        "b Q0 d 0 nan x\n"
        "b Q0 e 0 -inf x\n"
        "e Q0 e 1 1 x\n"
    )
    lists = read_run(folder, dataset)
    assert (lists.queries.tolist(), lists.pools) == ([0, 1, 2, 3] * 2, ("en",) * 4 + ("mixed",) * 4)
    assert lists.documents[:4].tolist() == [[3, NOTHING, NOTHING], [0, 2, 1], [NOTHING] * 3, [NOTHING] * 3]
    assert lists.scores[:2].tolist() == [[10, 0, 0], [2, 0.5, 0.5]]
    assert lists.not_a_number[:4].tolist() == [0, 1, 0, 0]
    assert read_run(folder, dataset, depth=2).documents[1].tolist() == [0, 2]
    assert read_run(folder, dataset, depth=5).documents[1].tolist() == [0, 2, 1, NOTHING, NOTHING]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("a Q0 b 1 1 x\na Q0 b 1 x\n", r"en\.trec\.gz, line 2: expected query Q0 document rank score tag"),
        ("a Q0 b 1 good x\n", "line 1: expected query"),
        ("a Q0 z 1 1 x\n", "line 1: the pool has no query or document 'z'"),
        ("z Q0 a 1 1 x\n", "line 1: the pool has no query or document 'z'"),
        ("a Q0 b 1 2 x\na Q0 b 2 1 x\n", "line 2: the query 'a' has the document 'b' already"),
    ],
)
def test_lines_that_are_wrong(lines: str, message: str, write_lines: Callable[[str], Path]) -> None:
    with pytest.raises(InputError, match=message):
        read_run(write_lines(lines), pair_dataset("a", "b"))


def test_a_document_of_another_pool_is_refused(tmp_path: Path) -> None:
    dataset = small_dataset()
    folder = write_run(candidate_lists(dataset, Matrix(np.zeros((18, 18), np.float32)), 2), tmp_path, "zeros")
    (folder / "en.trec.gz").write_bytes((folder / "de.trec.gz").read_bytes())
    with pytest.raises(InputError, match=r"en\.trec\.gz, line 1: the pool has no query or document 'cat\.de'"):
        read_run(folder, dataset)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"a Q0 b 1 1 x\n", id="not gzip"),
        pytest.param(gzip.compress(b"a Q0 b 1 1 x\n")[:-6], id="cut off"),
        pytest.param(gzip.compress(b"\xff"), id="not UTF-8"),
    ],
)
def test_files_that_cannot_be_read(content: bytes, tmp_path: Path) -> None:
    dataset = pair_dataset("a", "b")
    with pytest.raises(InputError, match="cannot read the run"):
        read_run(tmp_path, dataset)
    (tmp_path / "en.trec.gz").write_bytes(content)
    with pytest.raises(InputError, match="cannot read the run"):
        read_run(tmp_path, dataset)


@pytest.mark.parametrize("name", ["qrels", "", " ", "..", "/"])
def test_names_that_cannot_be_a_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give the system another name"):
        write_run(lists_of(pair_dataset("a"), [[1.0]]), tmp_path, name)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        write_run(lists_of(pair_dataset("a"), [[1.0]]), tmp_path / "file", "bm25")


def test_an_empty_id(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="an empty id"):
        write_run(lists_of(pair_dataset(""), [[1.0]]), tmp_path, "bm25")
