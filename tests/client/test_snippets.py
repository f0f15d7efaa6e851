"""The part of a text that is shown, and what is highlighted in it; both worked out by hand."""

from __future__ import annotations

import unicodedata

import pytest
from rich.cells import cell_len

from interlingua_client.search.snippets import CELLS, QuestionWords, snippet


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
