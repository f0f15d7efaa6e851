"""Which scripts a tokenizer knows, and what a search says of a query in none of them."""

from __future__ import annotations

import pytest

from interlingua.served.scripts import unknown_scripts
from interlingua_exporter.texts.known_scripts import known_scripts
from tests.exporter.test_templates import qwen_like, xlm_roberta

TIFINAGH, NKO, CHEROKEE = "ⵎⴰⵎⴽ ⴰⴷ ⵙⵏⴼⵍⵖ", "ߒ ߓߍ߫ ߞߊ߬ ߞߍ", "ᎦᏙ ᎤᏍᏗ"


@pytest.fixture(scope="module")
def e5() -> tuple[str, ...]:
    return known_scripts(xlm_roberta().to_str().encode())


def test_the_default_embedders_scripts(e5: tuple[str, ...]) -> None:
    assert {"ARABIC", "CJK", "CYRILLIC", "DEVANAGARI", "HANGUL", "HIRAGANA", "LATIN", "THAI"} <= set(e5)
    assert not {"CHEROKEE", "NKO", "TIFINAGH"} & set(e5)


def test_bytes_are_known_in_every_script() -> None:
    assert {"CHEROKEE", "LATIN", "NKO", "TIFINAGH"} <= set(known_scripts(qwen_like().to_str().encode()))


@pytest.mark.parametrize(
    ("text", "scripts"),
    [
        (TIFINAGH, ("TIFINAGH",)),
        (NKO, ("NKO",)),
        (CHEROKEE, ("CHEROKEE",)),
        (f"{TIFINAGH} {CHEROKEE}?", ("TIFINAGH", "CHEROKEE")),
        (f"{TIFINAGH} E-417", ("TIFINAGH",)),
        (f"what is {CHEROKEE}", ()),
        ("비밀번호", ()),
        ("ﾊﾟｽﾜｰﾄﾞ", ()),
        ("E-417", ()),
        ("12345 🙂 ?", ()),
    ],
)
def test_a_query_that_cannot_be_read(e5: tuple[str, ...], text: str, scripts: tuple[str, ...]) -> None:
    assert unknown_scripts(text, e5) == scripts
    assert unknown_scripts(text, ()) == ()  # of a model that was published before it was said
