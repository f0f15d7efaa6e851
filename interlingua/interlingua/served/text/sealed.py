"""Tokenizers for which no text makes a special token.

tokenizer.json, what stands around texts --marks.py--> Tokenizer with marks for special tokens, and the same in marks
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from tokenizers import Tokenizer

from interlingua.served.text.marks import completed, marked, marks_of, renamed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from interlingua.served.text.marks import AddedToken, TokenizerJson


class SealedTokenizers:
    """A tokenizer.json's tokenizers for texts: one, and one more for each template that writes other added tokens."""

    def __init__(self, tokenizer_json: str) -> None:
        """Raises ValueError, KeyError: it is not a tokenizer's."""
        self._json = tokenizer_json
        self._parsed: TokenizerJson | None = completed(json.loads(tokenizer_json))
        self._added = self._parsed["added_tokens"]
        self._made: dict[tuple[str, ...], Tokenizer] = {}

    def of(self, fixed: Sequence[str] = ()) -> Sealed:
        """The tokenizer, and what stands around texts as it reads it; equal tokenizers are one.

        Args:
            fixed: a prompt, or a template's parts between texts.

        Raises:
            ValueError: the tokenizer gives a special token another id than it states.
        """
        marks = marks_of(self._added, fixed)
        if (key := tuple(marks)) not in self._made:
            # A large vocabulary takes 100 MB as Python's objects: not kept for a second one, which is rare.
            description, self._parsed = self._parsed or completed(json.loads(self._json)), None
            self._made[key] = Tokenizer.from_str(json.dumps(renamed(description, marks), ensure_ascii=False))
        written = [token for token in self._added if any(token["content"] in part for part in fixed)]
        _require_ids(self._made[key], written, marks)
        return Sealed(self._made[key], marked(fixed, self._added, marks))


class Sealed(NamedTuple):
    """A tokenizer for which no text makes a special token, and fixed parts that do, as it reads them."""

    tokenizer: Tokenizer
    fixed: list[str]


def _require_ids(tokenizer: Tokenizer, written: Sequence[AddedToken], marks: Mapping[str, str]) -> None:
    for token in written:
        mark = marks.get(token["content"])
        if mark is not None and (found := tokenizer.token_to_id(mark)) != token["id"]:
            raise ValueError(f"the tokenizer gives {token['content']} the id {found} and states {token['id']}")
