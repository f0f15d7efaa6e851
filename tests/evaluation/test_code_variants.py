"""Articles and questions that one digit tells apart."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from interlingua_evaluation.datasets.dataset import Dataset
from interlingua_evaluation.datasets.dataset_check import check
from interlingua_evaluation.datasets.sources import open_dataset


@pytest.fixture(scope="module")
def codes() -> Dataset:
    return open_dataset("helpdesk12-codes")


def test_an_answer_has_its_questions_code_and_no_other_digit(codes: Dataset) -> None:
    passages = {document.id: f"{document.title}\n{document.text}" for document in codes.documents}
    query = next(query for query in codes.queries if query.text == "E-419 on Norvella Cam")
    answers = codes.qrels[query.id]
    assert len(answers) == 12
    assert all("E-419" in passages[id_] and "E-417" not in passages[id_] for id_ in answers)
    assert sum("E-419" in passage for passage in passages.values()) == 12


def test_a_code_that_articles_have_of_their_own_is_not_made_again(codes: Dataset) -> None:
    # PA-52 and PA-62 differ in the first digit, RT-2 and RT-3 in the last: RT-3 belongs to damaged parcels alone.
    topics = {document.group for document in codes.documents if "RT-3" in f"{document.title}\n{document.text}"}
    assert topics == {"damaged-parcel"}


def test_a_code_stands_in_its_answers_alone(codes: Dataset) -> None:
    passages = {document.id: f"{document.title}\n{document.text}" for document in codes.documents}
    for query in codes.queries:
        [code] = re.findall(r"(?<![\w.])(?:[A-Z]{1,2}-\d+|C\d|\d\.\d)(?!\w)", query.text, re.ASCII)
        holding = {
            id_ for id_, text in passages.items() if re.search(rf"(?<![\w.]){re.escape(code)}(?!\w)", text, re.ASCII)
        }
        assert holding == set(codes.qrels[query.id]), query.text


def test_every_language_asks_and_answers(codes: Dataset) -> None:
    # E-411 and E-417, RT-2 and RT-3, 4.2 and 4.3 share the other last digits.
    assert Counter(Counter(query.id.partition("~")[0] for query in codes.queries).values()) == {5: 18, 4: 17}
    assert {len(found) for found in codes.qrels.values()} == {12}
    assert len(set(Counter(document.language for document in codes.documents).values())) == 1
    assert {finding.severity for finding in check(codes)} <= {"warning", "note"}
