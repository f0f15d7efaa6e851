"""The checker, on datasets of a few texts: each has one fault, and it alone is found."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query
from interlingua_evaluation.datasets.dataset_check import DatasetFinding, check
from interlingua_evaluation.datasets.plain_text import plain_text

EN = (
    "Open the settings, choose accounts, and type the new password twice.",
    "The printer needs paper of another size.",
)
DE = (
    "Öffnen Sie die Einstellungen und geben Sie das neue Passwort zweimal ein.",
    "Der Drucker braucht anderes Papier.",
)

DOCUMENTS = (
    JudgedDocument("key.en", "en", "Accounts", EN[0], "key"),
    JudgedDocument("ink.en", "en", "Printers", EN[1], "ink"),
    JudgedDocument("key.de", "de", "Konten", DE[0], "key"),
    JudgedDocument("ink.de", "de", "Drucker", DE[1], "ink"),
)
QUERIES = (
    Query("q1", "en", "I forgot how to get in", "plain", "key", "test"),
    Query("q2", "de", "Wie komme ich wieder hinein?", "plain", "key", "test"),
)
QRELS = {"q1": {"key.en": 1, "key.de": 1}, "q2": {"key.en": 1, "key.de": 1}}


def dataset(
    documents: tuple[JudgedDocument, ...] = DOCUMENTS,
    queries: tuple[Query, ...] = QUERIES,
    qrels: Mapping[str, Mapping[str, int]] = QRELS,
    **facts: object,
) -> Dataset:
    return Dataset("tiny", documents, queries, qrels, facts)


def changed(number: int, **fields: str) -> tuple[JudgedDocument, ...]:
    return tuple(document._replace(**fields) if n == number else document for n, document in enumerate(DOCUMENTS))


def asking(text: str) -> tuple[Query, ...]:
    return (QUERIES[0]._replace(text=text), QUERIES[1])


def the_only(of: Dataset) -> DatasetFinding:
    (finding,) = check(of)
    return finding


def test_a_sound_dataset_has_no_findings() -> None:
    assert check(dataset()) == ()


def test_a_document_that_repeats_another_in_its_language() -> None:
    copy = JudgedDocument("copy.en", "en", "ACCOUNTS!", EN[0].upper(), "key")
    finding = the_only(dataset((*DOCUMENTS, copy)))
    assert (finding.kind, finding.severity, finding.count) == ("duplicate-documents", "warning", 1)
    assert finding.examples == ("copy.en is key.en",)


def test_the_same_text_in_two_languages_is_no_duplicate() -> None:
    texts = (("n.en", "en"), ("n.de", "de"))
    codes = tuple(JudgedDocument(id_, tag, "", "E-4711", "n") for id_, tag in texts)
    assert check(dataset((*DOCUMENTS, *codes))) == ()


def test_a_query_that_repeats_another_in_its_language() -> None:
    again = QUERIES[0]._replace(id="q3", text="i forgot how to get in?!")
    finding = the_only(dataset(queries=(*QUERIES, again), qrels={**QRELS, "q3": QRELS["q1"]}))
    assert (finding.kind, finding.severity, finding.examples) == ("duplicate-queries", "warning", ("q3 is q1",))


def test_documents_without_text() -> None:
    findings = check(dataset(changed(1, title=" ", text="")))
    assert [(finding.kind, finding.severity, finding.examples) for finding in findings] == [
        ("empty-documents", "error", ("ink.en",))
    ]
    finding = the_only(dataset(changed(1, text="\n")))
    assert (finding.kind, finding.severity) == ("title-only-documents", "warning")


def test_two_empty_documents_are_not_called_duplicates() -> None:
    empty = tuple(JudgedDocument(f"empty{number}", "en", "", " ", f"empty{number}") for number in range(2))
    assert (the_only(dataset((*DOCUMENTS, *empty))).count) == 2


def test_a_query_without_text() -> None:
    finding = the_only(dataset(queries=asking("  ")))
    assert (finding.kind, finding.severity, finding.examples) == ("empty-queries", "error", ("q1",))


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ("accounts", "query-is-title"),
        ("Accounts?", "query-is-title"),
        ("type the new  Password, twice", "query-in-document"),
        ("open the settings", "query-in-document"),
        ("the new", None),  # two words are a search term
        ("pen the settings", None),  # not at a word's beginning
        ("Printers", None),  # the title of a document that is no answer
        ("The printer needs paper", None),
    ],
)
def test_a_query_that_its_answer_holds(asked: str, kind: str | None) -> None:
    assert [finding.kind for finding in check(dataset(queries=asking(asked)))] == ([kind] if kind else [])


def test_texts_without_spaces_leak_by_their_characters() -> None:
    documents = (
        JudgedDocument("a.ja", "ja", "", "設定を開いて、新しいパスワードを二回入力してください。", "a"),
        JudgedDocument("b.ja", "ja", "", "プリンターには別のサイズの用紙が必要です。", "b"),
    )
    held, short = (
        Query(id_, "ja", text, "plain", "a", "test") for id_, text in (("h", "新しいパスワード"), ("s", "設定"))
    )
    findings = check(dataset(documents, (held, short), {"h": {"a.ja": 1}, "s": {"a.ja": 1}}))
    assert [(finding.kind, finding.count) for finding in findings if finding.severity == "warning"] == [
        ("query-in-document", 1)
    ]


def test_undetermined_and_unregistered_languages() -> None:
    findings = {finding.kind: finding for finding in check(dataset(changed(1, language="xx")))}
    assert findings["unknown-language"].severity == "error"
    assert findings["unknown-language"].examples == ("xx: 1 documents and queries",)
    findings = {finding.kind: finding for finding in check(dataset(changed(1, language="und")))}
    assert findings["undetermined-language"].examples == ("ink.en",)
    assert "unknown-language" not in findings


def test_documents_in_another_language_than_they_say() -> None:
    # half of German is English: more than a fifth; of English nothing is wrong
    documents = changed(3, text="The printer needs paper of another size, and the tray has to be closed.")
    finding = the_only(dataset(documents))
    assert (finding.kind, finding.severity, finding.count) == ("mislabelled-languages", "note", 1)
    assert finding.examples == ("de: of 2 documents 1 en",)


def test_a_language_of_one_document_and_the_pairs_that_nobody_asks() -> None:
    swedish = JudgedDocument("ink.sv", "sv", "Skrivare", "Skrivaren behöver papper i en annan storlek.", "ink")
    findings = {finding.kind: finding for finding in check(dataset((*DOCUMENTS, swedish)))}
    assert findings["one-document-languages"].examples == ("sv",)
    assert findings["languages-without-queries"].examples == ("sv",)
    assert findings["pairs-without-queries"].examples == ("en>sv", "de>sv")
    assert findings["incomplete-translations"].examples == ("key lacks sv",)
    assert "of 2," in findings["incomplete-translations"].message
    assert "(sv 1)" in findings["incomplete-translations"].message
    assert [finding.severity for finding in findings.values()] == ["warning", "warning", "note", "note"]
    assert len(findings) == 4


def test_queries_that_measure_nothing_or_nothing_across() -> None:
    idle = Query("q3", "en", "what is the weather like", "plain", "q3", "test")
    findings = check(dataset(queries=(*QUERIES, idle), qrels={**QRELS, "q1": {"key.en": 1}}))
    assert [(finding.kind, finding.examples) for finding in findings] == [
        ("unjudged-queries", ("q3",)),
        ("pairs-without-queries", ("en>de",)),
        ("same-language-only", ("q1",)),
    ]


def test_judgments_that_were_left_out_on_reading_are_told() -> None:
    finding = the_only(dataset(judgments_of_missing_texts=3))
    assert (finding.kind, finding.severity, finding.count) == ("missing-documents", "warning", 3)


def test_five_examples_at_most() -> None:
    copies = tuple(JudgedDocument(f"copy{number}.en", "en", "Accounts", EN[0], "key") for number in range(8))
    finding = the_only(dataset((*DOCUMENTS, *copies)))
    assert (finding.count, len(finding.examples)) == (8, 5)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Press «Super»+Tab.", "press super tab"),
        ("ＦＵＬＬ　ｗｉｄｔｈ", "full width"),
        ("Straße_1", "strasse 1"),
        ("हिन्दी, में", "हिन्दी में"),  # vowel signs stay
        ("…", ""),
    ],
)
def test_texts_are_compared_without_case_punctuation_and_width(text: str, plain: str) -> None:
    assert plain_text(text) == plain


def wide(groups: int) -> Dataset:
    """Each group a document and a query in five languages."""
    tags = ("en", "de", "sv", "fr", "es")
    documents = tuple(
        JudgedDocument(f"{number}.{tag}", tag, f"{tag} {number}", f"{number} {EN[0]} {DE[0]} " * 10, str(number))
        for tag in tags
        for number in range(groups)
    )
    queries = tuple(
        Query(f"q{number}.{tag}", tag, f"question {number} of everybody", "plain", str(number), "test")
        for tag in tags
        for number in range(groups)
    )
    qrels = {f"q{number}.{tag}": {f"{number}.{other}": 1 for other in tags} for tag in tags for number in range(groups)}
    return dataset(documents, queries, qrels)


def test_the_time_grows_with_the_documents_and_not_with_their_square() -> None:
    """Five times as many: about five times the core's time, on any machine; pair by pair it would be 25 times."""
    seconds = []
    for groups in (10, 200, 1000):  # the first reads the dictionaries
        large = wide(groups)
        began = time.process_time()
        check(large)
        seconds.append(time.process_time() - began)
    assert seconds[2] < 12 * seconds[1]
