"""The texts of a batch of requests, tokenized together; what goes wrong with one request's is that request's alone.

TextRequest ... --encode, all at once--> BatchText (request, row) ...;  TextRequest.tokens, .first, or .error
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.served.text.tokenizer import Tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua.served.text.text_request import TextRequest
    from interlingua.served.text.tokenizer import Encoded, Row, TextTokenizer


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
    texts: list[BatchText] = []
    for request, encoded in zip(requests, _encoded(requests, tokenizer), strict=True):
        empty = next((row for row, (kept, _) in enumerate(encoded) if not len(kept)), None)
        if empty is not None:
            request.fail(f"invalid text: row {empty} comes to no token that the model knows", "invalid")
            continue
        request.first = len(texts)
        request.tokens = [tokens for _, tokens in encoded]
        texts += [BatchText(request, kept) for kept, _ in encoded]
    return texts


def _encoded(requests: Sequence[TextRequest], tokenizer: TextTokenizer) -> list[list[Encoded]]:
    """Each request's, in order; [] of one that fails."""
    try:
        encoded = iter(tokenizer.encode([text for request in requests for text in request.texts]))
        return [[next(encoded) for _ in request.texts] for request in requests]
    except Exception as error:  # the library raises bare Exception: for a word that a vocabulary lacks, say
        if len(requests) > 1:
            return [encoded for request in requests for encoded in _encoded([request], tokenizer)]
        requests[0].fail(f"invalid text: the tokenizer cannot read it ({error})", "invalid")
        return [[]]
