"""`interlingua convert`: files as people have them to lines that `index` reads."""

from __future__ import annotations

import importlib.util
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from interlingua.base.errors import InputError
from interlingua_cli import cli
from interlingua_client.corpus import Corpus
from tests.support.office_files import make_docx, make_pdf

PAGE = """<!doctype html><html lang="de-DE"><head><meta charset="iso-8859-1"><title>Zurücksetzen | Norvella</title>
<meta name="keywords" content="Kamera, Neustart"><meta property="article:modified_time" content="2024-02-01">
<link rel="canonical" href="https://x.example/de/reset"><style>p {color: red}</style></head>
<body><nav>Start &gt; Hilfe</nav><main><h1>Kamera zurücksetzen</h1><p>Drücken Sie den <b>Knopf</b>.</p>
<h2>Danach</h2><ul><li>warten</li><li>neu&nbsp;verbinden</li></ul><script>alert(1)</script></main>
<footer>Impressum</footer></body></html>"""


def convert(*arguments: Path | str, folder: Path) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """The lines by their ids, and what the command reports."""
    out = folder / "corpus.jsonl"
    done = CliRunner().invoke(cli, ["convert", *map(str, arguments), "--out", str(out), "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(list(Corpus(out, lambda _: "und"))) == len(rows)  # `index` reads every line
    return {row["id"]: row for row in rows}, json.loads(done.stdout)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


def test_a_page_in_its_own_encoding_is_its_main_content(source: Path, tmp_path: Path) -> None:
    (source / "reset.html").write_bytes(PAGE.encode("latin-1"))
    rows, _ = convert(source, folder=tmp_path)
    assert rows == {
        "reset.html": {
            "id": "reset.html",
            "language": "de-DE",
            "title": "Kamera zurücksetzen",
            "text": "Drücken Sie den Knopf.\n\n## Danach\n\n- warten\n- neu verbinden",
            "url": "https://x.example/de/reset",
            "date": "2024-02-01",
            "tags": ["Kamera", "Neustart"],
            "path": "reset.html",
        }
    }


def test_a_page_without_a_main_element_loses_what_goes_around(source: Path, tmp_path: Path) -> None:
    page = "<html lang=en><title>How to</title><header>Shop</header><p>Turn it off.</p><aside>Ads</aside></html>"
    (source / "a.html").write_text(page)
    rows, _ = convert(source, folder=tmp_path)
    assert (rows["a.html"]["title"], rows["a.html"]["text"]) == ("How to", "Turn it off.")


def test_front_matter_becomes_fields_and_headings_stay(source: Path, tmp_path: Path) -> None:
    matter = "---\ntitle: Reset\nlang: en_US\ndate: 2024-03-05\ntags: [a, b]\nid: 7\n---\n"
    (source / "a.md").write_text(matter + "# Reset\nHold.\n\nThen\n----\n```\n# no\n```\n")
    rows, _ = convert(source, folder=tmp_path)
    assert rows["a.md"] == {
        "id": "a.md",
        "language": "en-US",
        "title": "Reset",
        "text": "Hold.\n\n## Then\n```\n# no\n```",
        "date": "2024-03-05",
        "tags": ["a", "b"],
        "source_id": 7,
        "path": "a.md",
    }


@pytest.mark.parametrize(
    ("text", "title", "body"),
    [
        ("# One #\nx\n# Two\ny", "One", "x\n# Two\ny"),
        ("Big\n===\nx", "Big", "x"),
        ("plain\n\ntext\n", "", "plain\n\ntext"),
        ("a\nb\n---\n", "", "a\nb\n---"),
        ("- item\n---\nx", "", "- item\n---\nx"),
        ("````\n```\n# x\n````", "", "````\n```\n# x\n````"),
        ("-----\nkept\n-----\nx", "", "-----\nkept\n-----\nx"),
        ("---\n\nkept\n\n---\nx", "", "---\n\nkept\n\n---\nx"),
        ("---\nopen\nx", "", "---\nopen\nx"),
        ("---\r\ntitle: One\r\n---\r\nTwo\r\n---\r\nx", "One", "## Two\nx"),
        ("---\ntitle:\n---\nx", "", "x"),
        ("---\n---\nx", "", "x"),
    ],
)
def test_a_title_is_the_first_heading(source: Path, tmp_path: Path, text: str, title: str, body: str) -> None:
    (source / "a.md").write_text(text)
    rows, _ = convert(source, "--language", "en", folder=tmp_path)
    assert (rows["a.md"]["title"], rows["a.md"]["text"]) == (title, body)


def test_tables_are_read_by_their_columns_names_or_the_users(source: Path, tmp_path: Path) -> None:
    (source / "faq.csv").write_bytes(
        'Nr;Frage;Antwort;Lang;Produkt\n1;Wie?;"So;\noder so";de;Cam\n2;Quoi ?;Ça;fr;\n;;;;\n'.encode("cp1252")
    )
    asked = ("--column", "id=Nr", "--column", "title=Frage", "--column", "text=Frage", "--column", "text=Antwort")
    rows, _ = convert(source, *asked, "--encoding", "cp1252", folder=tmp_path)
    assert rows == {
        "1": {"id": "1", "language": "de", "title": "Wie?", "text": "Wie?\nSo;\noder so", "Produkt": "Cam",
              "path": "faq.csv"},
        "2": {"id": "2", "language": "fr", "title": "Quoi ?", "text": "Quoi ?\nÇa", "path": "faq.csv"},
    }  # fmt: skip


def test_rows_without_ids_keep_theirs_when_rows_come_before_them(source: Path, tmp_path: Path) -> None:
    (source / "faq.csv").write_text("\ufeffquestion,answer\nHow?,So.\n", encoding="utf-8")
    (before,) = convert(source, "--language", "en", folder=tmp_path)[0]
    (source / "faq.csv").write_text("question,answer\nNew?,Yes.\nHow?,So.\nHow?,So.\n")
    rows, facts = convert(source, "--language", "en", folder=tmp_path)
    assert list(rows)[1] == before
    assert facts["repeated"] == 1


def test_rows_that_differ_in_any_cell_are_documents_of_their_own(source: Path, tmp_path: Path) -> None:
    (source / "faq.csv").write_text("answer,lang,shop\nSo.,de,A\nSo.,de,B\nSo.,fr,A\nSo.,fr,A\n")
    rows, facts = convert(source, folder=tmp_path)
    assert [(row["language"], row["shop"]) for row in rows.values()] == [("de", "A"), ("de", "B"), ("fr", "A")]
    assert facts["repeated"] == 1
    (source / "more.csv").write_text("id,text,lang\n1,So.,de\n1,So.,fr\n")
    with pytest.raises(InputError, match=r"more\.csv, 1: its id is that of another document already"):
        convert(source, folder=tmp_path)


def test_columns_that_a_spreadsheet_adds(source: Path, tmp_path: Path) -> None:
    (source / "faq.csv").write_text(",id,text,path,,\n0,a,One,x,,\n1,b,Two,y,,,,\n2,c\n")
    (source / "titles.csv").write_text(
        "id,title,text,summary\nd,Title,,A long text that tells what the page is about\n"
    )
    rows, facts = convert(source, "--language", "en", "--skip-bad", folder=tmp_path)
    assert rows["b"] == {"id": "b", "language": "en", "title": "", "text": "Two", "source_path": "y", "path": "faq.csv"}
    assert (rows["d"]["title"], rows["d"]["text"]) == ("", "Title")
    assert [bad["place"] for bad in facts["bad_files"]] == ["faq.csv, c"]


def test_cells_of_html_become_markdown(source: Path, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    cells = [("a", "<p>Hold.</p><h2>Then</h2>"), ("b", "1 < 2 and <b> makes it bold"), ("c", "https://x.example")]
    (source / "faq.csv").write_text("id,text\n" + "".join(f"{id_},{text}\n" for id_, text in cells))
    (source / "export.json").write_text(json.dumps({"articles": [{"id": 1, "body": "/help/a.html", "locale": "en"}]}))
    (source / "a.xhtml").write_text('<?xml version="1.0"?><html><p>text</p></html>')
    rows, _ = convert(source, "--language", "en", folder=tmp_path)
    assert [rows[id_]["text"] for id_ in "abc"] == ["Hold.\n\n## Then", cells[1][1], cells[2][1]]
    assert not [str(warning.message) for warning in recwarn if "bs4" in warning.category.__module__]


def test_a_page_that_declares_its_encoding_has_that_one(source: Path, tmp_path: Path) -> None:
    (source / "says.html").write_bytes(PAGE.encode("latin-1"))
    (source / "mark.html").write_bytes("\ufeff<p>Zurück</p>".encode())
    (source / "says-nothing.html").write_bytes("<p>Žlutý</p>".encode("cp1250"))
    rows, _ = convert(source, "--encoding", "cp1250", "--language", "de", folder=tmp_path)
    assert rows["says.html"]["text"].startswith("Drücken")
    assert (rows["mark.html"]["text"], rows["says-nothing.html"]["text"]) == ("Zurück", "Žlutý")


def test_what_cannot_be_stored_is_replaced_and_front_matter_is_of_markdown(source: Path, tmp_path: Path) -> None:
    article = {
        "id": "1\ud83d",
        "title": "",
        "body": "<p>Hold\ud83d</p>",
        "locale": "en",
        "label_names": ["\0\ud83d"],
    }
    (source / "a.json").write_text(json.dumps({"articles": [article]}))
    (source / "a.txt").write_text("---\ntitle: x\n---\ntext")
    (source / "b.md").write_text("---\nlang: no\npath: /b\nsource_path: c\n---\ntekst")
    rows, _ = convert(source, "--language", "en", folder=tmp_path)
    assert (rows["1\ufffd.en"]["text"], rows["1\ufffd.en"]["tags"]) == ("Hold\ufffd", ["\ufffd\ufffd"])
    assert (rows["a.txt"]["title"], rows["a.txt"]["text"]) == ("", "---\ntitle: x\n---\ntext")
    assert (rows["b.md"]["language"], rows["b.md"]["path"]) == ("no", "b.md")
    assert (rows["b.md"]["source_path"], rows["b.md"]["source_source_path"]) == ("c", "/b")


def test_pdf_pages_title_and_divided_words(source: Path, tmp_path: Path) -> None:
    (source / "a.pdf").write_bytes(make_pdf(["Hold the but-\nton.", "", "Then wait."], "Camera reset", "en-GB"))
    (source / "b.pdf").write_bytes(make_pdf(["Press it."], "Microsoft Word - draft.doc"))
    rows, _ = convert(source, "--language", "en", folder=tmp_path)
    assert (rows["a.pdf"]["title"], rows["a.pdf"]["language"]) == ("Camera reset", "en-GB")
    assert rows["a.pdf"]["text"].split() == ["Hold", "the", "button.", "Then", "wait."]
    assert (rows["a.pdf"]["pages"], rows["a.pdf"]["pages_without_text"]) == (3, 1)
    assert rows["a.pdf"]["date"] == "2024-01-31T12:00:00+00:00"
    assert rows["b.pdf"]["title"] == "b"


def test_word_documents_keep_their_headings(source: Path, tmp_path: Path) -> None:
    body = [("Heading1", "Reset"), ("", "Hold & wait."), ("Heading2", "Then"), ("", "Go.")]
    (source / "a.docx").write_bytes(make_docx(body, "<dc:language>en-GB</dc:language>"))
    said = "<dc:title>Manual</dc:title><dcterms:modified>2024-01-31T00:00:00Z</dcterms:modified>"
    (source / "b.docx").write_bytes(make_docx(body, said))
    rows, _ = convert(source, "--language", "en", folder=tmp_path)
    text = "Hold & wait.\n\n## Then\n\nGo."
    assert (rows["a.docx"]["title"], rows["a.docx"]["text"], rows["a.docx"]["language"]) == ("Reset", text, "en-GB")
    assert (rows["b.docx"]["title"], rows["b.docx"]["text"]) == ("Manual", f"# Reset\n\n{text}")
    assert rows["b.docx"]["date"] == "2024-01-31T00:00:00Z"


ZENDESK = {
    "count": 2,
    "articles": [
        {"id": 35467, "title": "Reset", "body": "<h2>How</h2><p>Hold.</p>", "locale": "en-us", "draft": False,
         "html_url": "https://x.zendesk.com/hc/en-us/articles/35467", "label_names": ["camera"],
         "updated_at": "2024-01-01T00:00:00Z", "section_id": 9},
        {"id": 2, "title": "Not yet", "body": "", "locale": "en-us", "draft": True},
    ],
}  # fmt: skip
FRESHDESK = [
    {"id": 1, "category_id": 3, "folder_id": 4, "title": "Zurück", "description": "Knopf <b>halten</b>", "status": 2,
     "description_text": "Knopf halten", "updated_at": "2016-09-09T06:07:26Z", "tags": [],
     "hierarchy": [{"level": 0, "type": "category", "data": {"id": 3, "name": "Kameras", "language": "de"}}]},
    {"id": 2, "folder_id": 4, "title": "Entwurf", "description": "", "status": 1},
]  # fmt: skip
INTERCOM: dict[str, Any] = {
    "type": "list",
    "data": [
        {"id": "5", "type": "article", "title": "Reset", "body": "<p>Hold.</p>", "state": "published",
         "default_locale": "en", "translated_content": {"type": "article_translated_content", "de": None,
             "en": {"type": "article_content", "title": "Reset", "body": "<p>Hold.</p>", "state": "published",
                    "updated_at": 0, "url": "http://i/en/5"},
             "fr": {"type": "article_content", "title": "Réinitialiser", "body": "Tenir", "state": "draft"}}},
        {"id": 6, "type": "article", "title": "Warranty", "body": "<p>Two years.</p>", "state": "published"},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("export", "expected"),
    [
        pytest.param(ZENDESK, [("35467.en-us", "en-US", "Reset", "## How\n\nHold.")], id="Zendesk"),
        pytest.param(FRESHDESK, [("1.de", "de", "Zurück", "Knopf halten")], id="Freshdesk"),
        pytest.param(
            INTERCOM, [("5.en", "en", "Reset", "Hold."), ("6", "en", "Warranty", "Two years.")], id="Intercom"
        ),
        pytest.param(
            [ZENDESK, ZENDESK], [("35467.en-us", "en-US", "Reset", "## How\n\nHold.")], id="pages that overlap"
        ),
    ],
)
def test_a_help_desks_articles(source: Path, tmp_path: Path, export: object, expected: list[tuple[str, ...]]) -> None:
    (source / "export.json").write_text(json.dumps(export))
    (source / "package.json").write_text('{"name": "another"}')
    rows, facts = convert(source, "--language", "en", folder=tmp_path)
    assert [(row["id"], row["language"], row["title"], row["text"]) for row in rows.values()] == expected
    assert facts["drafts"] == (2 if isinstance(export, list) and export is not FRESHDESK else 1)
    assert facts["passed_over"] == {".json": 1}
    assert all("source_id" not in row for row in rows.values())


def test_dates_and_addresses_of_articles(source: Path, tmp_path: Path) -> None:
    (source / "export.json").write_text(json.dumps(INTERCOM))
    rows, _ = convert(source / "export.json", "--language", "en", folder=tmp_path)
    assert (rows["5.en"]["url"], rows["5.en"]["date"]) == ("http://i/en/5", "1970-01-01T00:00:00+00:00")
    english = INTERCOM["data"][0]["translated_content"]["en"]
    for said, date in ((1_700_000_000_000, "2023-11-14T22:13:20+00:00"), (10**30, 10**30)):
        export = INTERCOM | {"data": [{"id": 5, "translated_content": {"en": english | {"updated_at": said}}}]}
        (source / "export.json").write_text(json.dumps(export))
        rows, _ = convert(source / "export.json", folder=tmp_path)
        assert rows["5.en"]["date"] == date


def test_languages_come_from_documents_then_places_then_the_user_then_detection(source: Path, tmp_path: Path) -> None:
    for place in ("docs/de/a.md", "docs/fr/a.md", "sales/a.md", "sales/hr/a.md", "sales/it/a.md", "sales/old/a.md",
                  "site/pt-BR/a.md", "index.ja.md", "index.md", "start.zh-TW.md", "main.ts.md", "how-to/a.md",
                  "log-in/a.md", "to-do/a.md", "v1.2.md"):  # fmt: skip
        (source / place).parent.mkdir(parents=True, exist_ok=True)
        (source / place).write_text(f"The camera does not connect to the network any more. {place}")
    (source / "docs/de/own.html").write_text("<html lang='en'><p>text</p></html>")
    (source / "docs/de/template.html").write_text("<html lang='{{ page.lang }}'><p>Text</p></html>")
    rows, facts = convert(source, folder=tmp_path)
    assert {id_: row["language"] for id_, row in rows.items()} == {
        "docs/de/a.md": "de", "docs/fr/a.md": "fr", "docs/de/own.html": "en", "docs/de/template.html": "de",
        "site/pt-BR/a.md": "pt-BR", "index.ja.md": "ja", "index.md": "en", "start.zh-TW.md": "zh-TW",
        "main.ts.md": "en", "how-to/a.md": "en", "log-in/a.md": "en", "to-do/a.md": "en",
        "sales/a.md": "en", "sales/hr/a.md": "en", "sales/it/a.md": "en", "sales/old/a.md": "en", "v1.2.md": "en",
    }  # fmt: skip
    assert facts["detected_languages"] == {"en": 10}
    rows, facts = convert(source, "--language", "Swahili", folder=tmp_path)
    assert (rows["sales/a.md"]["language"], rows["docs/fr/a.md"]["language"]) == ("sw", "fr")
    assert facts["detected_languages"] == {}


def test_what_links_lead_to_is_called_by_its_own_place(source: Path, tmp_path: Path) -> None:
    (source / "real").mkdir()
    (source / "real" / "a.md").write_text("text")
    (source / "alias").symlink_to(source / "real")
    (source / "0.md").symlink_to(source / "real" / "a.md")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b.md").write_text("text")
    (source / "c").symlink_to(tmp_path / "elsewhere")
    (source / "z.md").write_text("text")
    rows, _ = convert(source, "--language", "en", folder=tmp_path)
    assert list(rows) == ["z.md", "c/b.md", "real/a.md"]


def test_links_in_circles_hidden_files_and_names_in_other_forms(source: Path, tmp_path: Path) -> None:
    (source / "a").mkdir()
    (source / unicodedata.normalize("NFD", "a/é.md")).write_text("text")
    (source / "a" / "loop").symlink_to(source)
    (source / "a" / "dangling.md").symlink_to("nowhere")
    (source / ".git").mkdir()
    (source / ".git" / "x.md").write_text("text")
    (source / "~$open.docx").write_bytes(b"lock")
    (source / "photo.jpg").write_bytes(b"\xff\xd8")
    rows, facts = convert(source, "--language", "en", folder=tmp_path)
    assert list(rows) == ["a/\u00e9.md"]
    assert facts["passed_over"] == {".jpg": 1}


BAD = {
    "empty.md": (b"", "it is empty"),
    "blank.html": (b"<html><body><script>x</script></body></html>", "it has no text"),
    "latin.md": ("é".encode("latin-1"), "not utf-8 at byte 1: name its encoding with --encoding"),
    "matter.md": (b"---\na: [\n---\nx", "its front matter cannot be read"),
    "scan.pdf": (make_pdf(["", ""]), "it has no text in 2 pages, as a scan has none: recognise it first"),
    "cut.pdf": (make_pdf(["x"])[:200], "it is damaged"),
    "cut.docx": (make_docx([("", "x")])[:200], "it is damaged"),
    "old.docx": (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "encrypted, or in Word's older format"),
    "no-text.csv": (
        b"a,b\n1,2\n",
        "no column is called text: say which is, as in --column text=ANSWER (there are a, b)",
    ),
    "latin.csv": ("text\né\n".encode("latin-1"), "not utf-8"),
    "quotes.csv": (b'text\n"open\n', "no table at line 2"),
    "broken.json": (b"{", "no JSON"),
    "article.json": (b'{"articles": [{"id": 1, "body": 2}]}', "article 1: `title` is None"),
    "wide.csv": (
        b"id,text\n1,a\n2,b, and more\n",
        "line 3 has 3 cells, and cell 3 no column: the header",
    ),
    "itself.md": (b"---\na: &a [*a]\n---\nx", "nested too deeply, or holds itself"),
    "number.md": (b"---\na: .nan\n---\nx", "`a` holds nan, which is no finite number"),
    "deep.html": (b"<div>" * 2000 + b"x", "it is nested too deeply"),
    "large.md": (b"x" * 100_001, "it has 0 MB, more than 0: allow it with --max-mb"),
}
BAD["article.json"] = (b'{"articles": [{"id": 1, "body": 2, "locale": "en"}]}', "article 1: `body` is 2")


def encrypted_pdf() -> bytes:
    from io import BytesIO

    import pypdf

    writer, file = pypdf.PdfWriter(BytesIO(make_pdf(["secret"]))), BytesIO()
    writer.encrypt("word", algorithm="RC4-128")
    writer.write(file)
    return file.getvalue()


def test_bad_files_are_all_named_and_nothing_is_written(source: Path, tmp_path: Path) -> None:
    for name, (content, _) in BAD.items():
        (source / name).write_bytes(content)
    (source / "secret.pdf").write_bytes(encrypted_pdf())
    (source / "good.md").write_text("text")
    with pytest.raises(InputError, match=r"source has 19 bad files \(--skip-bad leaves them out\):"):
        convert(source, "--max-mb", "0.1", folder=tmp_path)
    assert not list(tmp_path.glob("*corpus*"))
    rows, facts = convert(source, "--max-mb", "0.1", "--skip-bad", "--language", "en", folder=tmp_path)
    assert list(rows) == ["good.md"]
    reasons = {bad["place"]: bad["reason"] for bad in facts["bad_files"]}
    for name, (_, reason) in BAD.items():
        assert reason in reasons[name], name
    assert "opens with a password alone" in reasons["secret.pdf"]


@pytest.mark.parametrize(("name", "package"), [("a.md", "frontmatter"), ("a.docx", "lxml"), ("a.html", "bs4")])
def test_a_package_that_is_missing_is_no_fault_of_the_file(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    (source / name).write_bytes(make_docx([("", "text")]) if name == "a.docx" else b"text")
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda asked: find_spec(asked) if asked != package else None)
    with pytest.raises(InputError, match=rf"^reading \w+ needs {package}: pip install"):
        convert(source, folder=tmp_path)


def test_two_documents_of_one_id_are_said(source: Path, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (source / name).write_text(f"id,text\n1,{name}\n")
    with pytest.raises(InputError, match=r"b\.csv, 1: its id is that of another document already, in a\.csv"):
        convert(source, folder=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--column", "answer"], "is not as in text=ANSWER"),
        (["--column", "body=x"], "a field (id, title, text, language) and a column"),
        (["--encoding", "rot13"], "is no encoding that Python knows"),
        (["--encoding", "latin-99"], "is no encoding that Python knows"),
        (["--language", "?"], "is not a language tag"),
        (["--json", "--out", "-"], "cannot both have standard output"),
    ],
)
def test_slips_on_the_command_line(source: Path, arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(cli, ["convert", str(source), *arguments])
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())


def test_standard_output_has_the_lines_alone(source: Path) -> None:
    (source / "a.md").write_text("# A\ntext")
    done = CliRunner().invoke(cli, ["convert", str(source), "--language", "en", "--out", "-"])
    assert json.loads(done.stdout) == {"id": "a.md", "language": "en", "title": "A", "text": "text", "path": "a.md"}
    assert "1 document in -" in done.stderr


def test_standard_output_has_nothing_of_a_run_that_is_refused(source: Path) -> None:
    (source / "a.md").write_text("text")
    (source / "b.md").write_bytes(b"")
    done = CliRunner().invoke(cli, ["convert", str(source), "--language", "en", "--out", "-"])
    assert isinstance(done.exception, InputError)
    assert not done.stdout


def test_a_table_in_utf_16_without_a_mark(source: Path, tmp_path: Path) -> None:
    (source / "a.csv").write_bytes("id,text\n1,é\n".encode("utf-16-le"))
    with pytest.raises(InputError, match=r"a\.csv: not utf-16 \(UTF-16 stream does not start with BOM\)"):
        convert(source, "--encoding", "utf-16", folder=tmp_path)
    rows, _ = convert(source, "--encoding", "utf-16-le", "--language", "fr", folder=tmp_path)
    assert rows["1"]["text"] == "é"


def test_a_folder_without_documents_is_refused(source: Path, tmp_path: Path) -> None:
    (source / "a.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match=r"has no document: files of other kinds passed over: \.jpg 1"):
        convert(source, folder=tmp_path)
