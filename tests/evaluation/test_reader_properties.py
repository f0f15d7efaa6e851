"""Readers of outside files, on whatever files hold: what is written comes back, all else is one message with its line.

Values are written by `json`, `csv` and by hand; nothing of ours makes the files that ours read.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlingua.base.errors import InputError
from interlingua_client.corpus import Corpus
from interlingua_evaluation.datasets.beir.beir_qrels import read_judgments
from interlingua_evaluation.datasets.beir.beir_queries import Queries
from interlingua_evaluation.datasets.beir.input_faults import Faults
from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING
from interlingua_evaluation.systems.trec_run import read_run

quick = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
    lambda text: any(unicodedata.category(character)[0] in "LNPS" for character in text)
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ("id", "_id", "text", "title", "language", "group", "kind", "metadata", "contents", "body")
rows = st.dictionaries(st.sampled_from(FIELDS), anything | texts, max_size=len(FIELDS))


def queries_of(file: Path, line: bytes) -> tuple[list[Query], list[str]]:
    file.write_bytes(line)
    faults = Faults(str(file))
    return list(Queries(("en", "de")).read(file, faults)), faults.found


@quick
@given(rows)
def test_a_query_is_what_its_line_says_or_a_fault(tmp_path: Path, row: Mapping[str, Any]) -> None:
    found, faults = queries_of(tmp_path / "queries.jsonl", json.dumps(row).encode())
    assert len(found) + len(faults) == 1
    for query in found:
        ids = {str(row[name]) for name in ("id", "_id") if row.get(name) is not None}
        assert {query.id} == ids
        assert query.text == row["text"]
        assert query.group == ("" if row.get("group") is None else str(row["group"]))
        assert query.kind == ("plain" if row.get("kind") is None else str(row["kind"]))
        named = [row[name] for name in ("id", "_id", "group", "kind") if row.get(name) is not None]
        assert all(type(value) in (str, int) for value in named)
    assert all(re.search(r"queries\.jsonl, line 1: ", fault) for fault in faults)


@quick
@given(rows)
def test_a_document_is_what_its_line_says_or_a_bad_line(tmp_path: Path, row: Mapping[str, Any]) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_bytes(json.dumps(row).encode())
    corpus = Corpus(file, lambda _: "xx", skip_bad=True)
    found = list(corpus)
    assert len(found) + len(corpus.bad_lines) == 1
    for document in found:
        assert document.title == (row.get("title") or "")
        said = [row[name] for name in ("text", "contents", "body") if str(row.get(name) or "").strip()]
        assert document.text == (said[0] if said else row.get("text") or "")


@quick
@given(st.lists(st.binary(max_size=40), max_size=5))
def test_no_bytes_are_a_query_and_none_end_in_another_error(tmp_path: Path, lines: list[bytes]) -> None:
    content = b"\n".join(b"\xfe" + line.replace(b"\n", b"") for line in lines)
    found, faults = queries_of(tmp_path / "queries.jsonl", content)
    assert (found, len(faults)) == ([], len(lines))


ids = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]), min_size=1).filter(
    lambda text: text.strip() == text and len(text.splitlines()) == 1
)
judged = st.dictionaries(st.tuples(ids, ids), st.integers(-3, 1000), min_size=1, max_size=8)
NAMES = {"query": ["query-id", "qid", "topic"], "document": ["corpus-id", "docno"], "grade": ["score", "relevance"]}


@quick
@given(judged, st.permutations(list(NAMES)), st.data(), st.booleans())
def test_named_columns_are_read_in_any_order(
    tmp_path: Path, judgments: dict[tuple[str, str], int], order: list[str], data: st.DataObject, packed: bool
) -> None:
    header = [data.draw(st.sampled_from(NAMES[name])) for name in order]
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None, lineterminator="\n")
    writer.writerow(header)
    for (query, document), grade in judgments.items():
        fields = {"query": query, "document": document, "grade": grade}
        writer.writerow([fields[name] for name in order])
    file = tmp_path / "test.tsv"
    content = out.getvalue().encode()
    file.write_bytes(gzip.compress(content) if packed else content)
    faults = Faults("")
    found = read_judgments(file, faults)
    assert faults.found == []
    assert {(q, d): g for q, of in found.relevant.items() for d, g in of.items()} == {
        pair: grade for pair, grade in judgments.items() if grade > 0
    }
    assert found.not_relevant == sum(grade <= 0 for grade in judgments.values())


plain_ids = st.text("abcdefghij0123456789-_.:", min_size=1, max_size=6)


@quick
@given(
    st.dictionaries(st.tuples(plain_ids, plain_ids), st.integers(-2, 99), min_size=1, max_size=6),
    st.sampled_from("\t "),
)
def test_trecs_four_columns_and_beirs_three_say_the_same(
    tmp_path: Path, judgments: dict[tuple[str, str], int], gap: str
) -> None:
    found = []
    for name, middle in (("four", ["0"]), ("three", [])):
        lines = [gap.join([query, *middle, document, str(grade)]) for (query, document), grade in judgments.items()]
        (tmp_path / name).write_text("\n".join(lines))
        faults = Faults("")
        found.append(read_judgments(tmp_path / name, faults))
        assert faults.found == []
    assert found[0] == found[1]
    assert sum(map(len, found[0].relevant.values())) == sum(grade > 0 for grade in judgments.values())


@quick
@given(st.lists(st.text(max_size=25), min_size=1, max_size=4))
def test_any_lines_are_judgments_or_faults_with_their_numbers(tmp_path: Path, lines: list[str]) -> None:
    file = tmp_path / "test.tsv"
    file.write_bytes("\n".join(lines).encode(errors="surrogatepass"))
    faults = Faults("")
    judgments = read_judgments(file, faults)
    numbers = [int(number) for fault in faults.found if (number := re.search(r", line (\d+): ", fault)[1])]  # type: ignore[index]
    assert len(set(numbers)) == len(faults.found)
    assert all(grade > 0 for of in judgments.relevant.values() for grade in of.values())


def small() -> Dataset:
    documents = tuple(JudgedDocument(id_, "en", "", id_, id_) for id_ in ("a b", "c%d", "e"))
    query = Query("q 1", "en", "what", "plain", "g", "test")
    return Dataset("small", documents, (query,), {"q 1": {"e": 1}}, {})


@quick
@given(st.lists(st.tuples(st.sampled_from(["a%20b", "c%25d", "c%d", "e"]), st.floats(width=32)), max_size=4))
def test_a_run_is_ordered_by_its_scores_or_refused(tmp_path: Path, entries: list[tuple[str, float]]) -> None:
    plain = {"a%20b": 0, "c%25d": 1, "c%d": 1, "e": 2}
    lines = "".join(f"q%201 Q0 {id_} 1 {score!r} x\n" for id_, score in entries)
    for pool in ("en", MIXED):
        (tmp_path / f"{pool}.trec.gz").write_bytes(gzip.compress(lines.encode()))
    numbers = [plain[id_] for id_, _ in entries]
    if len(set(numbers)) < len(numbers):
        with pytest.raises(InputError, match=r"line \d+: the query 'q%201' has the document .* already"):
            read_run(tmp_path, small())
        return
    lists = read_run(tmp_path, small())
    kept = [(-score, place) for place, (_, score) in enumerate(entries) if score > -float("inf")]
    expected = [numbers[place] for _, place in sorted(kept)]
    assert lists.documents[0][lists.documents[0] != NOTHING].tolist() == expected
    assert lists.not_a_number.tolist() == [sum(score != score for _, score in entries)] * 2


@quick
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), min_size=1, max_size=3))
def test_any_lines_are_a_run_or_one_message(tmp_path: Path, lines: list[str]) -> None:
    for pool in ("en", MIXED):
        (tmp_path / f"{pool}.trec.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    with refused_or_read():
        read_run(tmp_path, small())


@contextlib.contextmanager
def refused_or_read() -> Iterator[None]:
    said = ""
    try:
        yield
    except InputError as error:
        said = str(error)
    assert not said or re.search(r"\.trec\.gz, line \d+: ", said)
