"""BEIR's layout with languages, and what is said about folders that are wrong."""

from __future__ import annotations

import gzip
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from interlingua.base.errors import InputError
from interlingua_client.search.query_language import LanguageDetector
from interlingua_evaluation.datasets.beir.beir_folder import read_beir_folder
from interlingua_evaluation.datasets.dataset_check import check
from interlingua_evaluation.datasets.left_out import judged_only
from interlingua_evaluation.datasets.sources import open_dataset
from interlingua_evaluation.measures.relevance import Judge
from interlingua_evaluation.systems.candidate_lists import candidate_lists
from interlingua_evaluation.systems.lexical import Bm25Stage
from interlingua_evaluation.systems.trec_run import read_run, write_run

DOCUMENTS = [
    {"_id": "reset.en", "language": "en", "title": "Reset", "text": "How to."},
    {"_id": "reset.pt-BR", "language": "pt_BR", "title": "Redefinir", "text": "Como."},
    {"_id": "v2.1", "language": "en", "title": "Notes", "text": "New."},
]
QUERIES = [
    {"_id": "q1", "language": "PT-br", "kind": "jargon", "text": "senha"},
    {"_id": "q2", "language": "en", "text": "what is new"},
]
QRELS = "query-id\tcorpus-id\tscore\nq1\treset.en\t2\nq1\treset.pt-BR\t2\nq1\tv2.1\t1\nq2\tv2.1\t1\nq2\treset.en\t0\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "qrels").mkdir()
    _write(tmp_path / "corpus.jsonl", DOCUMENTS)
    _write(tmp_path / "queries.jsonl", QUERIES)
    (tmp_path / "qrels" / "test.tsv").write_text(QRELS)
    return tmp_path


def _write(file: Path, rows: Sequence[Mapping[str, object]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_documents_queries_and_grades(folder: Path) -> None:
    dataset = read_beir_folder(folder)
    assert [(document.id, document.language, document.group) for document in dataset.documents] == [
        ("reset.en", "en", "reset"),
        ("reset.pt-BR", "pt-BR", "reset"),
        ("v2.1", "en", "v2.1"),  # "1" is no language: a group of its own
    ]
    assert [tuple(query)[1:] for query in dataset.queries] == [
        ("pt-BR", "senha", "jargon", "reset", "test"),
        ("en", "what is new", "plain", "v2.1", "test"),
    ]
    assert dataset.qrels == {"q1": {"reset.en": 2, "reset.pt-BR": 2, "v2.1": 1}, "q2": {"v2.1": 1}}


def test_the_digest_follows_texts_and_grades(folder: Path) -> None:
    before = read_beir_folder(folder).digest
    assert read_beir_folder(folder).digest == before
    (folder / "qrels" / "test.tsv").write_text(QRELS.replace("v2.1\t1", "v2.1\t2"))
    assert read_beir_folder(folder).digest != before


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("qrels/test.tsv", QRELS + "q1\treset.en\n", r"test\.tsv, line 7: expected query<TAB>document<TAB>grade"),
        ("qrels/test.tsv", QRELS + "q1\treset.en\tgood\n", r"test\.tsv, line 7: .*'q1\\treset\.en\\tgood'"),
        ("qrels/test.tsv", QRELS + "q1\tv2.1\t2\n", r"test\.tsv, line 7: 'v2\.1' has another grade for 'q1'"),
        ("qrels/test.tsv", QRELS + "q9\tv2.1\t1\n", r"test\.tsv names the query 'q9', which is not there"),
        ("qrels/test.tsv", QRELS + "q1\tgone\t1\n", r"test\.tsv names the document 'gone', which is not there"),
        ("queries.jsonl", '{"_id": "q1"}\n', r"queries\.jsonl, line 1: there is no `text`"),
        ("queries.jsonl", "senha\n", r"queries\.jsonl, line 1: not JSON"),
        ("queries.jsonl", "[]\n", r"queries\.jsonl, line 1: a JSON object is expected"),
        ("queries.jsonl", '{"_id": "q1", "language": "?", "text": "a"}\n', r"line 1: '\?' is not a language tag"),
        ("queries.jsonl", '{"_id": "q1", "language": "en", "text": " "}\n', "line 1: the query 'q1' is empty"),
        (
            "queries.jsonl",
            '{"_id": "q1", "language": "en", "text": "\u00ad\u200e"}\n',
            "line 1: the query 'q1' is empty",
        ),
        ("queries.jsonl", "", r"queries\.jsonl is empty"),
        ("corpus.jsonl", "", r"corpus\.jsonl is empty"),
        ("corpus.jsonl", "{}\n", r"corpus\.jsonl, line 1: there is no `id`"),
    ],
    ids=lambda value: str(value)[-24:],
)
def test_what_is_wrong_is_named(folder: Path, file: str, text: str, message: str) -> None:
    (folder / file).write_text(text)
    with pytest.raises(InputError, match=message):
        read_beir_folder(folder)


