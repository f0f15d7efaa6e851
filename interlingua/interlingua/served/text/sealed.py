"""Tokenizers for which no text makes a special token.

tokenizer.json, what stands around texts --marks.py--> Tokenizer with marks for special tokens, and the same in marks
                                         --prepared--> a file from which that is made without reading tokenizer.json
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, NamedTuple

from tokenizers import Tokenizer

from interlingua.served.text.marks import completed, marked, marks_of, renamed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from interlingua.served.text.marks import AddedToken, TokenizerJson


_FORM = b"1"  # of what is prepared; another one where marks.py renames otherwise


class SealedTokenizers:
    """A tokenizer.json's tokenizers for texts: one, and one more for each template that writes other added tokens."""

    def __init__(self, tokenizer_json: bytes, prepared: bytes = b"") -> None:
        """`prepared`: as the method makes it; what is of another tokenizer.json is left aside.

        Raises ValueError, KeyError: it is not a tokenizer's.
        """
        self._json = tokenizer_json
        self._parsed: TokenizerJson | None = None
        self._made: dict[tuple[str, ...], Tokenizer] = {}
        self._written: dict[tuple[str, ...], bytes] = {}
        head, _, written = prepared.partition(b"\n")
        stated = json.loads(head or "{}")
        if stated.get("of") == _digest(tokenizer_json):
            self._added: Sequence[AddedToken] = stated["added"]
            self._written[tuple(stated["marks"])] = written
        else:
            self._parsed = completed(json.loads(tokenizer_json))
            self._added = self._parsed["added_tokens"]

    def of(self, fixed: Sequence[str] = ()) -> Sealed:
        """The tokenizer, and what stands around texts as it reads it; equal tokenizers are one.

        Args:
            fixed: a prompt, or a template's parts between texts.

        Raises:
            ValueError: the tokenizer gives a special token another id than it states.
        """
        marks = marks_of(self._added, fixed)
        if (key := tuple(marks)) not in self._made:
            self._made[key] = Tokenizer.from_buffer(self._written.pop(key, b"") or self._write(marks))
        written = [token for token in self._added if any(token["content"] in part for part in fixed)]
        _require_ids(self._made[key], written, marks)
        return Sealed(self._made[key], marked(fixed, self._added, marks))

    def prepared(self, fixed: Sequence[str]) -> bytes:
        """What makes the tokenizer with these parts around texts in half the time, given beside its JSON.

        A line of JSON (of which tokenizer.json, its added tokens, which of them have marks), and the tokenizer.
        """
        marks = marks_of(self._added, fixed)
        if (key := tuple(marks)) not in self._written:
            self._written[key] = self._write(marks)
        head = {"of": _digest(self._json), "added": self._added, "marks": key}
        return json.dumps(head).encode() + b"\n" + self._written[key]

    def _write(self, marks: Mapping[str, str]) -> bytes:
        # A large vocabulary takes 100 MB as Python's objects: not kept for a second one, which is rare.
        description, self._parsed = self._parsed or completed(json.loads(self._json)), None
        return json.dumps(renamed(description, marks), ensure_ascii=False).encode()


class Sealed(NamedTuple):
    """A tokenizer for which no text makes a special token, and fixed parts that do, as it reads them."""

    tokenizer: Tokenizer
    fixed: list[str]


def _require_ids(tokenizer: Tokenizer, written: Sequence[AddedToken], marks: Mapping[str, str]) -> None:
    for token in written:
        mark = marks.get(token["content"])
        if mark is not None and (found := tokenizer.token_to_id(mark)) != token["id"]:
            raise ValueError(f"the tokenizer gives {token['content']} the id {found} and states {token['id']}")


def _digest(tokenizer_json: bytes) -> str:
    return hashlib.sha256(_FORM + tokenizer_json).hexdigest()
