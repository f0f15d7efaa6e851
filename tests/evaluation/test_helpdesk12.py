"""The collection that comes with Interlingua: its counts, its judgments, and names that one character tells apart."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import pytest

from interlingua_evaluation.data_folders import HELPDESK12
from interlingua_evaluation.datasets.beir.beir_folder import read_beir_folder
from interlingua_evaluation.datasets.dataset import Dataset
from interlingua_evaluation.datasets.dataset_check import check

_NAME = re.compile(r"(?<![\w.])(?:[A-Z]{1,2}-\d+|C\d|\d\.\d)(?!\w)", re.ASCII)  # E-417, PA-52, C2, 4.3


@pytest.fixture(scope="module")
def helpdesk() -> Dataset:
    return read_beir_folder(HELPDESK12)


@pytest.fixture(scope="module")
def topics(helpdesk: Dataset) -> dict[tuple[str, str], set[str]]:
    """(name, language): the topics whose article in that language has the name."""
    found = defaultdict(set)
    for document in helpdesk.documents:
        for name in _NAME.findall(f"{document.title}\n{document.text}"):
            found[name, document.language].add(document.group)
    return found


def test_every_language_has_the_same_topics_and_kinds(helpdesk: Dataset) -> None:
    assert Counter(document.language for document in helpdesk.documents) == dict.fromkeys(helpdesk.languages, 40)
    assert len({document.group for document in helpdesk.documents}) == 40
    kinds = {"plain": 16, "code-switched": 3, "mixed-script": 3, "jargon": 3, "entity": 5}
    assert Counter((query.language, query.kind) for query in helpdesk.queries) == {
        (language, kind): count for language in helpdesk.languages for kind, count in kinds.items()
    }
    assert len(helpdesk.languages) == 12
    assert {query.half for query in helpdesk.queries} == {"test"}
    assert check(helpdesk) == ()


def test_one_topic_answers_and_a_judged_topic_is_judged_in_every_language(helpdesk: Dataset) -> None:
    grades = defaultdict(Counter)
    for query, documents in helpdesk.qrels.items():
        grades[query].update((document.rpartition(".")[0], grade) for document, grade in documents.items())
    assert {count for judged in grades.values() for count in judged.values()} == {12}
    assert {sum(grade == 2 for _, grade in judged) for judged in grades.values()} == {1}
    assert {grade for judged in grades.values() for _, grade in judged} == {1, 2}


def test_a_name_in_a_question_is_in_the_articles_that_answer_it_alone(
    helpdesk: Dataset, topics: dict[tuple[str, str], set[str]]
) -> None:
    entities = [query for query in helpdesk.queries if query.kind == "entity"]
    asked = [(query, name) for query in entities for name in _NAME.findall(query.text)]
    assert len(asked) == 38
    assert Counter(Counter(name for _, name in asked).values()) == {3: 12, 2: 1}  # E-417 stands in two
    for query, name in asked:
        assert {tuple(topics[name, language]) for language in helpdesk.languages} == {(query.group,)}, query.text


def test_every_name_has_another_that_differs_in_one_character(
    helpdesk: Dataset, topics: dict[tuple[str, str], set[str]]
) -> None:
    asked = {name for query in helpdesk.queries if query.kind == "entity" for name in _NAME.findall(query.text)}
    for name in asked:
        neighbours = {other for other in asked if len(other) == len(name) and _apart(other, name) == 1}
        assert any(topics[other, "en"].isdisjoint(topics[name, "en"]) for other in neighbours), name


def _apart(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))
