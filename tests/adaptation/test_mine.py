"""Mining end to end, with an embedder that needs no network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from interlingua.base.errors import InputError
from interlingua_adaptation.corpus_step.corpus import make_corpus
from interlingua_adaptation.corpus_step.section import Section
from interlingua_adaptation.mining.mine import MiningSettings, mine
from interlingua_adaptation.work_folder import WorkFolder
from interlingua_client.index.writer_lock import IndexBusyError, writer_lock
from tests.adaptation.topics import TOPICS, make_sections
from tests.support.hash_embedder import HashEmbedder


@pytest.fixture
def work(tmp_path: Path) -> WorkFolder:
    folder = WorkFolder(tmp_path / "work")
    make_corpus(make_sections(), folder, source="topics", licence="")
    return folder


def embedder(digest: str = "hash-1") -> HashEmbedder:
    """Of a dimension in which different words have next to nothing in common."""
    return HashEmbedder(digest, dimension=1024)


def rows(work: WorkFolder) -> list[dict[str, Any]]:
    return [json.loads(line) for line in work.lists.read_text(encoding="utf-8").splitlines()]


def test_every_topic_is_asked_by_its_heading_and_by_a_sentence(work: WorkFolder) -> None:
    facts = mine(work, embedder())
    lists = rows(work)
    assert facts["lists"] == len(lists) == 2 * TOPICS
    assert facts["kinds"] == {"heading": TOPICS, "sentence": TOPICS}
    assert facts["languages"] == {"en": 2 * TOPICS, "fr": 2 * TOPICS}
    assert {row["id"] for row in lists} == {f"{k}:topic-{n:02}" for n in range(TOPICS) for k in ("heading", "sentence")}
    assert all(set(row["queries"]) == {"en", "fr"} for row in lists)
    assert all(("documents" in row) == (row["kind"] == "sentence") for row in lists)
    assert work.require_lists() == facts


def test_negatives_are_other_groups_and_seven(work: WorkFolder) -> None:
    facts = mine(work, embedder())
    groups = {section.group for section in make_sections()}
    for row in rows(work):
        assert len(row["negatives"]) == len(set(row["negatives"])) == 7
        assert set(row["negatives"]) <= groups - {row["group"]}
    assert facts["negatives"] == 7 * 2 * TOPICS


def test_near_duplicates_stay_out_and_are_counted(work: WorkFolder) -> None:
    """topic-01 and topic-02 have the same words in their texts; each one's two queries find the other."""
    facts = mine(work, embedder())
    by_id = {row["id"]: row for row in rows(work)}
    for kind in ("heading", "sentence"):
        assert "topic-02" not in by_id[f"{kind}:topic-01"]["negatives"]
        assert "topic-01" not in by_id[f"{kind}:topic-02"]["negatives"]
    assert by_id["sentence:topic-01"]["near_duplicates"] == by_id["sentence:topic-02"]["near_duplicates"] == 1
    assert facts["near_duplicates"] == sum(row["near_duplicates"] for row in by_id.values())


def test_hard_negatives_are_the_topics_that_share_words(work: WorkFolder) -> None:
    """Topic 20 asks with three words that topic 19 has as well, and no other topic."""
    mine(work, embedder(), MiningSettings(negatives=20))
    row = next(row for row in rows(work) if row["id"] == "sentence:topic-20")
    assert row["negatives"][0] == "topic-19"


def test_the_same_seed_makes_the_same_lists(work: WorkFolder, tmp_path: Path) -> None:
    mine(work, embedder())
    again = WorkFolder(tmp_path / "again")
    make_corpus(make_sections(), again, source="topics", licence="")
    mine(again, embedder())
    assert work.lists.read_bytes() == again.lists.read_bytes()


def test_what_was_mined_is_not_mined_again(work: WorkFolder) -> None:
    facts = mine(work, embedder())
    idle = embedder()
    assert mine(work, idle) == facts
    assert idle.embedded == []


def test_a_run_goes_on_after_a_torn_line(work: WorkFolder) -> None:
    """As a stop in the middle of a write leaves it: three lists, and a half one."""
    mine(work, embedder())
    whole, facts = work.lists.read_bytes(), json.loads(work.lists_facts.read_text())
    made_of = {name: facts[name] for name in ("corpus_sha256", "embedder", "settings")}
    (work.root / "lists.part.json").write_text(json.dumps({"made_of": made_of, "truncated": 2}))
    lines = whole.splitlines(keepends=True)
    (work.root / "lists.part.jsonl").write_bytes(b"".join(lines[:3]) + lines[3][:40])
    work.lists.unlink()
    work.lists_facts.unlink()
    used = embedder()
    resumed = mine(work, used)
    assert work.lists.read_bytes() == whole
    assert resumed == {**facts, "truncated": 2}
    assert len(used.embedded) == 2 * TOPICS - 3  # neither the index nor the first three queries


