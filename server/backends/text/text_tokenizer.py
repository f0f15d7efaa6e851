"""Texts, or pairs of texts, to the tokens that a network computes: prompts, templates and truncation are here.

    text, or (query, document) --whole--> what is tokenized --Tokenizer--> Encoding
    of more than max_tokens --the tokenizer's own truncation, or tokens of the document left out--> Encoding, or Kept

The `text` backend and the exporter load this one file; it needs nothing but `tokenizers`.

A template and the texts in it are tokenized as one string: token lists of parts do not add up to that of the whole.
special_marks.py says how a text is kept from making special tokens in it.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from special_marks import marked, marks_of, renamed
from tokenizers import Encoding, Tokenizer

Text = str | tuple[str, str]

_HOLE = re.compile(r"\{(text|query|document)\}")
_HOLES = {"text": 0, "query": 0, "document": 1}


@dataclass(frozen=True)
class Kept:
    """What is left of a text that was too long for its template: ids and token types, as an `Encoding` has them."""

    ids: list[int]
    type_ids: list[int]

    def __len__(self) -> int:
        return len(self.ids)


Tokens = Encoding | Kept


class Encoded(NamedTuple):
    """One text's tokens.

    Attributes:
        kept: what the network computes, specials included.
        tokens: how many there were before truncation.
    """

    kept: Tokens
    tokens: int


class TextTokenizer(ABC):
    """A tokenizer with what one service puts around a text."""

    def __init__(self, tokenizer: Tokenizer, max_tokens: int) -> None:
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens
        tokenizer.no_padding()
        tokenizer.no_truncation()

    def encode(self, texts: Sequence[Text]) -> list[Encoded]:
        """Every text's tokens, in order; none keeps more than `max_tokens`."""
        encodings = self.tokenizer.encode_batch_fast([self.whole(text) for text in texts])
        return [
            Encoded(encoding if len(encoding) <= self.max_tokens else self._truncated(text), len(encoding))
            for text, encoding in zip(texts, encodings, strict=True)
        ]

    @abstractmethod
    def whole(self, text: Text) -> Text:
        """What is tokenized."""

    @abstractmethod
    def _truncated(self, text: Text) -> Tokens: ...


class PromptTokenizer(TextTokenizer):
    """A prompt in front of a single text; a pair is put together by the tokenizer itself."""

    def __init__(self, tokenizer: Tokenizer, max_tokens: int, prompt: str = "") -> None:
        super().__init__(tokenizer, max_tokens)
        self._prompt = prompt

    def whole(self, text: Text) -> Text:
        return text if isinstance(text, tuple) else self._prompt + text

    def _truncated(self, text: Text) -> Encoding:
        whole = self.whole(text)
        # Encoded again, not sliced: only the tokenizer knows which special tokens must stay. Switching one
        # tokenizer over is cheaper than keeping a second one, which takes 150 MB for a large vocabulary.
        self.tokenizer.enable_truncation(self.max_tokens)
        try:
            return self.tokenizer.encode(*(whole if isinstance(whole, tuple) else (whole,)))
        finally:
            self.tokenizer.no_truncation()


class TemplateTokenizer(TextTokenizer):
    """A template around a text or a pair; too long ones lose the end of the document, and then of the query."""

    def __init__(self, tokenizer_json: str, max_tokens: int, template: str) -> None:
        """Raises ValueError: the template has not the holes it needs, or leaves no room for a text."""
        fixed, names = _cut(template)
        description = {"added_tokens": []} | json.loads(tokenizer_json)
        marks = marks_of(description, fixed)
        super().__init__(Tokenizer.from_str(json.dumps(renamed(description, marks), ensure_ascii=False)), max_tokens)
        self._require_ids(description, marks)
        self._fixed = marked(fixed, description, marks)
        self._holes = [_HOLES[name] for name in names]
        self._bare = self.tokenizer.encode("".join(self._fixed))
        if len(self._bare) >= max_tokens:
            raise ValueError(
                f"the template alone has {len(self._bare)} tokens of at most {max_tokens}, which leaves none to a text"
            )

    def whole(self, text: Text) -> str:
        """The template with the texts in it. Raises ValueError: a text has a NUL."""
        texts = text if isinstance(text, tuple) else (text,)
        if any("\0" in one for one in texts):
            raise ValueError("a text holds a NUL character, which could stand for a special token")
        return "".join(self._pieces(texts))

    def _pieces(self, texts: tuple[str, ...]) -> list[str]:
        """Fixed parts and texts in turn."""
        pieces = [self._fixed[0]]
        for hole, fixed in zip(self._holes, self._fixed[1:], strict=True):
            pieces += (texts[hole], fixed)
        return pieces

    def _truncated(self, text: Text) -> Kept:
        encoding = self.tokenizer.encode(self.whole(text))  # the fast encoding has no offsets
        excess = len(encoding) - self.max_tokens
        left_out: set[int] = set()
        for begin, end in self._spans(text if isinstance(text, tuple) else (text,)):
            # A token that also covers a part of the template stays.
            inside = [place for place, (first, last) in enumerate(encoding.offsets) if begin <= first < last <= end]
            left_out |= set(inside[max(len(inside) - excess + len(left_out), 0) :])
        if len(left_out) < excess:  # tokens across the template's edges are too many: it goes without texts
            return Kept(self._bare.ids, self._bare.type_ids)
        places = [place for place in range(len(encoding)) if place not in left_out]
        ids, kinds = encoding.ids, encoding.type_ids
        return Kept([ids[place] for place in places], [kinds[place] for place in places])

    def _spans(self, texts: tuple[str, ...]) -> list[tuple[int, int]]:
        """Where the texts stand in the whole, in characters: the document before the query."""
        spans, begin = {}, len(self._fixed[0])
        for hole, fixed in zip(self._holes, self._fixed[1:], strict=True):
            spans[hole] = (begin, begin + len(texts[hole]))
            begin += len(texts[hole]) + len(fixed)
        return [spans[hole] for hole in sorted(spans, reverse=True)]

    def _require_ids(self, description: Mapping[str, Any], marks: Mapping[str, str]) -> None:
        for token in description["added_tokens"]:
            mark = marks.get(token["content"])
            if mark is not None and (found := self.tokenizer.token_to_id(mark)) != token["id"]:
                raise ValueError(f"the tokenizer gives {token['content']} the id {found} and states {token['id']}")


def text_tokenizer(tokenizer_json: str, max_tokens: int, *, prompt: str = "", template: str = "") -> TextTokenizer:
    """The tokenizer of a service.

    Args:
        prompt: in front of a single text; inside the template, where there is one.
        template: "" for none; else `{text}`, or `{query}` and `{document}`, once each.

    Raises:
        ValueError: as `TemplateTokenizer`.
    """
    if template:
        return TemplateTokenizer(tokenizer_json, max_tokens, template.replace("{text}", prompt + "{text}"))
    return PromptTokenizer(Tokenizer.from_str(tokenizer_json), max_tokens, prompt)


def _cut(template: str) -> tuple[list[str], list[str]]:
    """Fixed parts, and the names of the holes between them."""
    pieces = _HOLE.split(template)
    fixed, names = pieces[::2], pieces[1::2]
    if sorted(names) not in (["text"], ["document", "query"]):
        raise ValueError(f"a template has {{text}}, or {{query}} and {{document}}, once each, not {template!r}")
    if "\0" in template:
        raise ValueError("a template cannot hold a NUL character")
    return fixed, names
