"""What is left out of a corpus, and that it is counted."""

from __future__ import annotations

from dataclasses import asdict

from interlingua_adaptation.corpus_step.corpus_cleaning import clean, pivot_language
from interlingua_adaptation.corpus_step.section import Section

NONE_LEFT_OUT = {"duplicated": 0, "empty": 0, "untranslated": 0, "boilerplate": 0}


def test_a_corpus_that_is_clean_stays_as_it_is() -> None:
    sections = [Section("a", "en", "A", "One."), Section("a", "de", "A", "Eins."), Section("b", "en", "B", "Two.")]
    corpus = clean(sections)
    assert list(corpus.sections()) == sections
    assert asdict(corpus.left_out) == NONE_LEFT_OUT
    assert (corpus.pivot, corpus.aligned_groups, corpus.languages) == ("en", 1, {"en": 2, "de": 1})


def test_of_sections_with_the_same_key_the_first_is_kept() -> None:
    corpus = clean([Section("a", "en", "", "One."), Section("a", "en", "", "Two."), Section("a", "en", "", "Three.")])
    assert [section.text for section in corpus.sections()] == ["One."]
    assert corpus.left_out.duplicated == 2


def test_a_section_without_a_text_is_left_out() -> None:
    corpus = clean([Section("a", "en", "Heading", " \n"), Section("b", "en", "B", "Two.")])
    assert list(corpus.groups) == ["b"]
    assert corpus.left_out.empty == 1


def test_a_translation_that_is_mostly_the_original_is_left_out() -> None:
    english = Section("a", "en", "", "This long sentence stays. Short one.")
    mostly = Section("a", "de", "", "This long sentence stays. Kurz.")
    hardly = Section("a", "fr", "", "Cette longue phrase est traduite. Short one.")
    corpus = clean([english, mostly, hardly])
    assert list(corpus.groups["a"]) == ["en", "fr"]
    assert corpus.left_out.untranslated == 1


def test_a_text_that_many_groups_share_is_left_out_in_every_language() -> None:
    shared = [Section(f"s{n}", tag, "", f"Closes it {tag}.") for n in range(4) for tag in ("en", "de")]
    rarer = [Section(f"r{n}", "en", "", "Opens it.") for n in range(3)]
    corpus = clean([*shared, *rarer])
    assert list(corpus.groups) == ["r0", "r1", "r2"]
    assert corpus.left_out.boilerplate == 8


def test_the_pivot_is_english_where_it_is_aligned() -> None:
    german_first = [Section("a", "de", "", "Eins."), Section("a", "en", "", "One."), Section("b", "de", "", "Zwei.")]
    assert clean(german_first).pivot == "en"


def test_without_english_the_pivot_is_what_most_aligned_groups_have() -> None:
    a = {"fr": Section("a", "fr", "", "Un."), "de": Section("a", "de", "", "Eins.")}
    b = {"fr": Section("b", "fr", "", "Deux."), "el": Section("b", "el", "", "Δύο.")}
    lone = {name: {"en": Section(name, "en", "", "English.")} for name in ("c", "d", "e")}
    assert pivot_language({"a": a, "b": b, **lone}) == "fr"


def test_of_an_unaligned_corpus_it_is_the_most_frequent_language() -> None:
    assert (
        clean([Section("a", "en", "", "A."), Section("b", "el", "", "B."), Section("c", "el", "", "C.")]).pivot == "el"
    )
    assert clean([]).pivot == ""
