"""Texts in one form, whoever wrote them: by hand, and by Unicode's own rules."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.served.text.normal_form import normal_form, readable

PLAIN = (
    "How do I reset my password?",
    "비밀번호를 잊어버렸어요",
    "ガギグパスワードを変更する、「テスト」",
    "Tôi quên mật khẩu của mình",
    "नमस्ते, पासवर्ड कैसे बदलें?",
    "می\u200cخواهم رمز را عوض کنم",  # ZERO WIDTH NON-JOINER is Persian's own
    "ශ්\u200dරී ලංකා",  # and ZERO WIDTH JOINER Sinhala's
    "👩\u200d💻 ❤\ufe0f",
    "ភាសា\u200bខ្មែរ",  # scripts without spaces part words by ZERO WIDTH SPACE
    "ภาษา\u200bไทย",
    "你好，世界",
)


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_text_stays_as_it_is(text: str) -> None:
    assert normal_form(text) == text


@pytest.mark.parametrize("text", [text for text in PLAIN if "\u200b" not in text])
def test_what_is_written_in_parts_is_composed(text: str) -> None:
    assert normal_form(unicodedata.normalize("NFD", text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("ｶﾞｷﾞﾊﾟｽﾜｰﾄﾞ", "ガギパスワード", id="half-width kana"),
        pytest.param("カﾞ", "ガ", id="a half-width mark after full-width kana"),
        pytest.param("｢ﾃｽﾄ｣､", "「テスト」、", id="half-width punctuation"),
        pytest.param("ﾡￂ", "가", id="half-width Hangul"),
        pytest.param("pass\u00adword", "password", id="soft hyphen"),
        pytest.param("pass\u200bword", "password", id="zero-width space"),
        pytest.param("pass\u200b\u200bword", "password", id="zero-width spaces"),
        pytest.param("비밀\u200b번호", "비밀번호", id="zero-width space in Hangul"),
        pytest.param("ref/\u200bwidgets", "ref/widgets", id="zero-width space in a path"),
        pytest.param("pass\u2060word", "password", id="word joiner"),
        pytest.param("\ufeffpass\ufeffword", "password", id="byte order marks"),
        pytest.param("\u202bשלום\u202c \u2067עולם\u2069!\u200f", "שלום עולם!", id="directions"),
        pytest.param("葛\U000e0100城", "葛城", id="the variant of an ideograph"),
        pytest.param("e\u00ad\u0301", "é", id="a soft hyphen before an accent"),
        pytest.param("\u212b\u2126", "\u00c5\u03a9", id="unit signs"),
        pytest.param("\u200b\u00ad", "", id="nothing"),
    ],
)
def test_by_hand(text: str, expected: str) -> None:
    assert normal_form(text) == expected


@given(st.text())
def test_it_is_composed_and_the_form_of_itself(text: str) -> None:
    once = normal_form(text)
    assert unicodedata.is_normalized("NFC", once)
    assert normal_form(once) == once


@given(st.text(st.characters(max_codepoint=0x10FFFF, exclude_categories=["Cs", "Cf"])))
def test_both_of_unicodes_forms_become_one(text: str) -> None:
    assert normal_form(unicodedata.normalize("NFD", text)) == normal_form(unicodedata.normalize("NFC", text))


def test_a_mark_cannot_be_written() -> None:
    assert readable("e\u0301") == "é"
    with pytest.raises(ValueError, match="NUL"):
        readable("\x002\0")
