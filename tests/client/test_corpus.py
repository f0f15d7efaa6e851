"""Reading documents from JSON lines."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlingua.base.errors import InputError
from interlingua_client.corpus import Corpus
from interlingua_client.document import Document
from interlingua_client.language_tag import closest, normalize_tag


def corpus_of(path: Path, *lines: str | bytes, skip_bad: bool = False) -> Corpus:
    path.write_bytes(b"\n".join(line.encode() if isinstance(line, str) else line for line in lines) + b"\n")
    return Corpus(path, lambda text: "xx" if text.strip() else "und", skip_bad=skip_bad)


GOOD = '{"id": "a", "language": "en", "title": "T", "text": "hello"}'


def test_reads_the_fields_and_beirs_spelling(tmp_path: Path) -> None:
    beir = '{"_id": 7, "title": null, "text": "olá", "metadata": {"language": "PT_br"}}'
    read = list(corpus_of(tmp_path / "c.jsonl", GOOD, "", beir))
    assert read == [Document("a", "en", "T", "hello"), Document("7", "pt-BR", "", "olá")]


def test_counts_the_languages_it_had_to_detect(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "c.jsonl", GOOD, '{"id": "b", "text": "?"}', '{"id": "c", "title": "!"}')
    assert [document.language for document in corpus] == ["en", "xx", "xx"]
    assert corpus.detected == {"xx": 2}


def test_reads_gzip_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "corpus"
    path.write_bytes(gzip.compress(GOOD.encode()))
    corpus = Corpus(path, str)
    assert corpus.count_lines() == 1
    assert [document.id for document in corpus] == ["a"]


def test_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GOOD.encode())))
    corpus = Corpus("-", str)
    assert corpus.count_lines() is None
    assert [document.id for document in corpus] == ["a"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param("{", "not JSON", id="half an object"),
        pytest.param("[1]", "this is a list", id="a list"),
        pytest.param("[" * 100_000, "nested too deeply", id="deep nesting"),
        pytest.param('{"text": "x"}', "no `id`", id="no id"),
        pytest.param('{"id": true, "text": "x"}', "must be a string", id="id of a wrong type"),
        pytest.param('{"id": " ", "text": "x"}', "`id` is empty", id="empty id"),
        pytest.param('{"id": "b"}', "there is no text", id="no text"),
        pytest.param('{"id": "b", "text": " \\n"}', "there is no text", id="blank text"),
        pytest.param('{"id": "b", "text": 3}', "`text` must be a string, this is a number", id="text of a wrong type"),
        pytest.param('{"id": "b", "text": "a\\u0000"}', "NUL character at position 1", id="NUL"),
        pytest.param('{"id": "b", "text": "\\ud800"}', "surrogate", id="lone surrogate"),
        pytest.param('{"id": "b", "text": "x", "language": "e n"}', "not a language tag", id="malformed language"),
        pytest.param('{"id": "a", "text": "x"}', "already used by line 1", id="the same id twice"),
        pytest.param(b'{"id": "b", "text": "\xff"}', "not UTF-8 at byte 22", id="not UTF-8"),
    ],
)
def test_a_bad_line_is_named_or_left_out(tmp_path: Path, line: str | bytes, reason: str) -> None:
    last = '{"id": "z", "text": "fine"}'
    with pytest.raises(InputError, match="line 2") as caught:
        list(corpus_of(tmp_path / "c.jsonl", GOOD, line, last))
    assert reason in str(caught.value)
    corpus = corpus_of(tmp_path / "c.jsonl", GOOD, line, last, skip_bad=True)
    assert [document.id for document in corpus] == ["a", "z"]
    assert [bad.number for bad in corpus.bad_lines] == [2]


def test_all_bad_lines_are_reported_at_once(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "c.jsonl", GOOD, "{", '{"id": "b", "text": "x"}', "[]")
    read: list[Document] = []
    with pytest.raises(InputError, match="2 bad lines") as caught:
        read.extend(corpus)
    assert "line 2" in str(caught.value)
    assert "line 4" in str(caught.value)
    assert [document.id for document in read] == ["a"]


def test_a_broken_or_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        list(Corpus(tmp_path / "missing", str))
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(GOOD.encode())[:-12])
    with pytest.raises(InputError, match="cannot read"):
        list(Corpus(cut, str))


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@settings(deadline=None)
@given(st.lists(st.tuples(text.filter(str.strip), text.filter(str.strip)), unique_by=lambda pair: pair[0], max_size=9))
def test_what_json_can_write_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]
) -> None:
    lines = [json.dumps({"id": id_, "language": "en", "text": body}) for id_, body in pairs]
    corpus = corpus_of(tmp_path_factory.mktemp("corpus") / "c.jsonl", *lines)
    assert [(document.id, document.text) for document in corpus] == pairs


@settings(deadline=None)
@given(st.lists(st.binary(max_size=30), max_size=6))
def test_no_bytes_make_it_fail_otherwise(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    corpus = corpus_of(tmp_path_factory.mktemp("corpus") / "c.jsonl", b"", *lines, skip_bad=True)
    assert list(corpus) == []


@pytest.mark.parametrize(
    ("raw", "tag"),
    [("EN", "en"), ("pt_BR", "pt-BR"), ("pt-br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), ("es-419", "es-419"),
     ("de-CH-1996", "de-CH-1996"), ("en-u-CA-gregory", "en-u-ca-gregory")],
)  # fmt: skip
def test_tags_are_spelled_one_way(raw: str, tag: str) -> None:
    assert normalize_tag(raw) == tag
    assert normalize_tag(tag) == tag


def test_the_closest_tag() -> None:
    assert closest("pt-BR", ["en", "pt", "pt-BR"]) == "pt-BR"
    assert closest("pt-PT", ["en", "pt"]) == "pt"
    assert closest("pt", ["en", "pt-PT", "pt-BR"]) == "pt-PT"
    assert closest("fr", ["en", "pt"]) is None
