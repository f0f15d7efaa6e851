"""Detecting the query's language among those of an index."""

from __future__ import annotations

import pytest

from interlingua_client.search.query_language import LanguageDetector

TWELVE = ("en", "es", "fr", "de", "pt-BR", "ru", "ar", "hi", "zh-Hans", "ja", "ko", "sw")


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("How do I reset my password?", "en"),
        ("Wo finde ich meine Rechnung?", "de"),
        ("Como faço para mudar a minha senha?", "pt-BR"),
        ("如何重置密码", "zh-Hans"),
        ("パスワードを忘れました", "ja"),
        ("Nimesahau nenosiri langu", "sw"),
        ("Hur byter jag lösenord till mitt konto?", None),  # Swedish, which the index does not have
        ("12345", None),
        ("", None),
    ],
)
def test_among_the_indexs_languages(text: str, tag: str | None) -> None:
    assert LanguageDetector(TWELVE).detect(text).tag == tag


def test_the_only_language_is_not_found_in_everything() -> None:
    assert LanguageDetector(["en"]).detect("How do I reset my password?").tag == "en"
    assert LanguageDetector(["en"]).detect("如何重置密码").tag is None


def test_a_document_gets_a_tag_or_und() -> None:
    assert LanguageDetector().tag_of("Hur byter jag lösenord till mitt konto?") == "sv"
    assert LanguageDetector().tag_of("...") == "und"


def test_languages_the_detector_does_not_know() -> None:
    assert LanguageDetector(["tlh"]).detect("nuqneH").tag is None
