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
    assert LanguageDetector(["en"]).detect("E-417").tag == "en"


QUESTIONS = {"nb": "Hvordan tilbakestiller jeg passordet mitt?", "iw": "איך אני מאפס את הסיסמה"}


@pytest.mark.parametrize(("tag", "question"), QUESTIONS.items(), ids=QUESTIONS)
def test_an_index_may_call_a_language_otherwise_than_the_detector(tag: str, question: str) -> None:
    assert LanguageDetector(["en", tag]).detect(question).tag == tag


@pytest.mark.parametrize("others", [["hr"], ["sr"], ["bs"]])
def test_a_sister_language_is_not_foreign(others: list[str]) -> None:
    assert LanguageDetector(["en", *others]).detect("Kako mogu promijeniti svoju lozinku?").tag == others[0]


@pytest.mark.parametrize("rare", ["sr", "uz", "sw", "zu", "pl", "qu", "no", "zh"])
@pytest.mark.parametrize(
    "query",
    ["E-417", "wifi", "USB", "PDF", "SQL", "404", "v2.3.1", "192.168.0.1", "kubectl", "SMTP 587", "VPN", "GitHub", "?"],
)
def test_a_code_is_in_no_rare_language(query: str, rare: str) -> None:
    assert LanguageDetector(["en", rare]).detect(query).tag in (None, "en")


@pytest.mark.parametrize(
    ("query", "tag"),
    [("contraseña", "es"), ("WO IST MEINE RECHNUNG", "de"), ("パスワード", "ja"), ("HTTP 404 beim Hochladen", "de")],
)
def test_few_words_are_enough_where_they_tell(query: str, tag: str) -> None:
    assert LanguageDetector(["en", "es", "de", "ja"]).detect(query).tag == tag


@pytest.mark.parametrize(
    ("query", "tag"),
    [
        ("the e-mail says «Новый вход: Новосибирск» but I've never been to Russia", None),
        ("pago desde Osaka y me sale 「このカードはご利用いただけません」, pero saldo tengo", None),
        ("I get Операция отклонена when paying", None),
        ("me sale «Операция отклонена банком эмитентом»", None),
        ("При оплате пишет «Your card was declined», но деньги есть", "ru"),
        ("Как сбросить пароль на iPhone?", "ru"),
        ("Wi-Fiに接続できません", "ja"),
        ("husbandとkidsも同じplanにaddしたいんだけど", "ja"),
    ],
)
def test_a_quotation_is_not_the_questions_language(query: str, tag: str | None) -> None:
    assert LanguageDetector(["en", "es", "ru", "ja"]).detect(query).tag == tag


def test_a_document_gets_a_tag_or_und() -> None:
    assert LanguageDetector().tag_of("Hur byter jag lösenord till mitt konto?") == "sv"
    assert LanguageDetector().tag_of("...") == "und"


def test_languages_the_detector_does_not_know() -> None:
    assert LanguageDetector(["tlh"]).detect("nuqneH").tag is None
