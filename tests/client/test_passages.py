"""Long texts to passages: by structure, in any language, with bounded work."""

from __future__ import annotations

import time
import unicodedata
from itertools import pairwise

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from interlingua.base.errors import InputError
from interlingua_client.index.passages.passage_plan import PassagePlan
from interlingua_client.index.passages.span import Span, passage_text
from interlingua_client.index.passages.splitter import LongText, split, split_all
from interlingua_client.index.passages.units import units


def count_bytes(texts: list[str]) -> list[int]:
    """A tokenizer as greedy as there may be: a token a byte, but for blanks."""
    return [len("".join(text.split()).encode()) for text in texts]


def count_words(texts: list[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def slices(text: str, spans: list[Span]) -> list[str]:
    return [text[span.start : span.end] for span in spans]


def words(number: int, word: str = "word") -> str:
    return " ".join([word] * (number - 1) + [f"{word}."])


SENTENCES = {
    "en": ["Dr. Smith paid $3.5 at 10.30 a.m. for it.", "See https://a.example/b?c=1.2 first!", '"Really?" he asked.'],
    "de": ["Siehe z. B. Abs. 2 bzw. Dr. Müllers Seite.", "Danach ca. 5 Min. warten!", "Ende."],
    "es": ["El Sr. Pérez tiene 3.5.", "¿Es correcto?", "¡Sí!", "Fin."],
    "pt-BR": ["O Sr. Silva tem 3.5.", "Está certo?", "Fim."],
    "ru": ["Откройте настройки.", "Версия 2.0 работает!", "Конец."],
    "tr": ["Dr. Ali geldi mi?", "Sürüm 2.0 çalışıyor!", "Bitti."],
    "ar": ["افتح الإعدادات.", "هل هذا صحيح؟", "اختر الحساب، ثم اضغط موافق!", "الإصدار 2.0 هنا."],
    "hi": ["सेटिंग्स खोलें।", "क्या यह ठीक है?", "संस्करण 2.0 है।"],
    "sw": ["Fungua mipangilio.", "Je, ni sawa?", "Ndiyo."],
    "vi": ["Mở cài đặt.", "Có đúng không?", "Bản 2.0 chạy được!"],
    "ko": ["설정을 엽니다.", "맞습니까?", "버전 2.0입니다."],
}
UNSPACED = {
    "ja": ["設定を開きます。", "本当ですか？", "バージョン2.0を使う！", "終わりです。"],
    "zh-Hans": ["打开设置。", "真的吗？", "版本2.0可用！", "结束。"],
    "th": ["เปิดการตั้งค่า ", "เลือกบัญชี ", "กดปุ่มตกลง ", "เวอร์ชัน 2.0 ใช้งานได้"],
}


@pytest.mark.parametrize("language", [*SENTENCES, *UNSPACED])
def test_sentences_end_where_a_reader_ends_them(language: str) -> None:
    sentences = SENTENCES.get(language) or UNSPACED[language]
    text = (" " if language in SENTENCES else "").join(sentences)
    found = [text[unit.start : unit.end] for unit in units(text, language)]
    assert found == [sentence.strip() for sentence in sentences]


def test_a_text_that_fits_is_one_passage_and_is_not_counted_where_it_cannot_be_too_long() -> None:
    def refuse(texts: list[str]) -> list[int]:
        raise AssertionError(texts)

    assert split("  # A\n\nb. c. \n", PassagePlan(), refuse, title="t") == [Span(0, 14)]
    assert split("", PassagePlan(), refuse, title="only a title") == [Span(0, 0)]
    text = words(100, "eightchr")
    assert split(text, PassagePlan(size=128), count_words) == [Span(0, len(text))]


def test_sections_are_kept_apart_and_say_what_they_stand_under() -> None:
    text = "\n".join(
        [
            "# Install",
            "",
            words(30),
            "",
            "On Windows",
            "----------",
            words(40),
            "",
            "### Silently ###",
            words(30),
            "",
            "# Use",
            words(50),
        ]
    )
    spans = split(text, PassagePlan(size=64, overlap=0), count_words, title="Guide")
    first = [slice_.split("\n")[0] for slice_ in slices(text, spans)]
    assert first == ["# Install", "On Windows", "### Silently ###", "# Use"]
    assert [span.heading for span in spans] == ["", "Install", "Install > On Windows", ""]
    assert passage_text("Guide", spans[2].heading, "x") == "Guide\nInstall > On Windows\nx"


def test_marks_in_code_are_no_headings_and_a_code_block_is_cut_at_its_lines() -> None:
    lines = [f"# value {number} is set. Now." for number in range(40)]
    text = "\n".join(["Run this:", "", "```sh", *lines, "```", "", words(20)])
    spans = split(text, PassagePlan(size=64, overlap=0), count_words)
    assert {span.heading for span in spans} == {""}
    for slice_ in slices(text, spans)[1:-1]:
        assert slice_.startswith("# value")
        assert slice_.endswith(("Now.", "```"))


@pytest.mark.parametrize(
    "line", ["####### Seven", "#hashtag", "CAPITALS", "1. Introduction", "Title:", "---", "**Bold**", "# "]
)
def test_what_only_looks_like_a_heading_is_none(line: str) -> None:
    text = "\n\n".join([words(40), line, words(60)])
    assert {span.heading for span in split(text, PassagePlan(size=64), count_words)} == {""}


def test_front_matter_and_tables_are_no_headings() -> None:
    text = "---\ntitle: x\n---\n\n| a | b |\n|---|---|\n" + "| one | two |\n" * 60
    spans = split(text, PassagePlan(size=64, overlap=0), count_words)
    assert {span.heading for span in spans} == {""}
    assert all(slice_.endswith("|") for slice_ in slices(text, spans))


def test_overlap_is_in_whole_sentences_and_ends_at_a_heading() -> None:
    sentences = [f"s{number:02d} is here with some more words." for number in range(30)]
    text = " ".join(sentences) + "\n\n# Next\n" + words(60)
    spans = split(text, PassagePlan(size=64, overlap=0.25), count_words)
    parts = slices(text, spans)
    for before, after in pairwise(parts):
        if after.startswith("# Next"):
            assert before.endswith(sentences[-1])
        elif after.startswith("s"):
            again = after.split(".")[0] + "."
            assert before.count(again) == 1
    plain = split(text, PassagePlan(size=64, overlap=0), count_words)
    assert all(left.end <= right.start for left, right in pairwise(plain))


def test_what_is_left_for_two_is_divided_in_the_middle() -> None:
    text = " ".join(words(8) for _ in range(9))
    counts = count_words(slices(text, split(text, PassagePlan(size=64, overlap=0), count_words)))
    assert counts == [32, 40]


def test_lists_and_lines_are_cut_before_sentences() -> None:
    items = [f"- Item {number} says this. And that, too, in some words." for number in range(12)]
    text = "\n".join(items)
    for part in slices(text, split(text, PassagePlan(size=64, overlap=0), count_words)):
        assert part.startswith("- Item")
        assert part.endswith("words.")


def test_many_texts_are_counted_in_two_calls() -> None:
    calls: list[int] = []

    def count(texts: list[str]) -> list[int]:
        calls.append(len(texts))
        return count_words(texts)

    texts = [LongText(f"{words(300, str(number))} {words(90)}", f"title {number}", "en") for number in range(20)]
    together = split_all(texts, PassagePlan(size=64), count)
    assert len(calls) == 2
    assert [found.spans for found in together] == [
        split(one.text, PassagePlan(size=64), count_words, title=one.title, language="en") for one in texts
    ]


def test_a_title_longer_than_a_passage_leaves_room_for_the_text() -> None:
    plan, title = PassagePlan(size=64), "Überschrift " * 400
    text = " ".join(words(9) for _ in range(40))
    [(spans, short)] = split_all([LongText(text, title)], plan, count_bytes)
    assert title.startswith(short)
    assert count_bytes([short])[0] <= 32
    assert split_all([LongText(text, "Short")], plan, count_bytes)[0].title == "Short"
    for span in spans:
        assert count_bytes([passage_text(short, span.heading, text[span.start : span.end])])[0] <= 64


@pytest.mark.parametrize("title", ["संस्करण " * 12, "ก" * 90, "設" * 90])
def test_a_title_is_measured_by_its_tokens_and_not_by_its_bytes(title: str) -> None:
    def count(texts: list[str]) -> list[int]:
        return [len(text) // 3 for text in texts]

    text = " ".join(words(9) for _ in range(40))
    assert split_all([LongText(text, title)], PassagePlan(size=64), count)[0].title == title
    beginning = split_all([LongText(text, title * 2)], PassagePlan(size=64), count)[0].title
    assert 16 <= count([beginning])[0] <= 32


ALPHABETS = "aB .!?\n\t#-|`>=1)\u00e9\u0301\u200d\u200b\ufeff\u0e01\u0e31\u0e49\u0e33。、？「」日本語ｶﾞ한"
ALPHABETS += "\u1112\u1161।क\u094dष\u093f"
ALPHABETS += "\u061f\u0627\u0628\u064f\U0001f469\U0001f3fd\U0001f1e9\U0001f1ea\r\u2028\0\ud800\ufdfa\u1780\u17d2"
MARKS = ["# ", "\n\n", "\n# a\n", "\n---\n", "```\n", "- ", "| a |\n", "Dr. ", "e.g. ", "3.5", "。", " ก"]
MARKED = st.sampled_from(MARKS)


@settings(max_examples=150, deadline=None)
@given(
    pieces=st.lists(st.one_of(MARKED, st.text(ALPHABETS, min_size=1, max_size=40), st.text(max_size=20)), max_size=40),
    title=st.text(ALPHABETS, max_size=60),
    language=st.sampled_from(["", "en", "th", "ja", "hi", "ar", "xx", "no such tag"]),
    overlap=st.sampled_from([0, 0.1, 0.25]),
)
def test_any_text_is_covered_in_order_within_the_size_and_no_grapheme_is_parted(
    pieces: list[str], title: str, language: str, overlap: float
) -> None:
    text, plan = "".join(pieces), PassagePlan(size=64, overlap=overlap)
    [(spans, front)] = split_all([LongText(text, title, language)], plan, count_bytes)
    assert spans == split(text, plan, count_bytes, title=title, language=language)
    covered = {place for span in spans for place in range(span.start, span.end)}
    assert [place for place, mark in enumerate(text) if not mark.isspace() and place not in covered] == []
    if len(spans) == 1:
        return
    assert sorted({span.start for span in spans}) == [span.start for span in spans]
    assert sorted({span.end for span in spans}) == [span.end for span in spans]
    edges = {edge for found in regex.finditer(r"\X", text) for edge in found.span()}
    # One that is longer than there is room for is parted: \ufdfa alone has 33 bytes in the form that is tokenized.
    widest = [unicodedata.normalize("NFKC", found[0]) for found in regex.finditer(r"\X", text)]
    longest = max(len(grapheme.encode(errors="replace")) for grapheme in widest)
    for span in spans:
        whole = passage_text(front, span.heading, text[span.start : span.end])
        assert len("".join(whole.split()).encode(errors="replace")) <= 64
        if longest <= 16:
            assert span.start in edges
            assert span.end in edges or text[span.end : span.end + 1].isspace()


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "\u0301" * 60_000,
        "。" * 60_000,
        "日本語の文です。次の文。" * 6_000,
        "ก" * 60_000,
        "- a\n" * 20_000,
        "# h\n" * 20_000,
        "a. " * 40_000,
        "\n" * 1_000_000 + "x" * 300,
        "`" * 200_000,
        "#" * 200_000,
        "word " * 100_000,
        "Mr. " * 40_000,
        '"(' * 60_000,
        "\U0001f469\u200d" * 30_000,
        "| a " * 60_000,
    ],
    ids=lambda text: repr(text[:6]),
)
def test_a_long_text_of_any_kind_takes_time_in_proportion(text: str) -> None:
    began = time.process_time()
    spans = split(text, PassagePlan(), lambda texts: [len(text) for text in texts])
    assert time.process_time() - began < 20
    assert spans[-1].end <= len(text)
    assert all(span.end - span.start < 2000 for span in spans)


def test_bounds_are_all_named() -> None:
    with pytest.raises(InputError, match=r"size.*; .*overlap"):
        PassagePlan(size=3, overlap=0.9).checked()
    assert PassagePlan(size=512).within(512).size == 448
    assert PassagePlan().within(32).size == 64
    given = PassagePlan(size=256.0, overlap=np.float64(0.1)).checked()  # type: ignore[arg-type]
    assert (repr(given.size), repr(given.overlap)) == ("256", "0.1")
