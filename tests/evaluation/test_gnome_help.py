"""Reading GNOME's help: which texts are taken, and which pages count as translated."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlingua.base.errors import InputError
from interlingua_evaluation.datasets.dataset import half_of
from interlingua_evaluation.datasets.gnome_dataset import gnome_dataset
from interlingua_evaluation.datasets.gnome_help import read_pages
from tests.support.tiny_help import write_help, write_page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_help(tmp_path)


def test_a_page_is_its_title_and_its_paragraphs_without_comments_and_info(folder: Path) -> None:
    page = read_pages(folder, ["en"])["sound"]["en"]
    assert page.title == "Turn the sound up"
    assert page.description == "Loud."
    assert page.body == "Open Settings. Move the slider."
    assert page.see_also == {"sound"}


def test_the_text_of_nested_links_is_kept(folder: Path) -> None:
    assert read_pages(folder, ["en"])["screen"]["en"].body == "Open the panel now. Dim it."


def test_guides_are_no_pages(folder: Path) -> None:
    assert sorted(read_pages(folder, ["en"])) == ["disk", "mouse", "screen", "sound"]


def test_the_translated_share_counts_title_summary_and_paragraphs(folder: Path) -> None:
    pages = read_pages(folder, ["de", "sv"])
    shares = {(name, tag): page.translated_share for name, versions in pages.items() for tag, page in versions.items()}
    assert shares["sound", "de"] == 1
    assert shares["screen", "de"] == pytest.approx(2 / 3)
    assert shares["mouse", "de"] == pytest.approx(1 / 3)
    assert shares["sound", "sv"] == pytest.approx(3 / 4)
    assert ("disk", "de") not in shares


def test_pages_count_where_they_are_translated(folder: Path) -> None:
    dataset = gnome_dataset(folder, ["en", "de", "sv"])
    assert {document.id for document in dataset.documents} == {
        *("sound.en", "screen.en", "mouse.en", "disk.en"),
        *("sound.de", "screen.de"),  # mouse.de: one text of three
        "mouse.sv",  # sound.sv: its title is the English one
    }
    assert dataset.facts["pages_by_language"] == {"en": 4, "de": 2, "sv": 1}
    # de: (1 + 2/3 + 1/3 + 0) / 4; sv: (3/4 + 0 + 1 + 0) / 4
    assert dataset.facts["share_by_language"] == {"en": 1.0, "de": 0.5, "sv": 0.438}


def test_a_title_asks_for_its_page_in_every_language_that_has_it(folder: Path) -> None:
    dataset = gnome_dataset(folder, ["en", "de", "sv"])
    queries = {query.id: query for query in dataset.queries}
    assert queries["sound.de"].text == "Lauter stellen"
    assert queries["sound.de"].group == "sound"
    assert dataset.qrels["sound.de"] == {"sound.en": 1, "sound.de": 1}
    assert dataset.qrels["mouse.sv"] == {"mouse.en": 1, "mouse.sv": 1}
    assert dataset.qrels["disk.en"] == {"disk.en": 1}
    documents = {document.id: document for document in dataset.documents}
    assert documents["sound.de"].indexed.passage == "Öffnen Sie die Einstellungen. Schieben."  # without its title


def test_pages_that_a_page_points_to_are_related_to_it_in_every_language(folder: Path) -> None:
    # every page of tiny_help.py points to sound#volume, sound itself too
    dataset = gnome_dataset(folder, ["en", "de", "sv"], see_also=True)
    assert dataset.name == "gnome-help"
    assert dataset.qrels["screen.de"] == {"screen.en": 2, "screen.de": 2, "sound.en": 1, "sound.de": 1}
    assert dataset.qrels["mouse.sv"] == {"mouse.en": 2, "mouse.sv": 2, "sound.en": 1, "sound.de": 1}
    assert dataset.qrels["sound.en"] == {"sound.en": 2, "sound.de": 2}
    assert dataset.facts["related_pages"] == 3  # of screen, mouse and disk


@pytest.mark.parametrize("target", ["#below", "gone", "index", "mouse"])
def test_links_that_lead_to_no_other_page_judge_nothing(folder: Path, target: str) -> None:
    write_page(folder, "C", "mouse", "Slow the mouse down", "Click twice.", see_also=target)
    dataset = gnome_dataset(folder, ["en"], see_also=True)
    assert dataset.qrels["mouse.en"] == {"mouse.en": 2}
    assert dataset.facts["related_pages"] == 2


def test_the_english_pages_links_hold_for_its_translations(folder: Path) -> None:
    write_page(folder, "de", "screen", "Bildschirm abdunkeln", "Öffnen Sie es.", "Dimmen.", see_also="mouse")
    dataset = gnome_dataset(folder, ["en", "de"], see_also=True)
    assert dataset.qrels["screen.de"] == dataset.qrels["screen.en"]
    assert "mouse.en" not in dataset.qrels["screen.de"]


def test_without_see_also_nothing_has_changed(folder: Path) -> None:
    assert gnome_dataset(folder, ["en"]).digest == gnome_dataset(folder, ["en"], queries="title", see_also=False).digest
    grades = {grade for grades in gnome_dataset(folder, ["en", "de"]).qrels.values() for grade in grades.values()}
    assert grades == {1}


def test_descriptions_ask_where_there_is_one_of_their_own(folder: Path) -> None:
    write_page(folder, "C", "screen", "Dim the screen", "Open it.", "Dim it.", desc="Less light.")
    write_page(folder, "de", "screen", "Bildschirm abdunkeln", "Öffnen Sie es.", "Dimmen.", desc="Less light.")
    write_page(folder, "C", "disk", "Format a disk", "First: lose all.", "All is lost!", desc="All is lost.")
    dataset = gnome_dataset(folder, ["en", "de"], queries="description")
    assert dataset.name == "gnome-help-descriptions"
    assert {query.id: (query.text, query.kind) for query in dataset.queries} == {
        "sound.en": ("Loud.", "description"),
        "sound.de": ("Laut.", "description"),
        "screen.en": ("Less light.", "description"),
    }
    # missing: mouse.en (mouse.de is no document); untranslated: screen.de; disk.en's body ends with its description
    assert dataset.facts["queries_left_out"] == {"missing": 1, "untranslated": 1, "in_its_body": 1}
    assert dataset.qrels["sound.de"] == {"sound.en": 1, "sound.de": 1}
    assert dataset.qrels.keys() == {"sound.en", "sound.de", "screen.en"}


def test_a_document_holds_no_description_but_what_its_body_says(folder: Path) -> None:
    documents = {document.id: document for document in gnome_dataset(folder, ["en", "de"]).documents}
    assert documents["sound.en"].indexed.passage == "Open Settings. Move the slider."
    assert all("Loud" not in document.text and "Laut." not in document.text for document in documents.values())


def test_halves_are_those_of_the_first_byte_of_the_names_sha256(folder: Path) -> None:
    # `printf sound | sha256sum` begins with dd, screen 4c, mouse 47, disk 10: even bytes are development
    halves = {name: half_of(name) for name in ("sound", "screen", "mouse", "disk")}
    assert halves == {"sound": "test", "screen": "development", "mouse": "test", "disk": "development"}
    dataset = gnome_dataset(folder, ["en", "de"])
    assert {query.group: query.half for query in dataset.queries} == halves
    fewer = gnome_dataset(folder, ["en"])
    assert {query.group: query.half for query in fewer.queries} == halves


def test_a_folder_without_help_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no GNOME help here .*usr/share/help/C/gnome-help"):
        gnome_dataset(tmp_path)


def test_a_language_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(InputError, match="no fi; it has de, en, sv"):
        gnome_dataset(folder, ["en", "fi"])


def test_a_page_that_is_no_xml_is_named(folder: Path) -> None:
    write_page(folder, "de", "disk", "Platte & Co", "Alles weg.")
    with pytest.raises(InputError, match=r"de/gnome-help/disk\.page: .*line"):
        gnome_dataset(folder, ["en", "de"])
