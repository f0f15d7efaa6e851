"""One request to a service: its texts, checked, and what becomes of them.

parameters, bytes of each input --read--> TextRequest: texts (or pairs), or the error that its client is told
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from interlingua.served.text.normal_form import normal_form
from interlingua.served.text.outcomes import late_message
from interlingua.served.text.request_times import RequestTimes, times_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from interlingua.served.text.outcomes import Outcome
    from interlingua.served.text.tokenizer import Text


class _BadRequestError(ValueError):
    """What the caller sent cannot be processed: of which kind it is, and what is wrong with it."""


@dataclass(kw_only=True)
class TextRequest:
    """One request on its way through.

    Attributes:
        deadline, wait_s: as `RequestTimes`.
        texts: single texts, or pairs, in their normal form.
        pairs: where query and document of each pair stand in `texts`; empty where a text is a whole.
        is_cancelled: asks whether its client is gone.
        error: why there is no answer; None while there may be one.
        outcome: what became of it, for the counters.
        first: its first row in the batch.
        tokens: of each text, or pair, before truncation.
        truncated: how many texts lost some.
        is_count: whether nothing but the number of its texts' own tokens is asked for.
    """

    deadline: float = math.inf
    wait_s: float = 0.0
    texts: list[Text] = field(default_factory=list)
    is_cancelled: Callable[[], bool] = lambda: False
    error: str | None = None
    outcome: Outcome = "answered"
    first: int = 0
    tokens: list[int] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    truncated: int = 0
    is_count: bool = False

    @classmethod
    def read(
        cls,
        parameters: str,
        inputs: Sequence[str],
        column: Callable[[str], Iterable[bytes]],
        *,
        now: float,
        is_cancelled: Callable[[], bool],
        max_text_bytes: int,
        longest_wait_s: float = 0.0,
        is_count: bool = False,
    ) -> TextRequest:
        """A request as it arrives; one that cannot be answered has its error already.

        Args:
            parameters: the request's, as JSON.
            inputs: names of those with texts: one, or the two of a pair.
            column: the texts of an input by its name, as UTF-8.
            now: Unix seconds.
            longest_wait_s: of a request that states no deadline, as far as it says when it was sent; 0 for any.
        """
        made = cls(is_cancelled=is_cancelled, is_count=is_count)
        try:
            made.deadline, made.wait_s = _times(parameters, now)
            if made.deadline == math.inf and made.wait_s > longest_wait_s > 0:
                waited = f"none was stated, and it waited {made.wait_s:.1f} s, more than {longest_wait_s:g}"
                made.fail(late_message(waited, now), "late")
            if made.is_awaited(now):
                made.texts = _texts([_column(name, column(name), max_text_bytes) for name in inputs])
        except _BadRequestError as error:
            made.fail("invalid {}: {}".format(*error.args), "invalid")
        except Exception as error:  # whatever Triton's binding raises is this request's, not the batch's
            made.fail(f"invalid request: {error}", "invalid")
        return made

    def fail(self, reason: str, outcome: Outcome = "failed") -> None:
        self.error, self.outcome, self.texts = reason, outcome, []

    def is_awaited(self, now: float, seconds: float = 0.0) -> bool:
        """Whether somebody waits for an answer that takes so many seconds more; if not, it has failed."""
        if self.error is None:
            if self.is_cancelled():
                self.fail("cancelled: the client is gone", "cancelled")
            else:
                self.require_time(now, "passed {:.0f} ms before the work began", seconds)
        return self.error is None

    def require_time(self, now: float, passed: str, seconds: float = 0.0) -> None:
        """Fail where the deadline has passed, which `passed` says with its milliseconds, or will have in `seconds`."""
        if now >= self.deadline:
            self.fail(late_message(passed.format(1e3 * (now - self.deadline)), now), "late")
        elif now + seconds > self.deadline:
            self.shed(now)

    def shed(self, now: float) -> None:
        self.fail(late_message("it cannot be met under the present load", now), "shed")


def _times(parameters: str, now: float) -> RequestTimes:
    try:
        stated = json.loads(parameters or "{}")
    except ValueError as error:  # a number of 5,000 digits, say
        raise _BadRequestError("parameter", f"the request's parameters cannot be read ({error})") from None
    try:
        return times_of(stated, now)
    except ValueError as error:
        raise _BadRequestError("parameter", str(error)) from None


def _texts(columns: list[list[str]]) -> list[Text]:
    if len(columns) == 1:
        return list(columns[0])
    queries, documents = columns
    if len(queries) != len(documents):
        raise _BadRequestError("text", f"{len(queries)} queries and {len(documents)} documents make no pairs")
    return list(zip(queries, documents, strict=True))


def _column(name: str, values: Iterable[bytes], max_text_bytes: int) -> list[str]:
    return [_text(value, f"{name}[{row}]", max_text_bytes) for row, value in enumerate(values)]


def _text(value: bytes, where: str, max_text_bytes: int) -> str:
    if len(value) > max_text_bytes:
        raise _BadRequestError(
            "text",
            f"{where} has {len(value)} bytes, this service takes at most {max_text_bytes}: split it into passages",
        )
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _BadRequestError("text", f"{where} is not valid UTF-8 at byte {error.start}") from None
    if "\0" in text:
        raise _BadRequestError("text", f"{where} holds a NUL character at position {text.index(chr(0))}")
    if not (text := normal_form(text)).strip():
        raise _BadRequestError("text", f"{where} is empty")
    return text
