"""LibreOffice's help pages become sections that are aligned by file and heading id."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlingua.base.errors import InputError
from interlingua_adaptation.corpus_step.libreoffice_help import chosen, packages, read_sections
from interlingua_adaptation.corpus_step.section import Section
from tests.adaptation.help_pages import section, write_page


def sections_of(tmp_path: Path, content: str) -> list[Section]:
    write_page(tmp_path, "en-US", "page.html", content)
    return list(read_sections([tmp_path], ["en"]))


def test_a_heading_and_its_paragraphs_are_a_section_in_every_language(tmp_path: Path) -> None:
    write_page(tmp_path, "en-US", "swriter/breaks.html", section("h1", "Page Breaks", "Press Enter.", "It breaks."))
    write_page(tmp_path, "pt-BR", "swriter/breaks.html", section("h1", "Quebras de página", "Tecle Enter."))
    assert list(read_sections([tmp_path], ["en", "pt-BR"])) == [
        Section("swriter/breaks.html#h1", "en", "Page Breaks", "Press Enter. It breaks."),
        Section("swriter/breaks.html#h1", "pt-BR", "Quebras de página", "Tecle Enter."),
    ]


def test_each_heading_begins_a_section_of_its_own(tmp_path: Path) -> None:
    content = section("a", "First", "One.", level=1) + section("b", "Second", level=2) + section("c", "Third", "Three.")
    assert [(s.title, s.text) for s in sections_of(tmp_path, content)] == [
        ("First", "One."),
        ("Second", ""),
        ("Third", "Three."),
    ]


def test_text_before_the_first_heading_and_around_the_article_is_left_out(tmp_path: Path) -> None:
    found = sections_of(tmp_path, "<p>Before any heading</p>" + section("a", "Heading", "Text."))
    assert [s.text for s in found] == ["Text."]


def test_a_heading_without_an_id_begins_no_section(tmp_path: Path) -> None:
    found = sections_of(tmp_path, section("a", "Heading", "Text.") + "<h3>No id</h3><p>More.</p>")
    assert [s.text for s in found] == ["Text. More."]


@pytest.mark.parametrize("kind", ["embedded", "relatedtopics", "howtogetheader", "debug"])
def test_paragraphs_that_are_not_the_sections_own_are_left_out(tmp_path: Path, kind: str) -> None:
    content = section("a", "Heading", "Own.") + f'<div class="{kind}"><div><p>Quoted.</p></div></div><p>Own too.</p>'
    assert [s.text for s in sections_of(tmp_path, content)] == ["Own. Own too."]


def test_markup_inside_a_paragraph_is_read_as_text(tmp_path: Path) -> None:
    content = section("a", "The <span>bold</span>  heading", "Choose <b>Insert</b> -\n <i>Break</i> &amp; go.")
    assert sections_of(tmp_path, content)[0][2:] == ("The bold heading", "Choose Insert - Break & go.")


def test_of_the_variants_for_systems_the_mac_is_left_out(tmp_path: Path) -> None:
    variants = '<span class="switchinline"><span class="MAC">Preferences</span><span id="default">Options</span></span>'
    assert sections_of(tmp_path, section("a", "H", f"Open {variants} now."))[0].text == "Open Options now."


def test_an_empty_page_has_no_sections(tmp_path: Path) -> None:
    write_page(tmp_path, "en-US", "a.html", section("a", "Heading", "Text."))
    (tmp_path / "usr/share/libreoffice/help/en-US/text/b.html").write_bytes(b"")
    assert [s.group for s in read_sections([tmp_path], ["en"])] == ["a.html#a"]


def test_an_id_that_comes_twice_is_told_twice(tmp_path: Path) -> None:
    found = sections_of(tmp_path, section("a", "Parameters:", "One.") + section("a", "Parameters:", "Two."))
    assert [(s.group, s.text) for s in found] == [("page.html#a", "One."), ("page.html#a", "Two.")]


def test_the_help_folder_itself_and_one_folder_a_package_are_read_as_well(tmp_path: Path) -> None:
    write_page(tmp_path / "one", "en-US", "p.html", section("a", "H", "Text."))
    write_page(tmp_path / "two", "de", "p.html", section("a", "H", "Wort."))
    roots = [tmp_path / "one" / "usr/share/libreoffice/help", tmp_path / "two"]
    assert [s.text for s in read_sections(roots, ["en", "de"])] == ["Text.", "Wort."]


def test_a_language_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    write_page(tmp_path, "de", "p.html", section("a", "H", "Wort."))
    with pytest.raises(InputError, match=r"no LibreOffice help in en, uk .*there is de\)"):
        list(read_sections([tmp_path], ["en", "de", "uk"]))


def test_a_folder_that_holds_no_language_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "x" / "text").mkdir(parents=True)
    with pytest.raises(InputError, match="there is none"):
        list(read_sections([tmp_path], ["en"]))


def test_languages_become_tags_and_package_names() -> None:
    tags = chosen(["en-US", "pt_br", "zh-CN", "en"])
    assert tags == ["en", "pt-BR", "zh-CN"]
    assert packages(tags) == ["libreoffice-help-en-us", "libreoffice-help-pt-br", "libreoffice-help-zh-cn"]


@pytest.mark.parametrize(("languages", "reason"), [(["en"], "two or more"), (["en", "e!"], "not a language tag")])
def test_languages_that_make_no_sense_are_refused(languages: list[str], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        chosen(languages)