def test_ten_mistakes_of_all_files_are_told_at_once(folder: Path) -> None:
    (folder / "corpus.jsonl").write_text("{}\n" * 3)
    (folder / "queries.jsonl").write_text("\n[]\n")
    (folder / "qrels" / "test.tsv").write_text(QRELS + "bad\n" * 8)
    with pytest.raises(InputError) as error:
        read_beir_folder(folder)
    first, *told, last = str(error.value).splitlines()
    assert first == f"{folder} has 12 mistakes:"
    assert [line.split(": ")[0].removeprefix(f"  {folder}/") for line in told] == [
        *(f"corpus.jsonl, line {number}" for number in (1, 2, 3)),
        "queries.jsonl, line 2",
        *(f"qrels/test.tsv, line {number}" for number in range(7, 13)),
    ]
    assert last == "  ... and 2 more"


def test_a_first_line_with_a_grade_is_no_header(folder: Path) -> None:
    headless = QRELS.split("\n", 1)[1]
    assert headless.startswith("q1\treset.en\t2\n")
    before = read_beir_folder(folder)
    (folder / "qrels" / "test.tsv").write_text(headless)
    assert read_beir_folder(folder).digest == before.digest


def test_grades_of_nought_and_less_are_counted(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").write_text(QRELS + "q1\tgone\t-1\n")
    dataset = read_beir_folder(folder)
    assert dataset.qrels["q2"] == {"v2.1": 1}
    assert dataset.facts["judged_not_relevant"] == 2


def test_the_only_other_split_is_taken_and_named(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "dev.tsv")
    assert read_beir_folder(folder).facts["judgments"] == "qrels/dev.tsv"


def test_test_is_taken_before_other_splits(folder: Path) -> None:
    (folder / "qrels" / "dev.tsv").write_text("bad\n")
    assert read_beir_folder(folder).facts["judgments"] == "qrels/test.tsv"


def test_two_other_splits_or_none_are_an_error(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "dev.tsv")
    (folder / "qrels" / "train.tsv").write_text(QRELS)
    with pytest.raises(InputError, match=r"has dev\.tsv, train\.tsv and no test\.tsv: rename"):
        read_beir_folder(folder)
    (folder / "qrels" / "dev.tsv").unlink()
    (folder / "qrels" / "train.tsv").unlink()
    with pytest.raises(InputError, match=r"there are no judgments: .*test\.tsv is missing"):
        read_beir_folder(folder)


def test_languages_that_are_not_said_are_detected_and_counted(folder: Path) -> None:
    said = {"_id": "said", "metadata": {"language": "pt_BR"}, "text": "novo"}
    documents = [
        {"_id": "a", "text": "Open the settings and choose a new password for your account."},
        {"_id": "b", "text": "Abra as configurações e escolha uma nova senha para a sua conta."},
    ]
    queries = [
        {"_id": "q1", "text": "how do I change the password"},
        {"_id": "q2", "text": "como posso mudar a minha senha"},
        said,
    ]
    _write(folder / "corpus.jsonl", documents)
    _write(folder / "queries.jsonl", queries)
    (folder / "qrels" / "test.tsv").write_text("q1\ta\t1\nq2\tb\t1\n")
    dataset = read_beir_folder(folder)
    assert [document.language for document in dataset.documents] == ["en", "pt"]
    assert [query.language for query in dataset.queries] == ["en", "pt", "pt-BR"]
    assert dataset.facts["detected_documents"] == {"en": 1, "pt": 1}
    assert dataset.facts["detected_queries"] == {"en": 1, "pt": 1}


def test_queries_are_detected_among_the_corpus_languages(folder: Path) -> None:
    # among all languages it cannot be told; the corpus has English and Brazilian Portuguese
    assert LanguageDetector().tag_of("nova senha") == "und"
    _write(folder / "queries.jsonl", [{"_id": "q1", "text": "nova senha"}, QUERIES[1]])
    assert read_beir_folder(folder).queries[0].language == "pt-BR"


def test_a_named_group_goes_before_the_ids(folder: Path) -> None:
    _write(folder / "corpus.jsonl", [{**DOCUMENTS[0], "group": "passwords"}, *DOCUMENTS[1:]])
    _write(folder / "queries.jsonl", [{**QUERIES[0], "group": "topic 7"}, QUERIES[1]])
    dataset = read_beir_folder(folder)
    assert [document.group for document in dataset.documents] == ["passwords", "reset", "v2.1"]
    assert [query.group for query in dataset.queries] == ["topic 7", "v2.1"]


def test_a_query_id_that_is_there_twice(folder: Path) -> None:
    _write(folder / "queries.jsonl", [*QUERIES, QUERIES[0]])
    with pytest.raises(InputError, match="line 3: query id 'q1' is there twice, first in line 1"):
        read_beir_folder(folder)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"_id": "q1", "text": None}, "there is no `text`"),
        ({"_id": "q1", "text": ["senha"]}, "`text` must be a string, this is a list"),
        ({"_id": "q1", "text": {"de": "senha"}}, "`text` must be a string, this is an object"),
        ({"_id": "q1", "text": 7}, "`text` must be a string, this is a number"),
        ({"_id": "q1", "query": "senha"}, "there is no `text`: call `query` so"),
        ({"_id": ["q1"], "text": "senha"}, "`_id` must be a string, this is a list"),
        ({"_id": "q1", "text": "senha", "kind": ["jargon"]}, "`kind` must be a string, this is a list"),
        ({"_id": "q1", "text": "senha", "group": {}}, "`group` must be a string, this is an object"),
        ({"_id": "q1", "text": "senha", "language": ["pt"]}, "`language` must be a string, this is a list"),
        ({"_id": "q1", "text": "senha", "language": 0}, "`language` must be a string, this is a number"),
    ],
    ids=str,
)
def test_a_query_is_never_what_json_happens_to_hold(folder: Path, row: Mapping[str, object], said: str) -> None:
    _write(folder / "queries.jsonl", [row, QUERIES[1]])
    with pytest.raises(InputError, match=rf"queries\.jsonl, line 1: {said}"):
        read_beir_folder(folder)


