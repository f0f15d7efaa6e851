"""Texts, or pairs of texts, to the tokens that a network computes: prompts and truncation are here.

    text, or (query, document) --normal_form, whole--> what is tokenized --Tokenizer--> Encoding
    of more than max_tokens --the tokenizer's own truncation, or tokens of the document left out--> Encoding, or Tokens

A prompt goes in front of a text here; template.py puts templates around texts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from interlingua.served.text.normal_form import normal_form, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenizers import Encoding, Tokenizer

    from interlingua.served.text.sealed import SealedTokenizers

Text = str | tuple[str, str]


@dataclass(frozen=True)
class Tokens:
    """One text's ids and token types, specials included, truncated: what the network needs of an `Encoding`."""

    ids: tuple[int, ...]
    type_ids: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def beginning(self, tokens: int) -> Tokens:
        """At most so many."""
        return Tokens(self.ids[:tokens], self.type_ids[:tokens])


@dataclass(frozen=True)
class SideRow(Tokens):
    """One text of a late-interaction model's side (late_interaction/side_tokenizer.py).

    Attributes:
        attended: so many ids, from the first one on, are seen by the others.
        kept: places of the ids whose vectors count, ascending.
    """

    attended: int
    kept: tuple[int, ...]


Row: TypeAlias = "Encoding | Tokens"


class Encoded(NamedTuple):
    """One text's tokens.

    Attributes:
        kept: what the network computes, specials included.
        tokens: how many there were before truncation.
    """

    kept: Row
    tokens: int


class TextTokenizer(ABC):
    """A tokenizer with what one service puts around a text."""

    def __init__(self, tokenizer: Tokenizer, max_tokens: int) -> None:
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens
        tokenizer.no_padding()
        tokenizer.no_truncation()

    def encode(self, texts: Sequence[Text]) -> list[Encoded]:
        """Every text's tokens, in order; none keeps more than `max_tokens`. Raises ValueError: a text has a NUL."""
        texts = [_each(readable, text) for text in texts]
        return [
            Encoded(self._kept(text, encoding), self._length(encoding))
            for text, encoding in zip(texts, self._encodings(texts), strict=True)
        ]

    def count(self, texts: Sequence[Text]) -> list[int]:
        """How many tokens each text has before truncation."""
        return [self._length(encoding) for encoding in self._encodings([_each(normal_form, text) for text in texts])]

    def count_own(self, texts: Sequence[Text]) -> list[int]:
        """How many tokens each text, or both of a pair, have of their own (`count_bare`)."""
        parts = [text if isinstance(text, tuple) else (text,) for text in texts]
        counts = iter(self.count_bare([part for own in parts for part in own]))
        return [sum(next(counts) for _ in own) for own in parts]

    def count_bare(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text alone has, without what a service and the tokenizer put around it."""
        encodings = self.tokenizer.encode_batch_fast([normal_form(text) for text in texts], add_special_tokens=False)
        return [len(encoding) for encoding in encodings]

    def read_characters(self, text: str) -> int:
        """How many characters of a single text, from its beginning, are in the tokens that are kept."""
        kept = self._read_characters(normal_form(text))
        return bisect_left(range(len(text)), kept, key=lambda length: len(normal_form(text[:length])))

    @abstractmethod
    def whole(self, text: Text) -> Text:
        """What is tokenized of a text in its normal form."""

    @abstractmethod
    def _read_characters(self, text: str) -> int: ...

    @abstractmethod
    def _kept(self, text: Text, encoding: Encoding) -> Row:
        """What is computed of a text, given all its tokens."""

    def _length(self, encoding: Encoding) -> int:
        return len(encoding)

    def _encodings(self, texts: Sequence[Text]) -> list[Encoding]:
        return self.tokenizer.encode_batch_fast([self.whole(text) for text in texts])


class PromptTokenizer(TextTokenizer):
    """A prompt in front of a single text; a pair is put together by the tokenizer itself."""

    def __init__(self, tokenizers: SealedTokenizers, max_tokens: int, prompt: str = "") -> None:
        """Raises ValueError: the prompt leaves no room for a text."""
        tokenizer, (self._prompt,) = tokenizers.of([prompt])
        super().__init__(tokenizer, max_tokens)
        if prompt and (taken := len(tokenizer.encode(self._prompt))) >= max_tokens:
            raise ValueError(
                f"the prompt alone has {taken} tokens of at most {max_tokens}, which leaves none to a text"
            )

    def whole(self, text: Text) -> Text:
        return text if isinstance(text, tuple) else self._prompt + text

    def _read_characters(self, text: str) -> int:
        kept = self._truncated(text)
        places = zip(kept.offsets, kept.special_tokens_mask, strict=True)
        end = max((last for (_, last), is_special in places if not is_special), default=0)
        return max(end - len(self._prompt), 0)

    def _kept(self, text: Text, encoding: Encoding) -> Row:
        return encoding if len(encoding) <= self.max_tokens else self._truncated(text)

    def _truncated(self, text: Text) -> Encoding:
        whole = self.whole(text)
        # Encoded again, not sliced: only the tokenizer knows which special tokens must stay. Switching one
        # tokenizer over is cheaper than keeping a second one, which takes 150 MB for a large vocabulary.
        self.tokenizer.enable_truncation(self.max_tokens)
        try:
            return self.tokenizer.encode(*(whole if isinstance(whole, tuple) else (whole,)))
        finally:
            self.tokenizer.no_truncation()


def _each(read: Callable[[str], str], text: Text) -> Text:
    return (read(text[0]), read(text[1])) if isinstance(text, tuple) else read(text)
