"""What one request's texts do to a tokenizer is that request's alone; a text of no tokens is told, and not computed."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from interlingua.served.service import Frame
from interlingua.served.text.batch_texts import BatchText, batch_texts
from interlingua.served.text.batches import CallLimits, cut_batch
from interlingua.served.text.sealed import SealedTokenizers
from interlingua.served.text.template import framed_tokenizer
from interlingua.served.text.text_request import TextRequest
from interlingua.served.text.tokenizer import TextTokenizer, Tokens

VOCABULARY = {"go": 0, "up": 1, "down": 2}


def words(unknown: str | None = None) -> TextTokenizer:
    """No specials; a word that is unknown is an error without a token for it; what is in brackets is dropped."""
    tokenizer = Tokenizer(models.WordLevel(VOCABULARY | ({unknown: 3} if unknown else {}), unk_token=unknown or "none"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.normalizer = normalizers.Replace("()", "")
    return framed_tokenizer(SealedTokenizers(tokenizer.to_str().encode()), 8, Frame())


def request(*texts: str) -> TextRequest:
    raw = [text.encode() for text in texts]
    return TextRequest.read("", ["text"], lambda _: raw, now=0, is_cancelled=bool, max_text_bytes=99)


def test_every_request_has_its_own_rows() -> None:
    late = TextRequest.read(
        '{"deadline_ms": 1}', ["text"], lambda _: [b"go"], now=9, is_cancelled=bool, max_text_bytes=9
    )
    requests = [request("go", "up down"), late, request("down go up")]
    texts = batch_texts(requests, words())
    assert [text.row.ids for text in texts] == [[0], [1, 2], [2, 0, 1]]
    assert [(one.first, one.tokens) for one in requests] == [(0, [1, 2]), (2, []), (2, [3])]
    assert [requests.index(text.request) for text in texts] == [0, 0, 2]


def test_a_text_that_the_tokenizer_fails_on_fails_alone() -> None:
    requests = [request("go up"), request("go", "sideways"), request("down")]
    texts = batch_texts(requests, words())
    assert [text.row.ids for text in texts] == [[0, 1], [2]]
    assert [one.error is None for one in requests] == [True, False, True]
    assert requests[1].error is not None
    assert requests[1].error.startswith("invalid text: the tokenizer cannot read it (")
    assert (requests[1].outcome, requests[2].first, requests[2].tokens) == ("invalid", 1, [1])


@pytest.mark.parametrize("nothing", ["()", " () () "])
def test_a_text_of_no_tokens_is_told(nothing: str) -> None:
    requests = [request("go up"), request("down", nothing), request("down")]
    texts = batch_texts(requests, words("?"))
    assert [text.row.ids for text in texts] == [[0, 1], [2]]
    assert requests[1].error == "invalid text: row 1 comes to no token that the model knows"
    assert requests[1].outcome == "invalid"
    assert cut_batch([len(text.row) for text in texts], alone=False, overhead=0.0, limits=CallLimits(8, 8, 1))


def test_a_text_over_and_over_is_a_call_of_known_size() -> None:
    text = BatchText(request("go"), Tokens((5, 6, 7), (0, 0, 1)))
    assert text.repeated(7) == Tokens((5, 6, 7, 5, 6, 7, 5), (0, 0, 1, 0, 0, 1, 0))
    assert text.repeated(2) == Tokens((5, 6), (0, 0))


def test_an_unknown_word_is_a_token_where_there_is_one_for_it() -> None:
    (text,) = batch_texts([request("go sideways")], words("?"))
    assert list(text.row.ids) == [0, 3]
