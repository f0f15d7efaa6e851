"""Texts on which tokenizers part that agree on plain sentences.

case, accents, CJK, spaces, every added token; a text that fills the window exactly, and one that exceeds it
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from interlingua_exporter.texts.parity_texts import sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from interlingua.repository.text_encoder import Framed, TextEncoder

SPACES = "spaces"
_ADDED_AT_ONCE = 64  # Gemma has thousands


class NamedText(NamedTuple):
    """A text and what it is there for."""

    name: str
    text: str


PROBES = (
    NamedText("case", "The QUICK Brown fox; ÉCOLE, Straße, İstanbul, ΟΔΟΣ"),
    NamedText("accents", "naïve café, jalapeño, Ångström, Łódź, Tiếng Việt, й ё"),
    NamedText("CJK", "東京タワーの高さは何メートル? 北京大学 한국어 ＡＢＣ１２３"),  # noqa: RUF001 - full width
    NamedText("digits and signs", "E-417: 3.14 + 2,000 = 100% (ok?) user@example.org #tag _x_ 😀 … “quoted”"),
    NamedText("joined", "don't state-of-the-art x²+y₂ ﬁn ½ ™"),
    NamedText(SPACES, "  two  spaces\tand a tab\nand a line "),
)


def added_texts(contents: Sequence[str]) -> Iterator[NamedText]:
    """Texts that hold every one of these tokens among words."""
    for start in range(0, len(contents), _ADDED_AT_ONCE):
        tokens = contents[start : start + _ADDED_AT_ONCE]
        yield NamedText(f"added tokens from {tokens[0]!r}", " ".join(f"word {token} word" for token in tokens))


def window_texts(encoder: TextEncoder, framed: Callable[[str], Framed], max_tokens: int) -> Iterator[NamedText]:
    """A text of exactly the window's length, where one can be made of a word, and one beyond it.

    Args:
        framed: puts around a text what its service does, the other side of a pair too.
    """
    page = " ".join(row["en"] for row in sentences())
    tokens = int(encoder.count([framed(page)])[0])
    yield NamedText("exceeds the window", " ".join([page] * (max_tokens // max(tokens, 1) + 2)))
    one, five = (int(number) for number in encoder.count([framed("a"), framed("a a a a a")]))
    each = max((five - one) // 4, 1)
    near = (max_tokens - one) // each + 1
    for words in range(max(near - 2, 1), max(near, 1) + 3):
        text = " ".join(["a"] * words)
        if encoder.count([framed(text)])[0] == max_tokens:
            yield NamedText("fills the window", text)
            return
