"""Reading documents from JSON lines."""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlingua.base.errors import InputError
from interlingua.served.text.normal_form import normal_form
from interlingua_client.corpus import Corpus
from interlingua_client.document import Document
from interlingua_client.language_tag import base_language, closest, covered, is_registered, normalize_tag


def corpus_of(path: Path, *lines: str | bytes, skip_bad: bool = False) -> Corpus:
    path.write_bytes(b"\n".join(line.encode() if isinstance(line, str) else line for line in lines) + b"\n")
    return Corpus(path, lambda text: "xx" if text.strip() else "und", skip_bad=skip_bad)


GOOD = '{"id": "a", "language": "en", "title": "T", "text": "hello"}'


def test_reads_the_fields_and_beirs_spelling(tmp_path: Path) -> None:
    beir = '{"_id": 7, "title": null, "text": "olá", "metadata": {"language": "PT_br"}}'
    read = list(corpus_of(tmp_path / "c.jsonl", GOOD, "", beir))
    assert read == [Document("a", "en", "T", "hello"), Document("7", "pt-BR", "", "olá")]


@pytest.mark.parametrize("field", ["contents", "content", "body"])
def test_a_text_by_another_name(tmp_path: Path, field: str) -> None:
    lines = [f'{{"_id": "a", "language": "en", "title": "T", "{field}": "hello"}}',
             f'{{"_id": "b", "language": "en", "title": "T", "text": "", "{field}": "hello"}}',
             f'{{"_id": "c", "language": "en", "title": "T", "text": "own", "{field}": "hello"}}']  # fmt: skip
    assert [document.text for document in corpus_of(tmp_path / "c.jsonl", *lines)] == ["hello", "hello", "own"]


def test_a_text_that_is_none_is_not_taken_for_one(tmp_path: Path) -> None:
    line = '{"_id": "a", "language": "en", "text": "\\u00ad", "body": "hello"}'
    assert [document.text for document in corpus_of(tmp_path / "c.jsonl", line)] == ["hello"]


def test_a_language_by_another_name(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "text": "olá"},
        {"id": "b", "lang": "pt_BR", "text": "oi"},
        {"id": "c", "lang_code": "deu", "text": "ja"},
    ]
    path = tmp_path / "c.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    corpus = Corpus(path, lambda _: "pt")
    assert [document.language for document in corpus] == ["pt-BR", "pt-BR", "de"]
    assert corpus.detected == {"pt-BR": 1}


def test_a_title_alone_stays_a_document(tmp_path: Path) -> None:
    line = '{"_id": "a", "language": "en", "title": "T", "text": null, "url": "https://example.org", "date": "2026"}'
    metadata = {"url": "https://example.org", "date": "2026"}
    assert list(corpus_of(tmp_path / "c.jsonl", line)) == [Document("a", "en", "T", "", metadata)]


