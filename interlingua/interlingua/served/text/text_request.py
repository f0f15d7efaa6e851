"""One request to a service: its texts, checked, and what becomes of them.

parameters, bytes of each input --read--> TextRequest: texts (or pairs), or the error that its client is told
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from interlingua.served.graph_names import DEADLINE, SENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from interlingua.served.text.tokenizer import Text


class _BadTextError(ValueError):
    """The caller's text cannot be processed."""


@dataclass(kw_only=True)
class TextRequest:
    """One request on its way through.

    Attributes:
        deadline: Unix seconds after which an answer is worthless; infinite where there is none.
        wait_s: from the client's sending to the start of this batch, by both clocks.
        texts: single texts, or pairs.
        error: why there is no answer; None while there may be one.
        invalid: whether the error is the caller's.
        first: its first row in the batch.
        tokens: of each text, before truncation.
    """

    deadline: float
    wait_s: float
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
        stated = json.loads(parameters or "{}")
        deadline, sent = stated.get(DEADLINE), stated.get(SENT)
        made = cls(
            deadline=math.inf if deadline is None else int(deadline) / 1e3,
            wait_s=0.0 if sent is None else max(now - int(sent) / 1e6, 0.0),
        )
        if cancelled:
            made.fail("cancelled: the client is gone")
        elif now >= made.deadline:
            made.fail(f"deadline: passed {1e3 * (now - made.deadline):.0f} ms before the work began")
        else:
            try:
                made.texts = _texts([_column(name, column(name), max_text_bytes) for name in inputs])
            except _BadTextError as error:
                made.fail(f"invalid text: {error}", invalid=True)
        return made

    def fail(self, reason: str, *, invalid: bool = False) -> None:
        self.error, self.invalid, self.texts = reason, invalid, []

    def late(self) -> bool:
        """Whether its deadline is what it failed by."""
        return self.error is not None and self.error.startswith("deadline")


def _texts(columns: list[list[str]]) -> list[Text]:
    if len(columns) == 1:
        return list(columns[0])
    queries, documents = columns
    return list(zip(queries, documents, strict=True))


def _column(name: str, values: Iterable[bytes], max_text_bytes: int) -> list[str]:
    return [_text(value, f"{name}[{row}]", max_text_bytes) for row, value in enumerate(values)]


def _text(value: bytes, where: str, max_text_bytes: int) -> str:
    if len(value) > max_text_bytes:
        raise _BadTextError(
            f"{where} has {len(value)} bytes, this service takes at most {max_text_bytes}: split it into passages"
        )
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _BadTextError(f"{where} is not valid UTF-8 at byte {error.start}") from None
    if "\0" in text:
        raise _BadTextError(f"{where} holds a NUL character at position {text.index(chr(0))}")
    if not text.strip():
        raise _BadTextError(f"{where} is empty")
    return text
