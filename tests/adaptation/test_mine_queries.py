"""Which headings and sentences are asked, in which languages."""

from __future__ import annotations

import pytest

from interlingua_adaptation.corpus_step.section import Section
from interlingua_adaptation.corpus_step.sentences import sentences, size, words
from interlingua_adaptation.mining.mine_queries import MinedQuery, heading_queries, make_queries, sentence_queries

LONG = "The first sentence asks for the rest. " + "The second one says a good deal more about it. " * 2

Groups = dict[str, dict[str, Section]]


def groups_of(*sections: Section) -> Groups:
    groups: Groups = {}
    for section in sections:
        groups.setdefault(section.group, {})[section.language] = section
    return groups


def headings(*sections: Section) -> list[MinedQuery]:
    return list(heading_queries(groups_of(*sections), "en"))


def asked(*sections: Section) -> list[MinedQuery]:
    return list(sentence_queries(groups_of(*sections), "en"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Version 1.5 is out. Get it.", ["Version 1.5 is out.", "Get it."]),
        ("一つ目。二つ目！三つ目", ["一つ目。", "二つ目！", "三つ目"]),
        ("पहला वाक्य। दूसरा वाक्य।", ["पहला वाक्य।", "दूसरा वाक्य।"]),
        ("Line one\nline two", ["Line one", "line two"]),
        ("  ", []),
    ],
)
def test_sentences(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


def test_wide_characters_count_twice() -> None:
    assert (size("abc"), size("改ペー"), words("Insert a break"), words("改ページの挿入")) == (3, 6, 3, 3)


def test_a_heading_asks_in_every_language_of_its_section() -> None:
    (query,) = headings(Section("a", "en", "Page Breaks", LONG), Section("a", "ja", "改ページの挿入", "本文。"))
    assert (query.id, query.group, query.kind, query.language) == ("heading:a", "a", "heading", "en")
    assert query.texts == {"en": "Page Breaks", "ja": "改ページの挿入"}
    assert query.row(["b"]) == {
        "id": "heading:a",
        "group": "a",
        "kind": "heading",
        "queries": {"en": "Page Breaks", "ja": "改ページの挿入"},
        "negatives": ["b"],
    }


def test_a_heading_over_several_sections_is_no_query() -> None:
    found = headings(Section("a", "en", "The Options:", LONG), Section("b", "en", "the options", LONG + "More."))
    assert found == []


def test_a_heading_is_left_out_in_the_language_in_which_it_is_ambiguous() -> None:
    found = headings(
        Section("a", "en", "Page breaks", LONG),
        Section("a", "de", "Umbrüche", LONG),
        Section("b", "en", "Line breaks", LONG),
        Section("b", "de", "Umbrüche", LONG),
    )
    assert [set(query.texts) for query in found] == [{"en"}, {"en"}]


def test_a_heading_that_was_not_translated_asks_only_in_its_own_language() -> None:
    (query,) = headings(Section("a", "en", "ODBC Data Sources", LONG), Section("a", "de", "ODBC Data Sources", LONG))
    assert set(query.texts) == {"en"}


@pytest.mark.parametrize("title", ["Icon", " ".join(["word"] * 13), ""])
def test_headings_that_are_too_short_or_too_long(title: str) -> None:
    assert headings(Section("a", "en", title, LONG)) == []


def test_a_heading_over_next_to_nothing_is_no_query() -> None:
    assert headings(Section("a", "en", "Page breaks", "See above.")) == []


def test_a_first_sentence_is_cut_off_from_its_document() -> None:
    (query,) = asked(
        Section("a", "en", "Heading", LONG),
        Section(
            "a", "zh-CN", "标题", "第一句话询问其余部分的内容。第二句话说得更多一些，更多一些。第三句话也是这样说的。"
        ),
    )
    assert (query.id, query.kind) == ("sentence:a", "sentence")
    assert query.texts == {"en": "The first sentence asks for the rest.", "zh-CN": "第一句话询问其余部分的内容。"}
    assert query.documents == {
        "en": "Heading\n" + LONG.removeprefix("The first sentence asks for the rest. ").strip(),
        "zh-CN": "标题\n第二句话说得更多一些，更多一些。第三句话也是这样说的。",
    }


@pytest.mark.parametrize(
    "text",
    [
        "Two sentences only, however long the first of them may be, and it is long indeed, by any measure. Yes, it is.",
        "Short. Too short. All of it.",
        "Oh. " + "The first one is too short to ask anything of anybody. " * 3,
        "This sentence is repeated later on. Something else stands here. So: This sentence is repeated later on. Yes!",
    ],
    ids=["two sentences", "short section", "short sentence", "repeated sentence"],
)
def test_sections_that_are_not_asked_with_a_sentence(text: str) -> None:
    assert asked(Section("a", "en", "", text)) == []


def test_the_sample_of_sentences_is_the_same_for_the_same_seed() -> None:
    groups = groups_of(*(Section(f"g{n}", "en", "", f"Number {n} is what this is about. " + LONG) for n in range(50)))
    one, again, other = (
        [query.id for query in make_queries(groups, "en", seed=seed, most_sentences=10)] for seed in (1, 1, 2)
    )
    assert one == again != other
    assert len(one) == len(set(one)) == 10
