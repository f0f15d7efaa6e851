"""What a folder says of a late-interaction model, in words and numbers, before its tokenizer gives ids.

A folder in one of four layouts --native_layout, stanford_layout, bge_layout--> StatedModel --tokenized_sides--> ids
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua.served.late_interaction.sides import TokenPooling, Weighting
    from interlingua_exporter.weights.multi_vector.token_layers import TokenLayer
    from interlingua_exporter.weights.statements.remark import Remark

Layout = Literal["sentence-transformers", "PyLate", "Stanford", "bge-m3"]

PUNCTUATION = tuple(string.punctuation)


@dataclass(frozen=True)
class StatedExpansion:
    """Queries are filled up to a length.

    Attributes:
        token: what with; "" for the tokenizer's mask token, else its end token.
        cuts: whether longer queries are cut to the length, too.
    """

    length: int
    attended: bool
    cuts: bool = True
    token: str = ""


@dataclass(frozen=True, kw_only=True)
class StatedSide:
    """One side.

    Attributes:
        max_tokens: longer texts are cut to so many; None for the model's own window.
        prompt: in front of every text, one string with it.
        marker: the token put in after the first one; "" for none.
        skipped: words, each a piece of the vocabulary, whose tokens do not count.
    """

    max_tokens: int | None
    prompt: str = ""
    marker: str = ""
    skipped: tuple[str, ...] = ()
    expansion: StatedExpansion | None = None


@dataclass(frozen=True, kw_only=True)
class StatedModel:
    """A late-interaction model.

    Attributes:
        transformer: the folder with config.json, weights and tokenizer.
        layers: over every token's state, in order; a normalization follows them.
        window: tokens of the longest text, as the files say; None where they do not.
        first_pieces: whether a skipped word is the first piece that the tokenizer makes of it, as colbert-ai has it
            where a word has no piece of its own.
        pooling: of a document's vectors; None for none.
        lowercase: whether texts are lower-cased before tokenization.
        remarks: what is not followed, refused or told.
    """

    layout: Layout
    transformer: Path
    layers: tuple[TokenLayer, ...]
    query: StatedSide
    document: StatedSide
    window: int | None
    licence: str
    weighting: Weighting = "sum"
    first_pieces: bool = False
    pooling: TokenPooling | None = None
    lowercase: bool = False
    remarks: tuple[Remark, ...] = ()
