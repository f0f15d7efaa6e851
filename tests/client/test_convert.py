"""`interlingua convert`: files as people have them to lines that `index` reads."""

from __future__ import annotations

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
INTERCOM = {
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
        pytest.param(FRESHDESK, [("1", "de", "Zurück", "Knopf halten")], id="Freshdesk"),
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


def test_languages_come_from_documents_then_places_then_the_user_then_detection(source: Path, tmp_path: Path) -> None:
    for place in ("docs/de/a.md", "docs/fr/a.md", "sales/a.md", "sales/hr/a.md", "sales/it/a.md", "sales/old/a.md",
                  "site/pt-BR/a.md", "index.ja.md", "v1.2.md"):  # fmt: skip
        (source / place).parent.mkdir(parents=True, exist_ok=True)
        (source / place).write_text(f"The camera does not connect to the network any more. {place}")
    (source / "docs/de/own.html").write_text("<html lang='en'><p>text</p></html>")
    (source / "docs/de/template.html").write_text("<html lang='{{ page.lang }}'><p>Text</p></html>")
    rows, facts = convert(source, folder=tmp_path)
    assert {id_: row["language"] for id_, row in rows.items()} == {
        "docs/de/a.md": "de", "docs/fr/a.md": "fr", "docs/de/own.html": "en", "docs/de/template.html": "de",
        "site/pt-BR/a.md": "pt-BR", "index.ja.md": "ja",
        "sales/a.md": "en", "sales/hr/a.md": "en", "sales/it/a.md": "en", "sales/old/a.md": "en", "v1.2.md": "en",
    }  # fmt: skip
    assert facts["detected_languages"] == {"en": 5}
    rows, facts = convert(source, "--language", "Swahili", folder=tmp_path)
    assert (rows["sales/a.md"]["language"], rows["docs/fr/a.md"]["language"]) == ("sw", "fr")
    assert facts["detected_languages"] == {}


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
    with pytest.raises(InputError, match=r"source has 15 bad files \(--skip-bad leaves them out\):"):
        convert(source, "--max-mb", "0.1", folder=tmp_path)
    assert not list(tmp_path.glob("*corpus*"))
    rows, facts = convert(source, "--max-mb", "0.1", "--skip-bad", "--language", "en", folder=tmp_path)
    assert list(rows) == ["good.md"]
    reasons = {bad["place"]: bad["reason"] for bad in facts["bad_files"]}
    for name, (_, reason) in BAD.items():
        assert reason in reasons[name], name
    assert "opens with a password alone" in reasons["secret.pdf"]


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


def test_a_folder_without_documents_is_refused(source: Path, tmp_path: Path) -> None:
    (source / "a.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match=r"has no document: files of other kinds passed over: \.jpg 1"):
        convert(source, folder=tmp_path)
