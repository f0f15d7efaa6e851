"""Data sets of ir_datasets: its own readers on small files in the layouts of CLIRMatrix, NeuCLIR and MIRACL."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from interlingua.base.errors import ArchiveError, InputError
from interlingua_evaluation.datasets.ir_datasets_source import read_ir_datasets

ir_datasets = pytest.importorskip("ir_datasets")

GERMAN = (
    "Der Drucker nimmt das Papier nicht an, weil die Klappe offen steht.",
    "Das neue Passwort muss mindestens zwölf Zeichen haben.",
)
ENGLISH = ("why does my printer refuse the paper", "how long must a password be")

Register = Callable[..., str]


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """Registers parts as a data set of this test's own; gives its id."""

    def add(*parts: Any, prefix: str = "tiny") -> str:
        dataset_id = f"{prefix}/{tmp_path.parent.name}-{tmp_path.name}/{len(list(ir_datasets.registry))}"
        ir_datasets.registry.register(dataset_id, ir_datasets.Dataset(*parts))
        return dataset_id

    return add


def stored(file: Path, text: str) -> Any:
    file.write_text(text, encoding="utf-8")
    return ir_datasets.util.LocalDownload(file)


def json_lines(file: Path, rows: Sequence[Mapping[str, object]]) -> Any:
    return stored(file, "".join(json.dumps(row) + "\n" for row in rows))


def clirmatrix_parts(folder: Path, queries_lang: str = "en") -> list[Any]:
    """German documents as a table, queries with their results as JSON lines."""
    formats = ir_datasets.formats
    documents = stored(folder / "de.tsv", f"10\t{GERMAN[0]}\n11\t{GERMAN[1]}\n")
    topics = json_lines(
        folder / "topics.jsonl",
        [
            {"src_id": "1", "src_query": ENGLISH[0], "tgt_results": [["10", 6], ["11", 0]]},
            {"src_id": "2", "src_query": ENGLISH[1], "tgt_results": [["11", 5], ["99", 3]]},
        ],
    )
    return [
        formats.TsvDocs(documents, namespace="tiny", lang="de"),
        formats.CLIRMatrixQueries(topics, queries_lang),
        formats.CLIRMatrixQrels(topics, {}),
    ]


def test_clirmatrix_languages_of_the_collection(tmp_path: Path, register: Register) -> None:
    dataset_id = register(*clirmatrix_parts(tmp_path))
    dataset = read_ir_datasets(dataset_id)
    assert dataset.name == f"ir_datasets:{dataset_id}"
    assert [tuple(document) for document in dataset.documents] == [
        ("10", "de", "", GERMAN[0], "10"),
        ("11", "de", "", GERMAN[1], "11"),
    ]
    assert [tuple(query) for query in dataset.queries] == [
        ("1", "en", ENGLISH[0], "plain", "10", "test"),
        ("2", "en", ENGLISH[1], "plain", "11", "test"),
    ]
    assert dataset.qrels == {"1": {"10": 6}, "2": {"11": 5}}
    assert dataset.facts["judged_not_relevant"] == 1
    assert dataset.facts["judgments_of_missing_texts"] == 1  # document 99
    assert "detected_documents" not in dataset.facts
    assert "detected_queries" not in dataset.facts


def test_clirmatrix_names_wikipedias_not_languages(tmp_path: Path, register: Register) -> None:
    dataset_id = register(*clirmatrix_parts(tmp_path, queries_lang="simple"), prefix="clirmatrix")
    assert {query.language for query in read_ir_datasets(dataset_id).queries} == {"en-simple"}


def neuclir_topic(id_: str, title: str) -> dict[str, object]:
    def topic(lang: str, source: str) -> dict[str, str]:
        return {"lang": lang, "source": source, "topic_title": title} | dict.fromkeys(
            ("topic_description", "topic_narrative"), "not read"
        )

    return {
        "topic_id": id_,
        "topics": [topic("eng", "original"), topic("zho", "human translation"), topic("zho", "mt")],
    }


def test_neuclir_titles_and_queries_whose_language_is_not_said(tmp_path: Path, register: Register) -> None:
    formats = ir_datasets.formats
    rows = [
        {"id": id_, "title": title, "text": text, "url": "", "time": "", "cc_file": ""}
        for id_, title, text in (
            ("a", "打印机", "打印机不接受纸张。"),
            ("b", "密码", "新密码至少十二个字符。"),
            ("c", "", " "),
        )
    ]
    topics = [neuclir_topic("101", ENGLISH[0]), neuclir_topic("102", ENGLISH[1]), neuclir_topic("103", "unjudged")]
    dataset_id = register(
        formats.ExctractedCCDocs(
            json_lines(tmp_path / "docs.jsonl", rows), subset_lang="zh", namespace="tiny", count=3
        ),
        formats.ExctractedCCQueries(
            json_lines(tmp_path / "topics.jsonl", topics),
            subset_lang="zh",
            filter_lwq=False,
            cls=formats.ExctractedCCNoReportQuery,
            namespace="tiny",
        ),
        formats.TrecQrels(stored(tmp_path / "qrels", "101 zho a 3\n102 zho b 1\n102 zho a 0\n103 zho c 3\n"), {}),
    )
    dataset = read_ir_datasets(dataset_id)
    assert [tuple(document)[:4] for document in dataset.documents] == [
        ("a", "zh", "打印机", "打印机不接受纸张。"),
        ("b", "zh", "密码", "新密码至少十二个字符。"),
    ]
    assert [(query.id, query.language, query.text) for query in dataset.queries] == [
        ("101", "en", ENGLISH[0]),
        ("102", "en", ENGLISH[1]),
    ]
    assert dataset.qrels == {"101": {"a": 3}, "102": {"b": 1}}
    assert dataset.facts["detected_queries"] == {"en": 3}
    assert (dataset.facts["empty_documents"], dataset.facts["queries_without_answer"]) == (1, 1)


