"""Debian Reference's pages as an evaluation set, of two small chapters."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlingua.base.errors import InputError
from interlingua_evaluation.datasets.manuals.debian_reference import debian_reference

PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><body><div class="chapter"><h1 class="title">Chapter</h1>
<div class="section"><h2 class="title"><a id="_shell"/>1.1.\u00a0{title}</h2><p>{first}</p>
  <div class="section"><h3 class="title"><a id="_prompt"/>1.1.1.\u00a0{part}</h3><p>{second}</p>
    <table><tr><td><p>{cell}</p></td></tr></table><pre>ls  -l
cd</pre>
    <div class="section"><h4 class="title"><a id="_deep"/>1.1.1.1. Deep</h4><p>{third}</p></div></div>
  <div class="section"><h3 class="title"><a id="_gui"/>1.1.2. GUI</h3><p>4 GB</p></div></div>
<div class="section"><h2 class="title"><a id="_plain"/>1.2. Without parts</h2><p>Nothing.</p></div>
</div></body></html>"""
ENGLISH = {
    "title": "The shell",
    "first": "A shell  reads.",
    "part": "The prompt",
    "second": "It waits.",
    "cell": "A cell.",
    "third": "Below.",
}
GERMAN = {**dict.fromkeys(ENGLISH, "Eins."), "title": "Die Shell", "part": "Die Eingabe"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pages = tmp_path / "usr/share/debian-reference"
    pages.mkdir(parents=True)
    (pages / "ch01.en.html").write_text(PAGE.format(**ENGLISH), encoding="utf-8")
    (pages / "ch01.de.html").write_text(PAGE.format(**GERMAN), encoding="utf-8")
    (pages / "ch01.fr.html").write_text(PAGE.format(**ENGLISH), encoding="utf-8")
    return tmp_path


def test_titles_of_parts_ask_for_the_page_in_every_language_that_has_it(folder: Path) -> None:
    dataset = debian_reference(["en", "de"], folder)
    english, german = dataset.documents
    assert (english.id, english.title, german.id) == ("_shell.en", "The shell", "_shell.de")
    assert english.text == "A shell reads.\n\nIt waits.\n\nA cell.\n\nls  -l\ncd\n\nBelow.\n\n4 GB"
    asked = {query.id: query.text for query in dataset.queries}
    assert asked == {"_prompt.en": "The prompt", "_gui.en": "GUI", "_prompt.de": "Die Eingabe"}
    assert dataset.qrels["_prompt.de"] == {"_shell.en": 1, "_shell.de": 1}
    assert {query.half for query in dataset.queries} in ({"test"}, {"development"})


def test_what_is_not_translated_is_left_out(folder: Path) -> None:
    assert {document.language for document in debian_reference(["en", "fr"], folder).documents} == {"en"}


def test_a_language_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(InputError, match="has no sv; it has en"):
        debian_reference(["sv"], folder)
    with pytest.raises(InputError, match=r"no chapters of Debian Reference in ja"):
        debian_reference(["en", "ja"], folder)
