"""What becomes of a request before anything is computed, and the rectangle that is."""

from __future__ import annotations

import json
import math

import pytest

from interlingua.served.graph_names import ATTENTION_MASK, INPUT_IDS
from interlingua.served.text.collate import collate
from interlingua.served.text.text_request import TextRequest
from interlingua.served.text.tokenizer import Tokens

NOW = 1000.0  # Unix seconds


def read(*texts: bytes, cancelled: bool = False, **parameters: object) -> TextRequest:
    columns = {"query": [b"q"] * len(texts), "document": texts}
    return TextRequest.read(
        json.dumps(parameters),
        list(columns),
        columns.__getitem__,
        now=NOW,
        is_cancelled=lambda: cancelled,
        max_text_bytes=8,
        longest_wait_s=10,
    )


def test_a_sound_pair() -> None:
    made = read(b"d", "é".encode(), deadline_ms=1_000_500, sent_us=999_750_000)
    assert made.texts == [("q", "d"), ("q", "é")]
    assert (made.error, made.deadline, made.wait_s) == (None, 1000.5, 0.25)
    assert read(b"d").deadline == math.inf


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"123456789", "document[1] has 9 bytes, this service takes at most 8"),
        (b"ab\xff", "document[1] is not valid UTF-8 at byte 2"),
        (b"a\0", "document[1] holds a NUL character at position 1"),
        (b" \n", "document[1] is empty"),
    ],
    ids=["long", "encoding", "NUL", "blank"],
)
def test_a_bad_text_is_the_callers_fault(text: bytes, reason: str) -> None:
    made = read(b"fine", text)
    assert made.error is not None
    assert reason in made.error
    assert (made.outcome, made.texts) == ("invalid", [])


def test_what_is_late_or_cancelled_is_not_read() -> None:
    made = read(b" ", deadline_ms=999_900)
    told = "deadline: passed 100 ms before the work began (server's clock: 1000000)"
    assert (made.error, made.outcome) == (told, "late")
    gone = read(b" ", cancelled=True)
    assert (gone.error, gone.outcome) == ("cancelled: the client is gone", "cancelled")


def test_a_request_without_a_deadline_does_not_wait_for_ever() -> None:
    assert read(b"d", sent_us=990_500_000).error is None
    assert read(b"d", sent_us=989_500_000, deadline_ms=1_000_001).error is None
    late = read(b"d", sent_us=989_500_000)
    assert late.outcome == "late"
    assert late.error is not None
    assert "none was stated, and it waited 10.5 s, more than 10" in late.error


@pytest.mark.parametrize("off_s", [-900.0, -61.0, 0.001, 3600.0])
def test_a_clock_that_cannot_be_right_leaves_the_time_between_its_stamps(off_s: float) -> None:
    sent = NOW + off_s
    made = read(b"d", sent_us=1e6 * sent, deadline_ms=1e3 * sent + 2000)
    assert made.error is None
    assert made.deadline == pytest.approx(NOW + 2)
    assert made.wait_s == 0


def test_a_deadline_before_the_sending_is_taken_as_it_stands() -> None:
    assert read(b"d", sent_us=9e9, deadline_ms=2e6).deadline == 2000


def test_a_clock_that_is_off_by_less_than_a_queue_may_take_is_told_the_servers() -> None:
    sent = NOW - 5
    made = read(b"d", sent_us=1e6 * sent, deadline_ms=1e3 * sent + 2000)
    assert made.error == "deadline: passed 3000 ms before the work began (server's clock: 1000000)"


def test_what_takes_longer_than_is_left_is_shed_and_what_is_over_is_late() -> None:
    made = read(b"d", deadline_ms=1_000_500)
    assert made.is_awaited(NOW, seconds=0.4)
    assert not made.is_awaited(NOW, seconds=0.6)
    assert made.outcome == "shed"
    answered = read(b"d", deadline_ms=1_000_500)
    answered.require_time(NOW + 0.75, "passed {:.0f} ms before the answer was there")
    told = "deadline: passed 250 ms before the answer was there (server's clock: 1000750)"
    assert (answered.error, answered.outcome) == (told, "late")


@pytest.mark.parametrize("name", ["deadline_ms", "sent_us"])
@pytest.mark.parametrize(
    "value",
    [
        *("500ms", "abc", "", " 5", "+5", "1_000", "1e30", "nan", "9" * 5000, "\u0663", "5.0"),
        *(True, False, None, [], [5], {"ms": 5}, -1, -0.5, -(2**63), 2**63 - 1, 10**4000, 1e30),
        *(math.nan, math.inf, -math.inf),
    ],
    ids=lambda value: f"{type(value).__name__}-{value!r:.12}",
)
def test_a_time_that_is_none_is_the_callers_fault(name: str, value: object) -> None:
    made = read(b"d", **{name: value})
    assert made.error is not None
    assert made.error.startswith(f"invalid parameter: {name} is ")
    assert len(made.error) < 160
    assert (made.outcome, made.texts) == ("invalid", [])


@pytest.mark.parametrize("value", [2_000_000, "2000000", 2e6], ids=["whole", "decimal digits", "a double of JSON"])
def test_a_time_may_come_in_the_ways_that_clients_write_numbers(value: object) -> None:
    assert read(b"d", deadline_ms=value).deadline == 2000
    assert read(b"d", sent_us=value).error is None


def test_a_time_of_the_future_has_not_been_waited_for() -> None:
    assert read(b"d", sent_us=2_000_000_000).wait_s == 0


@pytest.mark.parametrize("parameters", ['{"a": ' + "9" * 5000 + "}", "not JSON", "[1", "7"])
def test_parameters_that_cannot_be_read_are_the_requests_fault(parameters: str) -> None:
    made = TextRequest.read(parameters, ["text"], lambda _: [b"d"], now=NOW, is_cancelled=bool, max_text_bytes=8)
    assert (made.outcome, made.texts) == ("invalid", [])


def test_what_cannot_be_fetched_is_the_requests_fault() -> None:
    def column(name: str) -> list[bytes]:
        raise RuntimeError(f"{name} is away")

    made = TextRequest.read("", ["text"], column, now=NOW, is_cancelled=bool, max_text_bytes=8)
    assert (made.error, made.outcome) == ("invalid request: text is away", "invalid")


def test_sides_that_make_no_pairs_are_the_requests_fault() -> None:
    columns = {"query": [b"q"], "document": [b"d", b"e"]}
    made = TextRequest.read("", list(columns), columns.__getitem__, now=NOW, is_cancelled=bool, max_text_bytes=8)
    assert (made.error, made.outcome) == ("invalid text: 1 queries and 2 documents make no pairs", "invalid")


@pytest.mark.parametrize(("side", "ids"), [("left", [[0, 5], [6, 7]]), ("right", [[5, 0], [6, 7]])])
def test_the_mask_says_which_tokens_are_real(side: str, ids: list[list[int]]) -> None:
    rows = [Tokens((5,), (0,)), Tokens((6, 7), (0, 1))]
    batch = collate(rows, (ATTENTION_MASK, INPUT_IDS), pad_token_id=0, padding_side=side)
    assert list(batch) == [ATTENTION_MASK, INPUT_IDS]
    assert batch[INPUT_IDS].tolist() == ids
    assert batch[ATTENTION_MASK].tolist() == [[int(value > 0) for value in row] for row in ids]
