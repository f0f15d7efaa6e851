"""Datasets by their names, their parts by language, and subsets put together."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from interlingua.base.errors import InputError
from interlingua.base.extras import load
from interlingua_evaluation.data_folders import HELPDESK12
from interlingua_evaluation.datasets.language_choice import in_languages
from interlingua_evaluation.datasets.sources import open_dataset
from interlingua_evaluation.datasets.subsets import Subset, SubsetText, dataset_of
from interlingua_evaluation.datasets.text_languages import detected_languages, registered_tag
from interlingua_evaluation.datasets.translation_links import linked_groups
from tests.evaluation.small_dataset import small_dataset
from tests.support.tiny_help import write_help


def test_helpdesk12_by_its_name_and_by_its_folder(tmp_path: Path) -> None:
    by_name = open_dataset("helpdesk12")
    assert len(by_name.documents) == 480
    copy = shutil.copytree(HELPDESK12, tmp_path / "mine")
    by_folder = open_dataset(str(copy))
    assert by_folder.digest == by_name.digest
    assert by_folder.name == "mine"


def test_gnome_help_grades_related_pages(tmp_path: Path) -> None:
    titles = open_dataset("gnome-help", gnome=write_help(tmp_path), languages=["en", "DE"])
    assert titles.qrels["screen.de"] == {"screen.en": 2, "screen.de": 2, "sound.en": 1, "sound.de": 1}
    descriptions = open_dataset("gnome-help-descriptions", gnome=tmp_path, languages=["en", "de"])
    assert {query.id: query.text for query in descriptions.queries} == {"sound.en": "Loud.", "sound.de": "Laut."}
    assert descriptions.qrels["sound.de"] == {"sound.en": 2, "sound.de": 2}


@pytest.mark.parametrize("name", ["helpdesk13", "mteb:", "ir_datasets:", "huggingface:x", "gnome"])
def test_an_unknown_name_is_told_what_there_is(name: str) -> None:
    with pytest.raises(InputError, match=rf"no dataset '{name}': name one of helpdesk12, .*gnome-help, .*mteb:TASK"):
        open_dataset(name)


def test_names_of_other_sources_lead_to_them() -> None:
    pytest.importorskip("mteb")
    pytest.importorskip("ir_datasets")
    with pytest.raises(InputError, match="mteb has no task 'NoSuchTask'"):
        open_dataset("mteb:NoSuchTask/dev")
    with pytest.raises(InputError, match=r"STS22 is a task for STS"):
        open_dataset("mteb:STS22")
    with pytest.raises(InputError, match="ir_datasets has no 'no/such/set'"):
        open_dataset("ir_datasets:no/such/set")


def test_a_part_of_the_languages_keeps_what_is_judged_among_them() -> None:
    part = open_dataset("helpdesk12", languages=["de", "sw"])
    assert len(part.documents) == 2 * 40
    assert len(part.queries) == 2 * 30
    assert part.languages == ("de", "sw")
    assert {document.rpartition(".")[2] for grades in part.qrels.values() for document in grades} == {"de", "sw"}
    assert part.facts["documents_in_other_languages"] == 400


def test_a_language_is_chosen_with_its_variants_by_any_tag() -> None:
    dataset = small_dataset(("en", "pt-BR", "pt", "sv"))
    assert in_languages(dataset, ["por", "Swedish"]).languages == ("pt-BR", "pt", "sv")
    assert {query.language for query in in_languages(dataset, ["pt-BR"]).queries} == {"pt-BR"}


def test_a_language_that_no_document_is_in() -> None:
    with pytest.raises(InputError, match="helpdesk12 has no documents in cs; it has en, es"):
        in_languages(open_dataset("helpdesk12"), ["cs", "en"])
    with pytest.raises(InputError, match="'e' is not a language tag"):
        in_languages(open_dataset("helpdesk12"), ["e"])


def test_what_cannot_be_measured_is_left_out_and_counted() -> None:
    documents = [
        SubsetText("a", "en", "", "one"),
        SubsetText("b", "en", "", " "),
        SubsetText("a", "en", "", "other"),
        *_copies(),
    ]
    queries = [SubsetText("q", "en", "", "asks"), SubsetText("r", "en", "", ""), SubsetText("s", "en", "", "idle")]
    qrels = {"q": {"a": 1, "b": 1, "c1": -1}, "r": {"a": 1}, "s": {"a": 0}, "gone": {"a": 1}}
    dataset = dataset_of("tiny", [Subset("only", documents, queries, qrels)], {"source": "here"})
    assert [document.id for document in dataset.documents] == ["a", "c1", "c2"]  # a subset's own copies stay
    assert [query.id for query in dataset.queries] == ["q"]
    assert dataset.qrels == {"q": {"a": 1}}
    assert dataset.facts == {
        "source": "here",
        "judgments_of_missing_texts": 3,  # q of b, r of a, gone of a
        "judged_not_relevant": 2,  # q of c1, s of a
        "empty_documents": 1,
        "empty_queries": 1,
        "repeated_ids": 1,
        "queries_without_answer": 1,
    }


def _copies() -> list[SubsetText]:
    return [SubsetText("c1", "en", "", "copy"), SubsetText("c2", "en", "", "copy")]


def test_copies_within_a_subset_meet_their_counterparts_in_another() -> None:
    queries = [SubsetText("q", "en", "", "asks")]
    first = Subset("first", _copies(), queries, {"q": {"c1": 1}})
    second = Subset(
        "second", [SubsetText("d", "en", "", "copy"), SubsetText("e", "en", "", "copy")], queries, {"q": {"e": 2}}
    )
    dataset = dataset_of("tiny", [first, second], {})
    assert [document.id for document in dataset.documents] == ["c1", "c2"]
    assert dataset.qrels == {"q": {"c1": 1, "c2": 2}}


def test_answers_to_one_question_in_two_languages_are_translations() -> None:
    languages = {"a": "en", "b": "de", "c": "sv", "d": "en", "e": "de"}
    assert linked_groups(languages, [["b", "a"], ["c", "b"], ["d"]]) == {
        "a": "a",
        "b": "a",
        "c": "a",
        "d": "d",
        "e": "e",
    }


def test_where_questions_have_several_answers_in_a_language_nothing_is_linked() -> None:
    languages = {"a": "en", "b": "de", "c": "de"}
    assert linked_groups(languages, [["a", "b"], ["a", "b", "c"]]) == {"a": "a", "b": "b", "c": "c"}


@pytest.mark.parametrize(
    ("tag", "short"),
    [
        ("deu-Latn", "de"),
        ("deu_Latn", "de"),
        ("ger", "de"),
        ("zho-Hans", "zh"),
        ("zho-Hant", "zh-Hant"),
        ("arb_Arab", "ar"),
        ("arz_Arab", "arz"),
        ("hin-Latn", "hi-Latn"),
        ("hin-Deva", "hi"),
        ("srp-Cyrl", "sr"),
        ("pt-br", "pt-BR"),
        ("swh_Latn", "sw"),
    ],
)
def test_tags_are_shortened(tag: str, short: str) -> None:
    assert registered_tag(tag) == short


def test_a_package_that_is_not_there_is_named_with_its_command() -> None:
    with pytest.raises(InputError, match=r"reading x needs no_such_package: pip install -e '.*\[ben"):
        load("benchmarks", "no_such_package", "reading x")


@pytest.mark.parametrize("tag", ["xx", "python-Code", "e"])
def test_tags_that_are_not_registered_are_refused(tag: str) -> None:
    with pytest.raises(ValueError, match=tag):
        registered_tag(tag)


def test_a_collection_in_one_language_is_in_it_throughout() -> None:
    english = ["how do I change my password", "where can I see what I have paid", "my parcel has not arrived yet"] * 3
    assert detected_languages([*english, "ok"]) == ["en"] * 10


def test_languages_that_a_collection_shows_are_told_apart() -> None:
    texts = ["wie kann ich mein Passwort ändern", "how can I change my password"] * 5
    assert detected_languages(texts) == ["de", "en"] * 5
