"""Judgments by their columns: names decide, TREC's four are known, and no first line is lost."""

from __future__ import annotations

import gzip
from pathlib import Path

import ir_measures
import pytest

from interlingua.base.errors import InputError
from interlingua_evaluation.datasets.beir.beir_qrels import Judgments, Qrels, qrels_file, read_judgments
from interlingua_evaluation.datasets.beir.input_faults import Faults

BOTH: Qrels = {"q1": {"d1": 2, "d2": 1}}


def read(tmp_path: Path, text: str | bytes, **settings: str) -> Judgments:
    file = tmp_path / "test.tsv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    faults = Faults(str(file))
    judgments = read_judgments(file, faults, **settings)  # type: ignore[arg-type]
    faults.raise_any()
    return judgments


@pytest.mark.parametrize(
    "text",
    [
        "q1\td1\t2\nq1\td2\t1\n",
        "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t1\n",
        "corpus-id\tquery-id\tscore\nd1\tq1\t2\nd2\tq1\t1\n",
        "Score\tDoc_ID\tQueryId\n2\td1\tq1\n1\td2\tq1\n",
        "qid\titeration\tdocno\trelevance\nq1\t0\td1\t2\nq1\t0\td2\t1\n",
        "q1\t0\td1\t2\nq1\t0\td2\t1\n",
        "q1 Q0 d1 2\r\nq1 Q0 d2 1\r\n",
        "\ufeffq1\td1\t+2\r\n\r\nq1\td2\t1",
        "q1\td1\t2.0\nq1\td2\t1.0\n",
    ],
    ids=[
        "three",
        "named",
        "the other way round",
        "other names",
        "four, named",
        "four",
        "four, spaces",
        "mark and CRLF",
        "2.0",
    ],
)
def test_columns_by_name_or_as_beir_and_trec_have_them(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == Judgments(BOTH, 0, ())


def test_four_columns_are_read_as_trec_evals_reader_does(tmp_path: Path) -> None:
    text = "8\t0\t17\t1\n8\t0\t18\t0\n9\t0\t17\t3\n"
    found = read(tmp_path, text)
    theirs: Qrels = {}
    for line in ir_measures.read_trec_qrels(str(tmp_path / "test.tsv")):
        if line.relevance > 0:
            theirs.setdefault(line.query_id, {})[line.doc_id] = line.relevance
    assert found.relevant == theirs == {"8": {"17": 1}, "9": {"17": 3}}
    assert found.not_relevant == 1


def test_columns_that_say_nothing_about_relevance_are_told(tmp_path: Path) -> None:
    text = "query-id\tcorpus-id\tannotator\tscore\nq1\td1\tada\t2\nq1\td2\tbob\t1\n"
    assert read(tmp_path, text) == Judgments(BOTH, 0, ("annotator",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("q1\td1\t0.5\nq1\td2\t1\n", r"line 1: expected .*whole number, got 'q1\\td1\\t0.5'"),
        ("q1\td1\tgood\n", r"line 1: expected .*whole number"),
        ("q1\td1\t1_000\n", r"line 1: expected .*whole number"),
        ("q1\td1\t１\n", r"line 1: expected .*whole number"),
        ("\td1\t1\n", r"line 1: expected query"),
        (
            "query-id\tcorpus-id\tweight\nq1\td1\t1\n",
            r"line 1: the first line names columns, but not which is the grade",
        ),
        ("query-id\tqid\tdocid\tscore\n", r"not which is the query"),
        ("q1\td1\t1\nq1\t0\td2\t1\n", r"line 2: .*this line has 4 columns, the first has 3"),
        ("q1\td1\t1\t0\nq1\td2\t1\t0\n", r"line 1: of four columns the second is TREC's iteration"),
        ("q1\t17\t1\t0\nq1\t18\t1\t0\n", r"line 2: of four columns the second is TREC's iteration"),
        ("q1\td1\n", r"line 1: expected query"),
        ("q1\td1\t1\t\n", r"line 1: of four columns|line 1: expected query"),
        ("q1\td1\t1\nq1\td1\t2\n", r"line 2: 'd1' has another grade for 'q1' further up"),
        (b"q1\td1\t1\nq\xff\td1\t1\n", r"line 2: not UTF-8 at byte 2"),
        ("q1\td1\t1048576\n", r"line 1: a grade may be 1,048,575 at most with linear gains"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tmp_path, text)


def test_the_bound_of_grades_is_that_of_the_gains(tmp_path: Path) -> None:
    assert read(tmp_path, "q\td\t100\n").relevant == {"q": {"d": 100}}
    with pytest.raises(InputError, match=r"line 1: a grade may be 20 at most with exponential gains, this is 100"):
        read(tmp_path, "q\td\t100\n", gains="exponential")


def test_gzipped_judgments_and_which_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "test.tsv.gz").write_bytes(gzip.compress(b"q1\td1\t2\nq1\td2\t1\n"))
    (tmp_path / "dev.tsv").write_text("bad\n")
    assert qrels_file(tmp_path) == tmp_path / "test.tsv.gz"
    assert read_judgments(tmp_path / "test.tsv.gz", Faults("")).relevant == BOTH
    (tmp_path / "test.tsv").write_text("q1\td1\t2\n")
    with pytest.raises(InputError, match=r"has dev\.tsv, test\.tsv, test\.tsv\.gz and both"):
        qrels_file(tmp_path)
