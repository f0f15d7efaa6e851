"""The texts that language vectors are measured on: the same articles in every language, under an index's tags."""

from __future__ import annotations

import json

from interlingua.served.scripts import script_of
from interlingua_client.language_tag import is_registered, normalize_tag
from interlingua_exporter.texts.parallel_texts import PARALLEL_TEXTS, documents, queries

# A letter of the script that a language is written in.
LETTERS = {"ru": "я", "el": "λ", "ar": "ع", "hi": "ह", "th": "ท", "ko": "한", "zh": "中"}


def test_every_language_has_the_same_articles() -> None:
    rows = [json.loads(line) for line in PARALLEL_TEXTS.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == len({row["language"] for row in rows}) >= 40
    assert {tuple(row["articles"]) for row in rows} == {tuple(rows[0]["articles"])}
    assert all(text.strip() == text and len(text) > 15 for row in rows for text in row["articles"].values())


def test_tags_are_as_an_index_spells_them() -> None:
    for tag in documents():
        assert normalize_tag(tag) == tag
        assert is_registered(tag)


def test_texts_are_in_their_languages_script() -> None:
    for tag, letter in LETTERS.items():
        for text in (*documents()[tag], *queries()[tag]):
            assert script_of(letter) in {script_of(character) for character in text}, (tag, text)


def test_queries_are_the_beginnings_of_the_articles() -> None:
    for tag, texts in queries().items():
        for question, article in zip(texts, documents()[tag], strict=True):
            assert question
            assert article.startswith(question)
            assert len(question) <= 120
    assert queries()["zh"][0] == "人人有权享有生命、自由和人身安全。"
