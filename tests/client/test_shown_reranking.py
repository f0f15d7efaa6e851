"""What `search` and `demo` print about reranking."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from interlingua.repository.published import Published
from interlingua.served.late_interaction.sides import LateInteraction, SideRules
from interlingua_cli.demo import ASKED, CANDIDATES, DATASET, Demonstrated, Places, hits_table, read_answers, summary
from interlingua_cli.promote import show as show_promoted
from interlingua_cli.search import moved, show
from interlingua_client.search.explanation import HitPlaces
from interlingua_client.search.results import Hit, QueryLanguage, Reranking, SearchResult, StageTimes
from interlingua_client.search.snippets import Snippet
from interlingua_client.search.word_candidates import WordUse
from interlingua_releases.promotion import Promoted
from tests.support.written_repository import service_spec, write_embedder

TIMES = StageTimes(
    language_s=0.001,
    queue_s=0.002,
    tokenize_s=0.003,
    compute_s=0.004,
    network_s=0.005,
    embed_s=0.014,
    ann_s=0.006,
    documents_s=0.007,
    rerank_s=0.0,
    total_s=0.03,
)


def hit(rank: int, id_: str, dense_rank: int) -> Hit:
    return Hit(
        rank=rank,
        id=id_,
        score=1.0 / rank,
        dense_score=0.5,
        dense_rank=dense_rank,
        rerank_score=3.0,
        language="en",
        title=f"title of {id_}",
        text="text",
    )


# Reranking brought the third to the front: a b c d -> c a b d.
HITS = [hit(1, "c", 3), hit(2, "a", 1), hit(3, "b", 2), hit(4, "d", 4)]


def result(reranking: Reranking, hits: list[Hit] = HITS) -> SearchResult:
    return SearchResult(
        query="?",
        hits=hits,
        times=TIMES,
        reranking=reranking,
        language=QueryLanguage("en", "given", 1.0),
        exact=True,
        offsets=True,
        query_tokens=3,
        query_truncated=False,
        vanished=0,
    )


def test_a_query_that_the_model_cannot_read_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    unread = replace(result(Reranking(0, 3, "switched off")), unknown_scripts=("TIFINAGH",))
    show(unread, 4, 4)
    assert "the model cannot read the query's script (Tifinagh)" in " ".join(capsys.readouterr().out.split())
    assert unread.to_dict()["unknown_scripts"] == ("TIFINAGH",)


def test_moved() -> None:
    assert [moved(hit) for hit in HITS] == ["↑ was 3", "↓ was 1", "↓ was 2", ""]


def test_search_shows_what_reranking_changed(capsys: pytest.CaptureFixture[str]) -> None:
    show(result(Reranking(4, 4, "", 0.7)), 100, 4)
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines() if "title of" in line]
    assert [row[:5] for row in rows[:3]] == [
        ["1", "1.000", "↑", "was", "3"],
        ["2", "0.500", "↓", "was", "1"],
        ["3", "0.333", "↓", "was", "2"],
    ]
    assert rows[3][:3] == ["4", "0.250", "en"]
    assert "reranked 4 candidates, weight 0.7\n" in printed


def test_search_says_when_only_some_were_reranked(capsys: pytest.CaptureFixture[str]) -> None:
    show(result(Reranking(2, 4, "the deadline left time for 2 of 4 candidates", 1.0)), 100, 4)
    assert "reranked 2 of 4 candidates, weight 1: the deadline left" in capsys.readouterr().out


def test_without_reranking_there_is_nothing_to_show(capsys: pytest.CaptureFixture[str]) -> None:
    show(result(Reranking(0, 4, "the server has no reranker")), 100, 4)
    printed = capsys.readouterr().out
    assert "was" not in printed
    assert "not reranked: the server has no reranker" in printed


@pytest.mark.parametrize(
    ("wanted", "places", "change"),
    [
        pytest.param({"c"}, (3, 1), "reranking moved the answer up from 3 to 1", id="up"),
        pytest.param({"a"}, (1, 2), "reranking moved the answer down from 1 to 2", id="down"),
        pytest.param({"d"}, (4, 4), "reranking left the answer at 4", id="stays"),
        pytest.param({"c", "a"}, (1, 1), "reranking left the answer at 1", id="the best of several"),
        pytest.param({"x"}, (None, None), f"the answer is not among the {CANDIDATES} candidates", id="nowhere"),
    ],
)
def test_where_the_answer_stood(wanted: set[str], places: tuple[int | None, int | None], change: str) -> None:
    found = Places.of(result(Reranking(4, 4, "", 0.7)), wanted)
    assert found == places
    assert found.change() == change


def test_the_summary_counts_before_and_after() -> None:
    places = [Places(1, 1), Places(2, 1), Places(9, 3), Places(3, 4), Places(None, None)]
    assert summary(Demonstrated(places, [], [])).splitlines() == [
        "Answered by the first hit: 1 of 5 questions before reranking, 2 after.",
        "Answered within the first 3 hits: 3 of 5 questions before reranking, 3 after.",
    ]


def test_the_demo_shows_three_hits_and_marks_the_answer() -> None:
    console = Console(width=100)
    with console.capture() as capture:
        console.print(hits_table(result(Reranking(4, 4, "", 0.7)), {"a"}))
    lines = [line.split() for line in capture.get().splitlines()]
    assert len(lines) == 3
    assert lines[0] == ["1", "1.000", "en", "title", "of", "c", "↑", "was", "3"]
    assert lines[1][-3:] == ["<-", "answers", "it"]


def test_every_question_of_the_demo_has_its_answers() -> None:
    answers = read_answers()
    assert (DATASET / "queries.jsonl").is_file()
    for number, target in ASKED:
        assert any(target is None or answer.endswith(f".{target}") for answer in answers[number]), number


@pytest.mark.parametrize(
    ("stored", "why", "said"),
    [
        (4, "", "reranked 4 candidates by stored token vectors, weight 0.7"),
        (0, "", "reranked 4 candidates, weight 0.7"),
        (
            0,
            "the index has no token vectors",
            "reranked 4 candidates (pair by pair: the index has no token vectors), weight 0.7",
        ),
        (3, "1 candidate has none yet", "reranked 4 candidates (1 of them pair by pair: 1 candidate has none yet)"),
    ],
)
def test_the_way_is_said(capsys: pytest.CaptureFixture[str], stored: int, why: str, said: str) -> None:
    show(result(Reranking(4, 4, "", 0.7, stored=stored, pairs_reason=why)), 100, 4)
    assert said in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("reranking", "said"),
    [
        (Reranking(1, 1, "", 0.7, stored=1), "reranked 1 candidate by stored token vectors, weight 0.7"),
        (Reranking(1, 1, "", 0.7), "reranked 1 candidate, weight 0.7"),
        (Reranking(1, 2, "late", 0.7), "reranked 1 of 2 candidates, weight 0.7: late"),
    ],
)
def test_one_candidate_is_one(capsys: pytest.CaptureFixture[str], reranking: Reranking, said: str) -> None:
    show(result(reranking), 100, 4)
    assert said in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("is_late", [True, False])
def test_a_promoted_reranker_needs_token_vectors_where_it_is_late_interaction(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], is_late: bool
) -> None:
    interaction = LateInteraction(query=SideRules(max_tokens=8), document=SideRules(max_tokens=8)).to_text()
    services = ("rerank", "encode_query_tokens", "encode_document_tokens") if is_late else ("rerank",)
    spec = service_spec(network="reranker", interaction=interaction if is_late else "", max_tokens=8)
    write_embedder(tmp_path, spec, services=services, output="token_vectors" if is_late else "score")
    version = Published.read(tmp_path).required("reranker")
    show_promoted(Promoted(version, 1, (), None), as_json=False)
    said = capsys.readouterr().out
    assert ("`interlingua index --index DIR --token-vectors FORMAT`" in said) is is_late
    assert "the default reranker is version 1" in said


def test_the_demo_compares_stored_vectors_with_pairs() -> None:
    said = summary(Demonstrated([Places(1, 1)], [0.02, 0.03, 0.9], [0.7, 0.6, 0.5])).splitlines()[-1]
    assert f"A search with {CANDIDATES} candidates reranked took 30 ms (median)" in said
    assert "600 ms, 20 times the whole search" in said


def test_what_each_step_did_and_what_words_added_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    added = HitPlaces(raw=41, dense=23, reranked=1, balanced=1, added=True, without_words=None)
    other = HitPlaces(raw=12, dense=11, reranked=3, balanced=2, added=False, without_words=1)
    hits = [
        replace(HITS[0], places=added, snippet=Snippet("See E-417 below", ((4, 9),))),
        replace(HITS[1], places=other, snippet=Snippet("Nothing")),
    ]
    words = WordUse("codes", ("e417",), 1)
    explained = replace(result(Reranking(4, 4, "", 0.8), hits), words=words)
    show(explained, 4, 2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2:9] for line in lines if "title of" in line] == [
        ["↑", "was", "3", "41", "23", "1", "1"],
        ["↓", "was", "1", "12", "11", "3", "2"],
    ]
    assert any("names and codes looked up: e417, 1 candidate added" in line for line in lines)
    fields = explained.to_dict()
    assert fields["hits"][0]["places"]["without_words"] is None
    assert fields["hits"][0]["snippet"] == {"text": "See E-417 below", "highlights": ((4, 9),)}
    assert fields["words"]["added"] == 1
