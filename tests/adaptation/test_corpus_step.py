"""`interlingua adapt corpus`: one's own documents and LibreOffice's help, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from interlingua.base.errors import InputError
from interlingua_cli.adapt import command
from tests.adaptation.help_pages import section, write_page

LINES: list[dict[str, Any]] = [
    {"id": "a-en", "language": "en", "title": "Breaks", "text": "Press Enter.", "group": "a"},
    {"id": "a-de", "language": "de", "title": "Umbrüche", "text": "Drücken Sie.", "group": "a"},
    {"id": "b", "language": "en", "title": "Lone", "text": "Nothing goes with it."},
    {"id": "b-fr", "language": "fr", "title": "Seul", "text": "Rien avec.", "group": "b"},
]


def write_lines(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def run(tmp_path: Path, *arguments: str | Path) -> Result:
    """Errors of ours come out as they are; `main` turns them into one line."""
    words = ["corpus", *map(str, arguments), "--work", str(tmp_path / "work")]
    return CliRunner().invoke(command, words, catch_exceptions=False)


def facts_of(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    facts: dict[str, Any] = json.loads(result.stdout)
    return facts


def test_own_documents_are_aligned_by_group_or_by_the_id_of_another(tmp_path: Path) -> None:
    facts = facts_of(run(tmp_path, write_lines(tmp_path / "my.jsonl", LINES), "--json"))
    assert (facts["groups"], facts["aligned_groups"], facts["pivot"]) == (2, 2, "en")
    assert facts["languages"] == {"en": 2, "de": 1, "fr": 1}
    rows = [json.loads(line) for line in (tmp_path / "work" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows == [
        {"group": "a", "language": "en", "title": "Breaks", "text": "Press Enter."},
        {"group": "a", "language": "de", "title": "Umbrüche", "text": "Drücken Sie."},
        {"group": "b", "language": "en", "title": "Lone", "text": "Nothing goes with it."},
        {"group": "b", "language": "fr", "title": "Seul", "text": "Rien avec."},
    ]


def test_duplicates_and_empty_texts_are_counted(tmp_path: Path) -> None:
    more = [
        {"id": "a-en2", "language": "en", "title": "", "text": "Another one.", "group": "a"},
        {"id": "c", "language": "en", "title": "Heading only", "text": ""},
    ]
    facts = facts_of(run(tmp_path, write_lines(tmp_path / "my.jsonl", LINES + more), "--json"))
    assert facts["left_out"] == {"duplicated": 1, "empty": 1, "untranslated": 0, "boilerplate": 0}
    assert facts["groups"] == 2


def test_the_same_documents_make_the_same_corpus(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "my.jsonl", LINES)
    assert facts_of(run(tmp_path, path, "--json")) == facts_of(run(tmp_path, path, "--json"))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (LINES[2:3], "There is one language only"),
        ([LINES[2], {**LINES[3], "group": "other"}], r"No document has a translation \(`group`\)"),
    ],
    ids=["one language", "no groups"],
)
def test_what_follows_from_a_corpus_without_translations_is_said(
    tmp_path: Path, lines: list[dict[str, Any]], said: str
) -> None:
    result = run(tmp_path, write_lines(tmp_path / "my.jsonl", lines))
    assert result.exit_code == 0
    assert said.replace("\\", "") in result.stdout
    assert "nothing across languages" in result.stdout


BAD = '{"id": "x", "text": "Good.", "language": "en"}\n{"id": \n{"id": "x", "text": "Again."}\n'
BAD += '{"id": "y", "text": "T.", "group": ""}\n{"id": "z", "text": "T.", "group": {}}\n'


def test_bad_lines_stop_the_run_and_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "my.jsonl"
    path.write_text(BAD)
    with pytest.raises(InputError) as raised:
        run(tmp_path, path)
    message = str(raised.value)
    assert "has 4 bad lines" in message
    assert "line 2: not JSON" in message
    assert "line 3: id 'x' was already used by line 1" in message
    assert "line 4: `group` is empty" in message
    assert "line 5: `group` must be a string, this is an object" in message
    assert not (tmp_path / "work").exists()


def test_bad_lines_are_counted_with_skip_bad(tmp_path: Path) -> None:
    path = tmp_path / "my.jsonl"
    path.write_text(BAD)
    facts = facts_of(run(tmp_path, path, "--skip-bad", "--json"))
    assert [line["number"] for line in facts["bad_lines"]] == [2, 3, 4, 5]
    assert facts["groups"] == 1


@pytest.mark.parametrize("content", ["", '{"id": "a", "title": "Heading only", "language": "en"}\n'])
def test_a_corpus_without_any_text_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "my.jsonl"
    path.write_text(content)
    with pytest.raises(InputError, match="no section with a text is left"):
        run(tmp_path, path)


@pytest.mark.parametrize(
    "arguments", [[], ["my.jsonl", "--libreoffice"], ["my.jsonl", "--languages", "en,de"], ["my.jsonl", "--from", "."]]
)
def test_arguments_that_make_no_sense_together(tmp_path: Path, arguments: list[str]) -> None:
    assert run(tmp_path, *arguments).exit_code == 2


def write_help(root: Path) -> None:
    write_page(root, "en-US", "p.html", section("h", "Page Breaks", "Press Enter.") + section("e", "Empty"))
    write_page(root, "de", "p.html", section("h", "Umbrüche", "Drücken Sie.") + section("e", "Leer"))
    write_page(root, "sv", "p.html", section("h", "Page Breaks", "Press Enter."))


def test_libreoffices_help_from_a_folder(tmp_path: Path) -> None:
    write_help(tmp_path)
    facts = facts_of(run(tmp_path, "--libreoffice", "--from", tmp_path, "--languages", "en,de,sv", "--json"))
    assert (facts["licence"], facts["groups"], facts["languages"]) == ("MPL-2.0", 1, {"en": 1, "de": 1})
    assert facts["left_out"] == {"duplicated": 0, "empty": 2, "untranslated": 1, "boilerplate": 0}


def test_help_in_which_nothing_is_translated_is_refused(tmp_path: Path) -> None:
    write_help(tmp_path)
    with pytest.raises(InputError, match=r"no section is there in two languages.*1 untranslated"):
        run(tmp_path, "--libreoffice", "--from", tmp_path, "--languages", "en,sv")


def test_one_language_of_the_help_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two or more languages"):
        run(tmp_path, "--libreoffice", "--from", tmp_path, "--languages", "en")
