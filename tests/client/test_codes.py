"""Codes that are found in a text, worked out by hand."""

from __future__ import annotations

import unicodedata

import pytest

from interlingua_client.index.words.codes import codes_of
from interlingua_client.index.words.text_words import folded, text_words

CASES = {
    "a hyphen, an underscore or none": ("E-417 E_417 e417", ["e417"] * 3),
    "a hyphen that does not break, and a minus": ("E\u2011417 E\u2212417", ["e417"] * 2),
    "full width": ("Ｅ－４１７", ["e417"]),
    "other digits": ("E-٤١٧ ४२", ["e417", "42"]),
    "no other number": ("E-418 417", ["e418", "417"]),
    "hexadecimal and build numbers": ("KB5034441, 0x80070005", ["kb5034441", "0x80070005"]),
    "a version at a sentence's end": ("Take v2.3.1.", ["v2.3.1"]),
    "digits joined to digits stay apart": ("1-2 12", ["1-2", "12"]),
    "an ending behind": ("E-417-es", ["e417es", "e417"]),
    "words around": ("Fehler-E-417-Problem", ["fehler-e417problem", "e417"]),
    "alternatives": ("C2/C3", ["c2/c3", "c2", "c3"]),
    "a date": ("12/05/2024", ["12/05/2024"]),
    "Japanese around": ("更新エラーE-417が表示", ["e417"]),
    "Korean behind": ("E-417이", ["e417"]),
    "Thai around": ("รหัสE-417ผิด", ["e417"]),
    "no digit": ("wi-fi and/or e-mail", []),
    "nothing": ("", []),
    "too long": ("a1" * 40, []),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_codes(text: str, expected: list[str]) -> None:
    assert codes_of(folded(text, "und")) == expected
    assert codes_of(folded(unicodedata.normalize("NFD", text), "und")) == expected


def test_the_parts_of_a_code_are_words_beside_it() -> None:
    assert text_words("E-417が", "ja") == ["e", "417", "が"]
