"""The part of a text that is shown, and what is highlighted in it; both worked out by hand."""

from __future__ import annotations

import random
import time
import unicodedata

import pytest
from rich.cells import cell_len

from interlingua_client.search.snippets import CELLS, LOOKED_AT, QuestionWords, snippet


def shown(text: str, question: str, cells: int = CELLS) -> str:
    """The snippet with its highlights in brackets."""
    found = snippet(text, QuestionWords.of(question, "und"), cells)
    marked = found.text
    for start, end in reversed(found.highlights):
        marked = f"{marked[:start]}[{marked[start:end]}]{marked[end:]}"
    return marked


FILLER = "Nothing of interest stands here. " * 10


@pytest.mark.parametrize(
    ("text", "question", "expected"),
    [
        ("one\n two", "three", "one two"),
        ("", "three", ""),
        ("Error E-417 came up", "what is e417?", "Error [E-417] came up"),
        ("Error E-418 came up", "what is E-417?", "Error E-418 came up"),
        ("Build KB5034441 of 2024", "kb5034441 in 2024", "Build [KB5034441] of [2024]"),
        ("Press the power button", "POWER", "Press the [power] button"),
        ("Die Häuser", "ha\u0308user", "Die [Häuser]"),
        ("電源を切る", "電源", "[電源]を切る"),
        ("電源を切る", "源を切", "電[源を切]る"),
        ("エラーE-417が表示", "E-417", "エラー[E-417]が表示"),
        ("Обновление прошивки", "обновления", "[Обновление] прошивки"),
        ("an international house", "internet", "an international house"),
    ],
    ids=str,
)
def test_short_texts_are_whole(text: str, question: str, expected: str) -> None:
    assert shown(text, question) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a" * 161, "a" * 159 + "…"), ("字" * 81, "字" * 79 + "…"), ("a" * 160, "a" * 160), ("字" * 80, "字" * 80)],
    ids=["letters", "ideographs", "as many letters as there is room for", "as many ideographs"],
)
def test_without_a_match_the_beginning_is_shown_as_far_as_there_is_room(text: str, expected: str) -> None:
    assert shown(text, "other") == expected


def test_it_begins_with_the_sentence_of_the_match() -> None:
    assert shown(f"{FILLER}See E-417 below. {FILLER}", "E-417").startswith("…See [E-417] below. Nothing")


def test_the_fullest_part_is_shown_not_the_first() -> None:
    text = f"A battery. {FILLER}Charge the battery before the firmware update. {FILLER}"
    assert "[battery] before the [firmware] [update]" in shown(text, "battery firmware update")


def test_no_other_part_has_more_of_what_was_asked() -> None:
    chosen = random.Random(7)
    words, room, before = ["battery", "firmware", "update", "e417", "of"], 80, 40
    asked = QuestionWords.of(" ".join(words), "und")
    for _ in range(60):
        line = " ".join(chosen.choice([*words, *["nothing"] * 8]) for _ in range(120))
        starts = [place for place in range(len(line)) if place == 0 or line[place - 1] == " "]
        spans = [
            (start, start + len(word)) for start in starts for word in [line[start:].split(" ")[0]] if word in words
        ]
        worth = {"e417": 3.0, "of": 0.2}
        counted = line.split(" ")

        def weight(first: int, line: str = line, spans: list[tuple[int, int]] = spans) -> float:
            inside = {line[start:end] for start, end in spans if first <= start and end <= first + room - before}
            return sum(worth.get(word, 1.0) / counted.count(word) ** 0.5 for word in inside)  # noqa: B023

        found = snippet(line, asked, room)
        at = line.index(found.text.strip("…"))
        reached = max(weight(start) for start, _ in spans if at <= start <= at + before)
        assert reached == pytest.approx(max(weight(start) for start, _ in spans))


@pytest.mark.parametrize(
    "text",
    ["word " * 4000 + "E-417", "字" * 20_000 + "E-417", "\u1112\u1161\u11ab" * 8000 + "E-417"],
    ids=["words", "ideographs", "letters in parts"],
)
def test_a_long_text_is_looked_at_for_so_many_characters(text: str) -> None:
    found = snippet(text, QuestionWords.of("E-417", "und"))
    assert found.highlights == ()
    assert found.text.endswith("…")
    near = f"{text[: LOOKED_AT - 300]} E-417 {text[LOOKED_AT - 300 :]}"
    shown_near = snippet(near, QuestionWords.of("E-417", "und"), 1000)
    assert [shown_near.text[start:end] for start, end in shown_near.highlights] == ["E-417"]
    assert shown_near.text.endswith("…")
    assert unicodedata.normalize("NFC", shown_near.text).count("\u1112") == 0


def test_a_text_full_of_matches_costs_no_more_than_its_length() -> None:
    def seconds(times: int) -> float:
        text, asked = "電源を切る" * times, QuestionWords.of("電源を切る", "ja")
        took = []
        for _ in range(3):
            began = time.process_time()
            snippet(text, asked)
            took.append(time.process_time() - began)
        return min(took)

    assert seconds(LOOKED_AT // 5) < 30 * seconds(
        LOOKED_AT // 50
    )  # ten times the text; a hundred times the pairs of it


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    "text",
    ["हिन्दी में अपडेट " * 60, "é" * 500, "한국어" * 200, "👩‍👩‍👧" * 120, "🇩🇪🇫🇷" * 90, "ข้อมูลผิด" * 90, "שָׁלוֹם " * 90],
    ids=str,
)
def test_no_character_is_cut(text: str, form: str) -> None:
    import regex

    text = unicodedata.normalize(form, text)  # type: ignore[arg-type]
    found = snippet(text, QuestionWords.of("अपडेट ผิด שלום", "und"), 40)
    whole = set(regex.findall(r"\X", " ".join(text.split())))
    assert set(regex.findall(r"\X", found.text.strip("…"))) <= whole
    for start, end in found.highlights:
        assert set(regex.findall(r"\X", found.text[start:end])) <= whole
    assert found.text


def test_it_is_never_wider_than_its_room() -> None:
    for question in ("E-417", "字", "none"):
        for text in (FILLER + "E-417 " + FILLER, "字" * 200 + "E-417" + "文" * 200):
            assert cell_len(snippet(text, QuestionWords.of(question, "und"), 60).text) <= 60