def test_miracl_passages_with_titles(tmp_path: Path, register: Register) -> None:
    from ir_datasets.datasets.miracl import MiraclDoc

    rows = [{"docid": f"7#{number}", "title": "Drucker", "text": text} for number, text in enumerate(GERMAN)]
    formats = ir_datasets.formats
    dataset_id = register(
        formats.JsonlDocs(
            json_lines(tmp_path / "docs.jsonl", rows),
            doc_cls=MiraclDoc,
            mapping={"doc_id": "docid", "title": "title", "text": "text"},
            lang="de",
            docstore_path=tmp_path / "docs.pklz4",
        ),
        formats.TsvQueries(stored(tmp_path / "topics.tsv", "1\tWarum kommt kein Papier?\n"), lang="de"),
        formats.TrecQrels(stored(tmp_path / "qrels", "1\tQ0\t7#0\t1\n1\tQ0\t7#1\t0\n"), {}),
    )
    dataset = read_ir_datasets(dataset_id)
    assert [document.indexed.passage for document in dataset.documents] == [f"Drucker\n{text}" for text in GERMAN]
    assert dataset.qrels == {"1": {"7#0": 1}}


def test_create_dataset_says_no_language_and_each_text_is_detected(tmp_path: Path, register: Register) -> None:
    (tmp_path / "docs.tsv").write_text(f"d1\t{GERMAN[0]}\nd2\t{GERMAN[1]}\ne1\tThe printer refuses the paper today.\n")
    (tmp_path / "queries.tsv").write_text(f"q1\t{ENGLISH[0]}\n")
    (tmp_path / "qrels").write_text("q1 0 d1 1\nq1 0 e1 1\n")
    files = {"docs_tsv": "docs.tsv", "queries_tsv": "queries.tsv", "qrels_trec": "qrels"}
    dataset_id = register(ir_datasets.create_dataset(**{part: str(tmp_path / name) for part, name in files.items()}))
    dataset = read_ir_datasets(dataset_id)
    assert {document.id: document.language for document in dataset.documents} == {"d1": "de", "d2": "de", "e1": "en"}
    assert dataset.facts["detected_documents"] == {"de": 2, "en": 1}


def test_a_record_that_says_its_language_is_believed(tmp_path: Path, register: Register) -> None:
    from tests.evaluation.tagged_records import TaggedDoc

    formats = ir_datasets.formats
    rows = [{"doc_id": "a", "text": "OK", "lang": "zho"}, {"doc_id": "b", "text": GERMAN[0], "lang": ""}]
    dataset_id = register(
        formats.JsonlDocs(
            json_lines(tmp_path / "docs.jsonl", rows), doc_cls=TaggedDoc, lang="de", docstore_path=tmp_path / "store"
        ),
        formats.TsvQueries(stored(tmp_path / "queries.tsv", "1\tgut\n"), lang="de"),
        formats.TrecQrels(stored(tmp_path / "qrels", "1 0 a 1\n"), {}),
    )
    assert [document.language for document in read_ir_datasets(dataset_id).documents] == ["zh", "de"]


def test_an_unknown_id_names_its_neighbours() -> None:
    with pytest.raises(InputError, match=r"has no 'beir/scifakt/test'; did you mean beir/scifact/test"):
        read_ir_datasets("beir/scifakt/test")


def test_a_collection_without_judgments_says_so() -> None:
    with pytest.raises(InputError, match=r"'miracl/de' has no queries and no judgments"):
        read_ir_datasets("miracl/de")


def test_files_that_are_not_there(tmp_path: Path, register: Register) -> None:
    files = {"docs_tsv": "docs.tsv", "queries_tsv": "queries.tsv", "qrels_trec": "qrels"}
    dataset_id = register(ir_datasets.create_dataset(**{part: str(tmp_path / name) for part, name in files.items()}))
    with pytest.raises(ArchiveError, match=r"could not fetch or read .*FileNotFoundError.*docs\.tsv"):
        read_ir_datasets(dataset_id)


def test_judgments_that_leave_no_query(tmp_path: Path, register: Register) -> None:
    documents, queries, _ = clirmatrix_parts(tmp_path)
    judgments = ir_datasets.formats.TrecQrels(stored(tmp_path / "qrels", "1 0 10 0\n"), {})
    with pytest.raises(InputError, match="no query has a relevant document among the 2 documents"):
        read_ir_datasets(register(documents, queries, judgments))
