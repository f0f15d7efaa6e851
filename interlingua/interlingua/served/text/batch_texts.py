"""The texts of a batch of requests, tokenized together; what goes wrong with one request's is that request's alone.

TextRequest ... --encode, all at once--> BatchText (request, row) ...;  TextRequest.tokens, .first, or .error
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from interlingua.served.text.tokenizer import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from interlingua.served.text.text_request import TextRequest
    from interlingua.served.text.tokenizer import Encoded, Row, Text, TextTokenizer

_Text = TypeVar("_Text")


@dataclass(frozen=True)
class BatchText:
    """One text of the batch: whose it is, and its tokens as they are computed."""

    request: TextRequest
    row: Row

    def repeated(self, tokens: int) -> Tokens:
        """So many tokens, those of the text over and over: a call of known size."""
        times = -(-tokens // len(self.row))
        return Tokens((*self.row.ids,) * times, (*self.row.type_ids,) * times).beginning(tokens)


def batch_texts(requests: Sequence[TextRequest], tokenizer: TextTokenizer) -> list[BatchText]:
    """The texts to compute, in order, at least one token each; requests whose texts cannot be read have failed."""
    return batch_encoded(requests, [request.texts for request in requests], tokenizer.encode)


def count_tokens(requests: Sequence[TextRequest], count: Callable[[list[Text]], list[int]]) -> None:
    """Count what each request's texts come to, and compute nothing; requests that cannot be read have failed."""
    for request in requests:
        try:
            request.tokens = count(request.texts)
        except Exception as error:  # the library raises bare Exception
            request.fail(f"invalid text: the tokenizer cannot read it ({error})", "invalid")


def batch_encoded(
    requests: Sequence[TextRequest], texts: Sequence[list[_Text]], encode: Callable[[list[_Text]], list[Encoded]]
) -> list[BatchText]:
    """The same of what each request has to compute, in any form that can be encoded."""
    batch: list[BatchText] = []
    for request, encoded in zip(requests, _encoded(requests, texts, encode), strict=True):
        empty = next((row for row, (kept, _) in enumerate(encoded) if not len(kept)), None)
        if empty is not None:
            request.fail(f"invalid text: row {empty} comes to no token that the model knows", "invalid")
            continue
        request.first = len(batch)
        request.tokens = [tokens for _, tokens in encoded]
        request.truncated = sum(tokens > len(kept) for kept, tokens in encoded)
        batch += [BatchText(request, kept) for kept, _ in encoded]
    return batch


def _encoded(
    requests: Sequence[TextRequest], texts: Sequence[list[_Text]], encode: Callable[[list[_Text]], list[Encoded]]
) -> list[list[Encoded]]:
    """Each request's, in order; [] of one that fails."""
    try:
        encoded = iter(encode([text for own in texts for text in own]))
        return [[next(encoded) for _ in own] for own in texts]
    except Exception as error:  # the library raises bare Exception: for a word that a vocabulary lacks, say
        if len(requests) > 1:
            return [
                encoded
                for request, own in zip(requests, texts, strict=True)
                for encoded in _encoded([request], [own], encode)
            ]
        requests[0].fail(f"invalid text: the tokenizer cannot read it ({error})", "invalid")
        return [[]]