def test_every_further_field_is_kept(tmp_path: Path) -> None:
    line = (
        '{"_id": 1, "lang": "en", "title": "T", "body": "hello", "url": "u", "group": "g", "tags": ["a", 2], "n": null,'
        ' "metadata": {"language": "de", "date": "2026-01-01", "url": "u", "by": {"name": "Zoë"},'
        ' "title": "M", "id": 7, "text": "x"}}'
    )
    [document] = corpus_of(tmp_path / "c.jsonl", line)
    assert document.text == "hello"
    assert document.metadata == {
        "url": "u",
        "group": "g",
        "tags": ["a", 2],
        "n": None,
        "date": "2026-01-01",
        "by": {"name": "Zoë"},
        "language": "de",
        "title": "M",
        "id": 7,
        "text": "x",
    }
    line = '{"id": 1, "text": "hello", "metadata": {"lang": "de", "lang_code": "x"}}'
    [document] = corpus_of(tmp_path / "d.jsonl", line)
    assert (document.language, document.metadata) == ("de", {"lang_code": "x"})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ('"url": "a", "metadata": {"url": "b"}', "`url` is there twice"),
        ('"n": NaN', "`n` holds nan"),
        ('"metadata": {"n": [Infinity]}', "`metadata.n` holds inf"),
        ('"a\\u0000": 1', "holds a NUL character"),
        ('"a": "\\ud800"', "`a` holds half of a surrogate pair"),
        ('"a": ' + 900 * "[" + 900 * "]", "`a` is nested too deeply"),
    ],
    ids=["twice", "nan", "infinite", "NUL", "surrogate", "deep"],
)
def test_fields_that_cannot_be_kept_are_bad_lines(tmp_path: Path, fields: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        list(corpus_of(tmp_path / "c.jsonl", f'{{"id": "a", "language": "en", "text": "hello", {fields}}}'))


def test_metadata_that_is_no_object_is_a_field(tmp_path: Path) -> None:
    [document] = corpus_of(tmp_path / "c.jsonl", '{"id": "a", "language": "en", "text": "hello", "metadata": ["x"]}')
    assert document.metadata == {"metadata": ["x"]}


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
        pytest.param('{"id": "b", "title": "x", "text": ["a"]}', "this is a list", id="text in a list"),
        pytest.param('{"id": "b", "title": "T", "abstract": "A."}', "no `text`, but `abstract`", id="text as abstract"),
        pytest.param(
            '{"id": "b", "title": "T", "lead": "It goes on and on, over more than forty characters."}',
            "no `text`, but `lead`: call it `text`",
            id="a long unknown field",
        ),
        pytest.param('{"id": "b", "title": "T", "body": "B", "contents": "C"}', "but `contents` and `body`", id="two"),
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
body = text.filter(lambda body: normal_form(body).strip())  # soft hyphens alone are no text


@settings(deadline=None)
@given(st.lists(st.tuples(text.filter(str.strip), body), unique_by=lambda pair: pair[0], max_size=9))
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


@pytest.mark.parametrize(
    ("raw", "tag"),
    [("eng", "en"), ("ger", "de"), ("deu-Latn", "de"), ("deu_Latn", "de"), ("iw", "he"), ("in", "id"), ("cmn", "zh"),
     ("cmn-Hans-CN", "zh-Hans-CN"), ("zho-Hans", "zh"), ("zh-Hant", "zh-Hant"), ("arb", "ar"), ("arz", "arz"),
     ("nb", "no"), ("nb-NO", "no-NO"), ("nn", "nn"), ("swh_Latn", "sw"), ("kor_Hang", "ko"), ("sr-Latn", "sr-Latn"),
     ("i-klingon", "tlh"), ("en-UK", "en-GB"), ("en_US.UTF-8", "en-US"), ("sr_RS@latin", "sr-Latn-RS"),
     ("ca@valencia", "ca-valencia"), ("German", "de"), ("greek", "el"), ("Haitian Creole", "ht"), ("x-mine", "x-mine"),
     ("xx", "xx"), ("Python-Code", "python-code")],
)  # fmt: skip
def test_one_language_has_one_tag(raw: str, tag: str) -> None:
    assert normalize_tag(raw) == tag
    assert normalize_tag(tag) == tag


@pytest.mark.parametrize("raw", ["e", "E", "", "e n", "en-", "-en", "english!", "x" * 36])
def test_what_is_shaped_like_no_tag(raw: str) -> None:
    with pytest.raises(ValueError, match="is not a language tag such as"):
        normalize_tag(raw)


def test_what_is_no_registered_language() -> None:
    known = ("en", "pt-BR", "zh-Hant", "und", "mul", "x-mine", "tlh")
    assert [tag for tag in (*known, "xx", "python-code", "en-ZQ") if not is_registered(tag)] == [
        "xx", "python-code", "en-ZQ",
    ]  # fmt: skip


def test_macrolanguages() -> None:
    assert [base_language(tag) for tag in ("yue-HK", "arz", "nn", "nb", "pt-BR")] == ["zh", "ar", "no", "no", "pt"]
    assert [base_language(tag) for tag in ("hr", "sr", "id", "x-mine")] == ["hr", "sr", "id", "x-mine"]
    assert covered("pt", ["en", "pt", "pt-BR"]) == ["pt", "pt-BR"]
    assert covered("zh", ["zh-Hant", "yue", "ja"]) == ["zh-Hant", "yue"]
    assert covered("zh-Hant", ["zh-TW", "zh-CN", "zh"]) == ["zh-TW"]
    assert covered("sr-Cyrl", ["sr-Latn-RS", "sr-RS", "sr"]) == ["sr-RS", "sr"]
    assert covered("ms", ["id", "zlm"]) == ["zlm"]
    assert covered("de", ["deu-Latn", "den"]) == ["deu-Latn"]  # of an index made before tags were unified


PORTUGUESE = ["O banco recusou o cartão.", "Onde vejo a minha fatura?"]


def test_a_detected_language_is_called_as_the_corpus_calls_it(tmp_path: Path) -> None:
    untagged = json.dumps({"id": "a", "text": PORTUGUESE[0]})
    brazilian = json.dumps({"id": "b", "language": "pt_br", "text": PORTUGUESE[1]})
    path = tmp_path / "c.jsonl"
    path.write_text(f"{untagged}\n{brazilian}\n")
    corpus = Corpus(path, lambda _: "pt")
    assert [document.language for document in corpus] == ["pt-BR", "pt-BR"]
    assert corpus.detected == {"pt-BR": 1}


def test_or_as_the_index_calls_it(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(json.dumps({"id": "a", "text": PORTUGUESE[0]}))
    assert [document.language for document in Corpus(path, lambda _: "pt", known=["en", "pt-BR"])] == ["pt-BR"]
    assert [document.language for document in Corpus(path, lambda _: "pt", known=["en"])] == ["pt"]
    assert [document.language for document in Corpus(path, lambda _: "bs", known=["en", "hr"])] == ["hr"]


def test_of_standard_input_what_came_before_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"id": "b", "language": "pt-BR", "text": PORTUGUESE[1]}, {"id": "a", "text": PORTUGUESE[0]}]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\n".join(map(json.dumps, rows)).encode())))
    assert [document.language for document in Corpus("-", lambda _: "pt")] == ["pt-BR", "pt-BR"]


def test_unregistered_tags_are_counted(tmp_path: Path) -> None:
    lines = [json.dumps({"id": str(n), "language": tag, "text": "x"}) for n, tag in enumerate(["xx", "XX", "en"])]
    corpus = corpus_of(tmp_path / "c.jsonl", *lines)
    assert [document.language for document in corpus] == ["xx", "xx", "en"]
    assert corpus.unregistered == {"xx": 2}


def test_the_closest_tag() -> None:
    assert closest("zh-TW", ["zh", "zh-CN", "zh-Hant"]) == "zh-Hant"
    assert closest("yue", ["en", "zh"]) == "zh"
    assert closest("pt-BR", ["en", "pt", "pt-BR"]) == "pt-BR"
    assert closest("pt-PT", ["en", "pt"]) == "pt"
    assert closest("pt", ["en", "pt-PT", "pt-BR"]) == "pt-PT"
    assert closest("fr", ["en", "pt"]) is None
