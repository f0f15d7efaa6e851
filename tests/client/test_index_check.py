"""`index --check`: what a run would do, and what is odd about a corpus, with nothing done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from interlingua.base.errors import InputError
from interlingua_cli import cli
from interlingua_cli.indexing.corpus_check import check, check_summary
from interlingua_cli.indexing.index_work import IndexWork
from interlingua_client.document import Document
from interlingua_client.index.indexer import Indexer
from tests.support.hash_embedder import HashEmbedder

NOWHERE = ("--server", "127.0.0.1:1")


def corpus_of(folder: Path, *rows: dict[str, Any] | str) -> Path:
    path = folder / "corpus.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def checked(corpus: Path, *arguments: str, index: Path, status: int = 0) -> dict[str, Any]:
    asked = ["index", str(corpus), "--check", "--json", "--index", str(index), *NOWHERE, *arguments]
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == status, (done.output, done.exception)
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith(("-shm", "-wal"))}


def test_a_check_counts_what_a_run_would_do_and_does_nothing(tmp_path: Path) -> None:
    index = tmp_path / "index"
    with Indexer.open(index, HashEmbedder()) as indexer:
        indexer.add([Document(id_, "en", "", f"text {id_}") for id_ in "abcdefgh"])
        indexer.finish()
    before = content(index)
    same = [{"id": id_, "language": "en", "text": f"text {id_}"} for id_ in "abcd"]
    edited = [{"id": "e", "lang": "en", "text": "another"}, {"id": "f", "lang": "en", "text": "text f", "page": 1}]
    corpus = corpus_of(tmp_path, *same, *edited, {"id": "z", "lang": "en", "text": "z"})
    (tmp_path / "ids").write_text("a\nnobody\n")
    facts = checked(corpus, "--delete", str(tmp_path / "ids"), "--delete-missing", index=index)
    assert (facts["added"], facts["changed"], facts["unchanged"], facts["deleted"]) == (1, 2, 4, 3)  # a, g and h
    assert (facts["documents"], facts["refused"]) == (6, "")
    assert content(index) == before


def test_a_check_looks_at_how_documents_are_split(tmp_path: Path) -> None:
    index = tmp_path / "index"
    long = {"id": "long", "language": "en", "text": "word " * 600}
    short = {"id": "short", "language": "en", "text": "word"}
    with Indexer.open(index, HashEmbedder()) as indexer:
        indexer.add([Document(one["id"], "en", "", one["text"]) for one in (long, short, {**short, "id": "other"})])
    corpus = corpus_of(tmp_path, long, {**short, "text": "another"})
    facts = checked(corpus, "--passage-tokens", "128", index=index)
    assert (facts["changed"], facts["unchanged"], facts["resplit"], facts["remarks"]) == (1, 0, 2, [])
    facts = checked(corpus, index=index)
    assert (facts["changed"], facts["unchanged"], facts["resplit"], len(facts["remarks"])) == (1, 1, 0, 1)
    refused = ["index", str(corpus), "--check", "--index", str(tmp_path / "new"), *NOWHERE, "--passage-overlap", "0.2"]
    assert isinstance(CliRunner().invoke(cli, refused).exception, InputError)


def test_a_deletion_that_looks_like_an_accident_is_told_beforehand(tmp_path: Path) -> None:
    index = tmp_path / "index"
    with Indexer.open(index, HashEmbedder()) as indexer:
        indexer.add([Document(id_, "en", "", f"text {id_}") for id_ in "abcd"])
    corpus = corpus_of(tmp_path)
    facts = checked(corpus, "--delete-missing", index=index, status=3)
    assert facts["refused"] == "4 of 4 documents are not in the corpus, more than 50% (--delete-at-most)"
    assert checked(corpus, "--delete-missing", "--delete-at-most", "1", index=index)["deleted"] == 4


def test_what_is_odd_about_a_corpus_is_counted_where_there_is_no_index(tmp_path: Path) -> None:
    portuguese = "Como faço para trocar a senha da minha conta? Não consigo entrar no sistema."
    corpus = corpus_of(
        tmp_path,
        {"id": "html", "language": "en", "text": "<p>Hold the <b>button</b>.</p>"},
        {"id": "about", "language": "en", "text": "The tag <div> is a container; 1 < 2 and 3 > 2"},
        {"id": "entity", "language": "en", "text": "a&nbsp;b &amp; c"},
        {"id": "one", "language": "en", "title": "T", "text": "caf\u00e9"},
        {"id": "two", "language": "fr", "title": "T", "text": "cafe\u0301"},
        {"id": "long", "language": "en", "text": "word " * 513},
        {"id": "short", "language": "en", "text": "word " * 512},
        {"id": "untagged", "text": portuguese},
        {"id": "nobody-knows", "text": "12345"},
        {"id": "unregistered", "language": "qqx-foo", "text": "x"},
        {"id": "empty", "language": "en", "text": " "},
        "{",
    )
    facts = checked(corpus, index=tmp_path / "index", status=3)
    assert (facts["added"], facts["html"], facts["doubled"], facts["long"]) == (10, 2, 1, 1)
    assert (facts["detected_languages"], facts["unknown_language"]) == ({"pt": 1, "und": 1}, 1)
    assert [bad["number"] for bad in facts["bad_lines"]] == [11, 12]
    assert facts["refused"] == "bad lines (--skip-bad leaves them out)"
    assert checked(corpus, "--skip-bad", index=tmp_path / "index")["refused"] == ""
    assert not (tmp_path / "index").exists()
    said = check_summary(facts)
    assert "2 documents with tags of HTML in the text (html, say)" in said
    assert "1 document with the text of another (two has one's, say)" in said
    assert "1 document of which nobody can tell the language (und)" in said
    assert "no server answered" in said
    assert "line 11: there is no text" in said


def test_scripts_that_the_model_does_not_know_are_counted_where_a_server_says_which_it_knows(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, {"id": "a", "language": "chr", "text": "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ"},
                       {"id": "b", "language": "en", "text": "letters"})  # fmt: skip
    work = IndexWork(corpus=str(corpus), delete=None, delete_missing=False, delete_at_most=0.5, skip_bad=False,
                     rebuild=False, verify=False)  # fmt: skip
    facts = check(work, tmp_path / "index", ["LATIN"]) | {"index": "x"}
    assert facts["scripts"] == {"CHEROKEE": 1}
    assert "1 document in Cherokee, which the model cannot read" in check_summary(facts)


def test_there_is_nothing_to_check_without_a_corpus(tmp_path: Path) -> None:
    with Indexer.open(tmp_path / "index", HashEmbedder()):
        pass
    done = CliRunner().invoke(cli, ["index", "--check", "--rebuild", "--index", str(tmp_path / "index")])
    assert done.exit_code == 2
    assert "--check looks at CORPUS" in done.output


def test_a_corpus_that_came_out_empty_deletes_nothing(tmp_path: Path) -> None:
    """Where all may be deleted, that has to be said."""
    index = tmp_path / "index"
    with Indexer.open(index, HashEmbedder()) as indexer:
        indexer.add([Document("a", "en", "", "text")])
        with pytest.raises(InputError, match="none was deleted"):
            indexer.delete_missing([])
        assert indexer.delete_missing([], at_most=1) == 1
