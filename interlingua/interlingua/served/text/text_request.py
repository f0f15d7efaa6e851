"""One request to a service: its texts, checked, and what becomes of them.

parameters, bytes of each input --read--> TextRequest: texts (or pairs), or the error that its client is told
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from interlingua.served.graph_names import DEADLINE, SENT
from interlingua.served.text.normal_form import normal_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from interlingua.served.text.tokenizer import Text


_YEAR_10000 = 253_402_300_800  # Unix seconds; a clock that says more counts in another unit
_SHOWN = 40  # characters of a value, in a message


class _BadRequestError(ValueError):
    """What the caller sent cannot be processed: of which kind it is, and what is wrong with it."""


@dataclass(kw_only=True)
class TextRequest:
    """One request on its way through.

    Attributes:
        deadline: Unix seconds after which an answer is worthless; infinite where there is none.
        wait_s: from the client's sending to the start of this batch, by both clocks.
        texts: single texts, or pairs, in their normal form.
        error: why there is no answer; None while there may be one.
        invalid: whether the error is the caller's.
        first: its first row in the batch.
        tokens: of each text, before truncation.
    """

    deadline: float = math.inf
    wait_s: float = 0.0
    texts: list[Text] = field(default_factory=list)
    error: str | None = None
    invalid: bool = False
    first: int = 0
    tokens: list[int] = field(default_factory=list)

    @classmethod
    def read(
        cls,
        parameters: str,
        inputs: Sequence[str],
        column: Callable[[str], Iterable[bytes]],
        *,
        now: float,
        cancelled: bool,
        max_text_bytes: int,
    ) -> TextRequest:
        """A request as it arrives; one that cannot be answered has its error already.

        Args:
            parameters: the request's, as JSON.
            inputs: names of those with texts: one, or the two of a pair.
            column: the texts of an input by its name, as UTF-8.
            now: Unix seconds.
        """
        made = cls()
        try:
            deadline, sent = _times(parameters)
            made.deadline = math.inf if deadline is None else deadline
            made.wait_s = 0.0 if sent is None else max(now - sent, 0.0)
            if cancelled:
                made.fail("cancelled: the client is gone")
            elif now >= made.deadline:
                made.fail(f"deadline: passed {1e3 * (now - made.deadline):.0f} ms before the work began")
            else:
                made.texts = _texts([_column(name, column(name), max_text_bytes) for name in inputs])
        except _BadRequestError as error:
            made.fail("invalid {}: {}".format(*error.args), invalid=True)
        except Exception as error:  # whatever Triton's binding raises is this request's, not the batch's
            made.fail(f"invalid request: {error}", invalid=True)
        return made

    def fail(self, reason: str, *, invalid: bool = False) -> None:
        self.error, self.invalid, self.texts = reason, invalid, []

    def late(self) -> bool:
        """Whether its deadline is what it failed by."""
        return self.error is not None and self.error.startswith("deadline")


def _times(parameters: str) -> tuple[float | None, float | None]:
    """When the answer has to be there, and when the request was sent, in Unix seconds; None where it is not said."""
    try:
        stated = json.loads(parameters or "{}")
    except ValueError as error:  # a number of 5,000 digits, say
        raise _BadRequestError("parameter", f"the request's parameters cannot be read ({error})") from None
    return _unix_time(stated, DEADLINE, "milliseconds", 1000), _unix_time(stated, SENT, "microseconds", 1_000_000)


def _unix_time(stated: Mapping[str, object], name: str, unit: str, per_second: int) -> float | None:
    if name not in stated:
        return None
    value, most = stated[name], _YEAR_10000 * per_second
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        number = float(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = value
    else:
        number = math.nan
    if not 0 <= number < most:
        shown = f"{value!r:.{_SHOWN}}"
        raise _BadRequestError("parameter", f"{name} is {shown}, not Unix {unit}: a number from 0 to {most - 1}")
    return number / per_second


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