def test_lists_of_another_corpus_are_not_overwritten(work: WorkFolder) -> None:
    mine(work, embedder())
    other = [*make_sections(), Section("more", "en", "Something more", "One more section of a text.")]
    with pytest.raises(InputError, match=r"mined from another corpus.*--replace"):
        make_corpus(other, work, source="more", licence="")
    make_corpus(other, work, source="more", licence="", replace=True)
    with pytest.raises(InputError, match="mined from another corpus"):
        work.require_lists()
    with pytest.raises(InputError, match=r"made otherwise \(corpus_sha256.*--replace"):
        mine(work, embedder())
    assert mine(work, embedder(), replace=True)["lists"] == 2 * TOPICS


def test_other_settings_are_not_mixed_in(work: WorkFolder) -> None:
    mine(work, embedder())
    with pytest.raises(InputError, match=r"made otherwise \(settings"):
        mine(work, embedder(), MiningSettings(seed=3))


def test_an_index_of_another_embedder_is_refused(work: WorkFolder) -> None:
    mine(work, embedder())
    with pytest.raises(InputError, match="hash-2"):
        mine(work, embedder("hash-2"), replace=True)


@pytest.mark.parametrize("name", ["corpus.jsonl", "lists.jsonl"])
def test_a_file_that_was_changed_is_noticed(work: WorkFolder, name: str) -> None:
    mine(work, embedder())
    with (work.root / name).open("a") as file:
        file.write("{}\n")
    with pytest.raises(InputError, match=f"{name} is not the file"):
        work.require_lists()


def test_texts_longer_than_the_network_reads_are_counted(tmp_path: Path) -> None:
    """The hash embedder's window is 512 words."""
    work = WorkFolder(tmp_path)
    sections = make_sections()
    longer = [
        section._replace(text=section.text + " and more" * 260) for section in sections if section.group[-1] == "5"
    ]
    make_corpus([*longer, *(s for s in sections if s.group[-1] != "5")], work, source="x", licence="")
    assert mine(work, embedder())["truncated"] == 4  # topics 05, 15, 25 and 35, in the one language that is indexed


def test_lists_with_fewer_negatives_than_wanted_are_counted(tmp_path: Path) -> None:
    """Five groups have four others each."""
    work = WorkFolder(tmp_path)
    kept = {"topic-00", "topic-10", "topic-20", "topic-30", "topic-39"}
    make_corpus([s for s in make_sections() if s.group in kept], work, source="x", licence="")
    facts = mine(work, embedder())
    assert (facts["lists"], facts["short"], facts["negatives"]) == (10, 10, 40)


def test_two_runs_in_one_folder_do_not_mix(work: WorkFolder) -> None:
    with writer_lock(work.root), pytest.raises(IndexBusyError, match="another process"):
        mine(work, embedder())


def test_an_empty_work_folder_names_the_step_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="interlingua adapt corpus"):
        mine(WorkFolder(tmp_path), embedder())


def test_a_corpus_in_which_nothing_can_be_asked(tmp_path: Path) -> None:
    work = WorkFolder(tmp_path)
    make_corpus(
        [Section("a", "en", "Icon", "Short."), Section("b", "en", "", "Shorter.")], work, source="x", licence=""
    )
    with pytest.raises(InputError, match="can be asked for"):
        mine(work, embedder())


def test_an_unaligned_corpus_is_searched_in_all_its_languages(tmp_path: Path) -> None:
    """Every document is a group of its own, and a negative may be in another language than the query."""
    work = WorkFolder(tmp_path)
    sections = [section._replace(group=section.id) for section in make_sections() if "02" not in section.group]
    facts = make_corpus(sections, work, source="x", licence="")
    assert (facts["groups"], facts["aligned_groups"]) == (2 * (TOPICS - 1), 0)
    mine(work, embedder())
    negatives = {row["group"]: row["negatives"] for row in rows(work)}
    assert {group[-2:] for group in negatives} == {"en", "fr"}
    assert {group[-2:] for groups in negatives.values() for group in groups} == {"en", "fr"}