def test_presence_counts_and_not_truth(folder: Path) -> None:
    _write(folder / "corpus.jsonl", [{**DOCUMENTS[0], "group": 0}, {**DOCUMENTS[1], "group": None}, DOCUMENTS[2]])
    _write(folder / "queries.jsonl", [{**QUERIES[0], "group": 0, "id": None}, {**QUERIES[1], "kind": None}])
    dataset = read_beir_folder(folder)
    assert [document.group for document in dataset.documents] == ["0", "reset", "v2.1"]
    assert [(query.id, query.group, query.kind) for query in dataset.queries] == [
        ("q1", "0", "jargon"),
        ("q2", "v2.1", "plain"),
    ]


def test_documents_whose_text_has_another_name(folder: Path) -> None:
    renamed = [{("contents" if key == "text" else key): value for key, value in row.items()} for row in DOCUMENTS]
    before = read_beir_folder(folder)
    _write(folder / "corpus.jsonl", renamed)
    assert read_beir_folder(folder).digest == before.digest
    _write(
        folder / "corpus.jsonl",
        [{("abstract" if key == "text" else key): row[key] for key in row} for row in DOCUMENTS],
    )
    with pytest.raises(InputError, match=r"corpus\.jsonl, line 1: there is no `text`, but `abstract`: call it `text`"):
        read_beir_folder(folder)


