"""Tasks of MTEB: mteb's own loading code on small files in the layouts of MLQA, Belebele, MIRACL and NeuCLIR."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from interlingua.base.errors import ArchiveError, InputError
from interlingua_evaluation.datasets.mteb_source import dataset_of_task, read_mteb
from tests.evaluation.mteb_folder import redirected, subset, write_configs

mteb = pytest.importorskip("mteb")

DE = ("Der Drucker nimmt das Papier nicht an.", "Das neue Passwort muss zwölf Zeichen haben.")
EN = ("The printer does not take the paper.", "The new password must have twelve characters.")
DE_ASKS = ("warum nimmt der Drucker mein Papier nicht", "wie lang muss ein Passwort sein")
EN_ASKS = ("why does my printer refuse the paper", "how long must a password be")
SAME = {"q0": {"c0": 1}, "q1": {"c1": 1}}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "task").mkdir()
    return tmp_path / "task"


def numbered(prefix: str, texts: tuple[str, ...]) -> dict[str, str]:
    return {f"{prefix}{number}": text for number, text in enumerate(texts)}


def task(name: str, folder: Path, *subsets: str) -> Any:
    """A task that knows of these subsets alone."""
    loaded = redirected(mteb.get_task(name), folder)
    if subsets:
        known = {subset: loaded.metadata.eval_langs[subset] for subset in subsets}
        loaded.metadata = loaded.metadata.model_copy(update={"eval_langs": known})
    return loaded


def test_mlqa_two_pairs_share_their_german_queries(folder: Path) -> None:
    write_configs(
        folder,
        subset(numbered("c", EN), numbered("q", DE_ASKS), SAME, prefix="eng-deu-")
        | subset(numbered("c", DE), numbered("q", DE_ASKS), SAME, prefix="deu-deu-"),
    )
    dataset = dataset_of_task(task("MLQARetrieval", folder, "eng-deu", "deu-deu"))
    assert dataset.name == "mteb:MLQARetrieval"
    # c0 and c1 stand for an English and a German text each, so both get their language in front
    assert [tuple(document) for document in dataset.documents] == [
        ("en:c0", "en", "", EN[0], "en:c0"),
        ("en:c1", "en", "", EN[1], "en:c1"),
        ("de:c0", "de", "", DE[0], "en:c0"),  # answers the same queries: a translation
        ("de:c1", "de", "", DE[1], "en:c1"),
    ]
    assert [tuple(query) for query in dataset.queries] == [
        ("q0", "de", DE_ASKS[0], "plain", "en:c0", "test"),
        ("q1", "de", DE_ASKS[1], "plain", "en:c1", "test"),
    ]
    assert dataset.qrels == {"q0": {"en:c0": 1, "de:c0": 1}, "q1": {"en:c1": 1, "de:c1": 1}}
    assert (dataset.facts["subsets"], dataset.facts["split"], dataset.facts["turned_subsets"]) == (2, "test", 0)


def test_texts_are_one_document_whatever_ids_their_subsets_give_them(folder: Path) -> None:
    write_configs(
        folder,
        subset(numbered("x", EN), numbered("q", DE_ASKS), {"q0": {"x0": 1}}, prefix="eng-deu-")
        | subset(numbered("y", EN), numbered("p", EN_ASKS), {"p0": {"y0": 2}, "p1": {"y1": 1}}, prefix="eng-eng-"),
    )
    dataset = dataset_of_task(task("MLQARetrieval", folder, "eng-deu", "eng-eng"))
    assert [document.id for document in dataset.documents] == ["x0", "x1"]
    assert dataset.qrels == {"q0": {"x0": 1}, "p0": {"x0": 2}, "p1": {"x1": 1}}


def test_ids_of_two_texts_in_one_language_get_their_subset_in_front(folder: Path) -> None:
    write_configs(
        folder,
        subset({"c0": EN[0]}, {"q0": DE_ASKS[0]}, {"q0": {"c0": 1}}, prefix="eng-deu-")
        | subset({"c0": EN[1]}, {"q0": EN_ASKS[1]}, {"q0": {"c0": 1}}, prefix="eng-eng-"),
    )
    dataset = dataset_of_task(task("MLQARetrieval", folder, "eng-deu", "eng-eng"))
    assert [document.id for document in dataset.documents] == ["eng-deu:c0", "eng-eng:c0"]
    assert dataset.qrels == {"de:q0": {"eng-deu:c0": 1}, "en:q0": {"eng-eng:c0": 1}}


def test_a_pair_whose_texts_are_the_other_way_round_is_turned(folder: Path) -> None:
    write_configs(folder, subset(numbered("c", DE), numbered("q", EN_ASKS), SAME, prefix="eng-deu-"))
    dataset = dataset_of_task(task("MLQARetrieval", folder, "eng-deu"))
    assert {document.language for document in dataset.documents} == {"de"}
    assert {query.language for query in dataset.queries} == {"en"}
    assert dataset.facts["turned_subsets"] == 1


def test_the_chosen_languages_choose_the_subsets(folder: Path) -> None:
    write_configs(folder, subset(numbered("c", EN), numbered("q", EN_ASKS), SAME, prefix="eng-eng-"))
    dataset = dataset_of_task(task("MLQARetrieval", folder, "eng-eng", "eng-deu", "ara-eng"), languages=["en-GB", "en"])
    assert dataset.languages == ("en",)
    assert dataset.facts["subsets_left_out"] == 2
    with pytest.raises(InputError, match=r"MLQARetrieval has no subset in sv alone; it has ar, de, en"):
        dataset_of_task(task("MLQARetrieval", folder, "eng-eng", "eng-deu", "ara-eng"), languages=["sv"])


def test_belebele_passages_are_linked_by_its_own_code(folder: Path) -> None:
    def rows(passages: tuple[str, ...], questions: tuple[str, ...]) -> list[dict[str, str]]:
        return [
            {"link": f"page/{number}", "flores_passage": passage, "question": question}
            for number, (passage, question) in enumerate(zip(passages, questions, strict=True))
        ]

    write_configs(folder, {"eng_Latn": rows(EN, EN_ASKS), "deu_Latn": rows(DE, DE_ASKS)})
    pairs = [f"{corpus}-{asked}" for corpus in ("eng_Latn", "deu_Latn") for asked in ("eng_Latn", "deu_Latn")]
    dataset = dataset_of_task(task("BelebeleRetrieval", folder, *pairs))
    assert [document.id for document in dataset.documents] == ["en:C0", "en:C1", "de:C0", "de:C1"]
    assert len(dataset.queries) == 4
    assert dataset.qrels == {
        f"{asked}:Q{number}": {f"en:C{number}": 1, f"de:C{number}": 1} for asked in ("en", "de") for number in (0, 1)
    }
    assert {document.group for document in dataset.documents} == {"en:C0", "en:C1"}


def test_neuclir_queries_are_english_in_a_subset_that_names_another_language(folder: Path) -> None:
    persian = ("چاپگر من کاغذ را قبول نمی‌کند.", "گذرواژهٔ تازه باید دوازده نویسه داشته باشد.")
    judged = {"q0": {"c0": 3, "c1": 0}, "q1": {"c1": 1}}
    write_configs(folder, subset(numbered("c", persian), numbered("q", EN_ASKS), judged, prefix="fas-"))
    dataset = dataset_of_task(task("NeuCLIR2022Retrieval", folder, "fas"))
    assert {document.language for document in dataset.documents} == {"fa"}
    assert {query.language for query in dataset.queries} == {"en"}
    assert dataset.qrels == {"q0": {"c0": 3}, "q1": {"c1": 1}}
    assert dataset.facts["english_queries_by_their_texts"] == 1
    assert dataset.facts["judged_not_relevant"] == 1


def test_miracl_reranking_is_retrieval_from_all_candidates(folder: Path) -> None:
    candidates = [{"query-id": "q0", "corpus-ids": ["c0", "c1"]}]
    write_configs(
        folder,
        subset(numbered("c", DE), {"q0": DE_ASKS[0]}, {"q0": {"c0": 1, "c1": 0}}, prefix="de-")
        | {"de-top_ranked": candidates},
        split="dev",
    )
    dataset = dataset_of_task(task("MIRACLReranking", folder, "de"))
    assert len(dataset.documents) == 2
    assert dataset.qrels == {"q0": {"c0": 1}}
    assert dataset.facts["split"] == "dev"  # its only one


def test_a_task_without_subsets_in_english(folder: Path) -> None:
    write_configs(folder, subset(numbered("c", EN), numbered("q", EN_ASKS), SAME, judgments="default"))
    dataset = dataset_of_task(task("SciFact", folder))
    assert dataset.qrels == SAME
    assert dataset.languages == ("en",)
    assert [document.group for document in dataset.documents] == ["c0", "c1"]


def test_a_file_that_is_not_there_is_an_archive_error(folder: Path) -> None:
    with pytest.raises(ArchiveError, match=r"mteb could not load SciFact from .*It needs a network"):
        dataset_of_task(task("SciFact", folder))


@pytest.mark.parametrize(
    ("name", "split", "message"),
    [
        ("BelebeleRetrival", None, "mteb has no task 'BelebeleRetrival': .*Did you mean: 'BelebeleRetrieval'"),
        ("STS22", None, "STS22 is a task for STS; retrieval and reranking can be read"),
        ("MLQARetrieval", "dev", "MLQARetrieval has no split 'dev'; it has validation, test"),
    ],
)
def test_what_mteb_does_not_have_is_named(name: str, split: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_mteb(name, split)


def test_a_tasks_own_texts_do_not_find_themselves(folder: Path) -> None:
    """ArguAna asks with texts of its collection, and says so; SciFact does not."""
    texts = {"a": EN[0], "b": EN[1]}
    configs = subset(texts, {"a": EN[0]}, {"a": {"b": 1}})
    configs["default"] = configs.pop("qrels")
    write_configs(folder, configs)
    for name, left_out in (("ArguAna", {"a": ["a"]}), ("SciFact", {})):
        loaded = task(name, folder)
        assert loaded.ignore_identical_ids == bool(left_out)
        assert dataset_of_task(loaded).left_out == left_out
