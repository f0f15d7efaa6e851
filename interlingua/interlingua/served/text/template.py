"""A template around a text, or around a query and a document, as one string: tokens of parts do not add up to those of
the whole.

    template --cut--> fixed parts, holes;  fixed parts, texts --whole--> what is tokenized --> Encoding, or Tokens

marks.py says how a text is kept from making special tokens in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from interlingua.served.text.tokenizer import PromptTokenizer, Row, Text, TextTokenizer, Tokens

if TYPE_CHECKING:
    from tokenizers import Encoding

    from interlingua.served.service import Frame
    from interlingua.served.text.sealed import SealedTokenizers

_HOLE = re.compile(r"\{(text|query|document)\}")
_HOLES = {"text": 0, "query": 0, "document": 1}


def framed_tokenizer(tokenizers: SealedTokenizers, max_tokens: int, frame: Frame) -> TextTokenizer:
    """The tokenizer that a service needs. Raises ValueError as `TemplateTokenizer`."""
    if frame.template:
        return TemplateTokenizer(tokenizers, max_tokens, _template(frame))
    return PromptTokenizer(tokenizers, max_tokens, frame.prompt)


def prepared_tokenizer(tokenizers: SealedTokenizers, frame: Frame) -> bytes:
    """What is written beside a service's tokenizer.json. Raises ValueError as `TemplateTokenizer`."""
    return tokenizers.prepared(_cut(_template(frame))[0] if frame.template else [frame.prompt])


def _template(frame: Frame) -> str:
    return frame.template.replace("{text}", frame.prompt + "{text}")


class TemplateTokenizer(TextTokenizer):
    """A template around a text or a pair; too long ones lose the end of the document, and then of the query."""

    def __init__(self, tokenizers: SealedTokenizers, max_tokens: int, template: str) -> None:
        """Raises ValueError: the template has not the holes it needs, or leaves no room for a text."""
        fixed, names = _cut(template)
        tokenizer, self._fixed = tokenizers.of(fixed)
        super().__init__(tokenizer, max_tokens)
        self._holes = [_HOLES[name] for name in names]
        self._bare = self.tokenizer.encode("".join(self._fixed))
        if len(self._bare) >= max_tokens:
            raise ValueError(
                f"the template alone has {len(self._bare)} tokens of at most {max_tokens}, which leaves none to a text"
            )

    def whole(self, text: Text) -> str:
        """The template with the texts in it."""
        return "".join(self._pieces(text if isinstance(text, tuple) else (text,)))

    def _pieces(self, texts: tuple[str, ...]) -> list[str]:
        """Fixed parts and texts in turn."""
        pieces = [self._fixed[0]]
        for hole, fixed in zip(self._holes, self._fixed[1:], strict=True):
            pieces += (texts[hole], fixed)
        return pieces

    def _read_characters(self, text: str) -> int:
        encoding, places = self._kept_places(text)
        if len(encoding) <= self.max_tokens:
            return len(text)
        ((begin, end),) = self._spans(text)
        kept = [encoding.offsets[place][1] for place in places or ()]
        return max((last for last in kept if begin < last <= end), default=begin) - begin

    def _kept(self, text: Text, encoding: Encoding) -> Row:
        return encoding if len(encoding) <= self.max_tokens else self._truncated(text)

    def _truncated(self, text: Text) -> Tokens:
        encoding, places = self._kept_places(text)
        if places is None:
            return Tokens(tuple(self._bare.ids), tuple(self._bare.type_ids))
        ids, kinds = encoding.ids, encoding.type_ids
        return Tokens(tuple(ids[place] for place in places), tuple(kinds[place] for place in places))

    def _kept_places(self, text: Text) -> tuple[Encoding, list[int] | None]:
        """The whole, and which of its tokens are kept; None where the template has to go without texts."""
        encoding = self.tokenizer.encode(self.whole(text))  # the fast encoding has no offsets
        excess = len(encoding) - self.max_tokens
        left_out: set[int] = set()
        for begin, end in self._spans(text):
            # A token that also covers a part of the template stays.
            inside = [place for place, (first, last) in enumerate(encoding.offsets) if begin <= first < last <= end]
            left_out |= set(inside[max(len(inside) - excess + len(left_out), 0) :])
        if len(left_out) < excess:  # too many are across the template's edges
            return encoding, None
        return encoding, [place for place in range(len(encoding)) if place not in left_out]

    def _spans(self, text: Text) -> list[tuple[int, int]]:
        """Where the texts stand in the whole, in characters: the document before the query."""
        texts = text if isinstance(text, tuple) else (text,)
        spans, begin = {}, len(self._fixed[0])
        for hole, fixed in zip(self._holes, self._fixed[1:], strict=True):
            spans[hole] = (begin, begin + len(texts[hole]))
            begin += len(texts[hole]) + len(fixed)
        return [spans[hole] for hole in sorted(spans, reverse=True)]


def _cut(template: str) -> tuple[list[str], list[str]]:
    """Fixed parts, and the names of the holes between them."""
    pieces = _HOLE.split(template)
    fixed, names = pieces[::2], pieces[1::2]
    if sorted(names) not in (["text"], ["document", "query"]):
        raise ValueError(f"a template has {{text}}, or {{query}} and {{document}}, once each, not {template!r}")
    if "\0" in template:
        raise ValueError("a template cannot hold a NUL character")
    return fixed, names