def test_gzipped_files_are_read(folder: Path) -> None:
    before = read_beir_folder(folder)
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        file = folder / name
        file.with_name(file.name + ".gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    assert read_beir_folder(folder).digest == before.digest
    _write(folder / "corpus.jsonl", DOCUMENTS)
    with pytest.raises(InputError, match=r"has both corpus\.jsonl and corpus\.jsonl\.gz"):
        read_beir_folder(folder)


TITLES = (
    "Password reset", "VPN setup", "Printer out of paper", "Holiday requests", "Expense report", "Office hours",
    "New laptop", "Parking permit", "Guest wifi", "Badge lost", "Email signature", "Meeting room", "Phone extension",
    "Sick leave", "Payslip", "Travel booking", "Software licence", "Screen broken", "Keyboard layout", "Disk full",
)  # fmt: skip


def test_short_titles_are_in_the_collections_language(folder: Path) -> None:
    alone = Counter(map(LanguageDetector().tag_of, TITLES))
    assert alone["und"] > len(TITLES) / 2
    _write(folder / "corpus.jsonl", [{"_id": title, "text": title} for title in TITLES])
    (folder / "qrels" / "test.tsv").write_text("q2\tVPN setup\t1\n")
    dataset = read_beir_folder(folder)
    assert dataset.languages == ("en",)
    assert dataset.facts["detected_documents"] == {"en": len(TITLES)}


def test_short_queries_of_a_collection_in_one_language_are_in_it(folder: Path) -> None:
    """A pair "und>en" would count as across languages."""
    asked = ("vpn setup", "printer paper", "badge", "wifi", "payslip", "E-417")
    assert "und" in map(LanguageDetector(["en"]).tag_of, asked)
    _write(folder / "corpus.jsonl", [{"_id": title, "text": title} for title in TITLES])
    _write(folder / "queries.jsonl", [{"_id": text, "text": text} for text in asked])
    (folder / "qrels" / "test.tsv").write_text("vpn setup\tVPN setup\t1\n")
    dataset = read_beir_folder(folder)
    assert {query.language for query in dataset.queries} == {"en"}
    assert dataset.facts["detected_queries"] == {"en": len(asked)}
    german = [f"wie kann ich mein Passwort zum {day}. Mal zurücksetzen" for day in range(1, 9)]
    _write(folder / "queries.jsonl", [{"_id": text, "text": text} for text in ("vpn setup", *german)])
    dataset = read_beir_folder(folder)
    assert [query.language for query in dataset.queries] == ["en", *["und"] * len(german)]


def test_what_is_detected_is_called_as_the_collection_calls_it(folder: Path) -> None:
    silent = {"_id": "c", "text": "Abra as configurações e escolha uma nova senha para a sua conta."}
    _write(folder / "corpus.jsonl", [*DOCUMENTS, silent])
    assert read_beir_folder(folder).documents[-1].language == "pt-BR"


def test_a_query_does_not_find_itself(folder: Path) -> None:
    """As in ArguAna: the query is a document of the collection, and the right answer comes next."""
    texts = {"a": "the printer takes no paper", "b": "the printer takes no paper of this size", "c": "holidays"}
    _write(folder / "corpus.jsonl", [{"_id": id_, "language": "en", "text": text} for id_, text in texts.items()])
    _write(folder / "queries.jsonl", [{"_id": "a", "language": "en", "text": texts["a"]}])
    (folder / "qrels" / "test.tsv").write_text("a\tb\t1\n")
    plain, own = (open_dataset(str(folder), ignore_identical_ids=ignored) for ignored in (False, True))
    found = {}
    for name, dataset in (("plain", plain), ("own", own)):
        lists = candidate_lists(dataset, Bm25Stage.of(dataset), 3)
        found[name] = Judge(lists).ndcg(lists.documents)
        assert found[name] == pytest.approx(1 / math.log2(3) if name == "plain" else 1)
        assert ("shared-ids" in [finding.kind for finding in check(dataset)]) == (name == "plain")
        write_run(lists, folder / name, "bm25")
    assert plain.digest != own.digest
    read = read_run(folder / "plain" / "bm25", own)  # a run of others, in which it stands
    assert Judge(read).ndcg(read.documents) == pytest.approx(1)


def test_only_judged_queries_are_searched(folder: Path) -> None:
    many = [{"_id": f"u{number}", "language": "en", "text": "idle"} for number in range(1000)]
    whole = read_beir_folder(folder)
    _write(folder / "queries.jsonl", [*QUERIES, *many])
    dataset = read_beir_folder(folder)
    assert len(dataset.queries) == 1002
    assert judged_only(dataset).digest == whole.digest
    assert judged_only(whole) is whole
    none = replace(dataset, qrels={})
    with pytest.raises(InputError, match="none of 1002 queries has a relevant document"):
        judged_only(none)
