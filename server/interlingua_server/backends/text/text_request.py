"""One request to a service: its texts, checked, and what becomes of them.

parameters, BYTES tensors --read--> TextRequest: texts (or pairs), or the error that its client is told
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import triton_python_backend_utils as pb_utils


class _BadTextError(ValueError):
    """The caller's text cannot be processed."""


@dataclass
class TextRequest:
    """One request on its way through.

    Attributes:
        deadline: Unix seconds after which an answer is worthless; None where there is none.
        wait_s: from the client's sending to the start of this batch, by both clocks.
        wanted: outputs to return.
        texts: single texts, or pairs.
        error: why there is no answer; None while there may be one.
        invalid: whether the error is the caller's.
        first: its first row in the batch.
        tokens: of each text, before truncation.
    """

    deadline: float | None
    wait_s: float
    wanted: list[str]
    texts: list[Any] = field(default_factory=list)
    error: str | None = None
    invalid: bool = False
    first: int = 0
    tokens: list[int] = field(default_factory=list)

    @classmethod
    def read(cls, request: Any, now: float, inputs: Sequence[str], max_text_bytes: int) -> TextRequest:
        """A request of Triton's as it arrives; one that cannot be answered has its error already.

        Args:
            now: Unix seconds.
            inputs: names of the tensors with texts: one, or the two of a pair.
        """
        parameters = json.loads(request.parameters() or "{}")
        deadline, sent = parameters.get("deadline_ms"), parameters.get("sent_us")
        made = cls(
            deadline=None if deadline is None else int(deadline) / 1e3,
            wait_s=0.0 if sent is None else max(now - int(sent) / 1e6, 0.0),
            wanted=list(request.requested_output_names()),
        )
        if request.is_cancelled():
            made.fail("cancelled: the client is gone")
        elif made.deadline is not None and now >= made.deadline:
            made.fail(f"deadline: passed {1e3 * (now - made.deadline):.0f} ms before the work began")
        else:
            try:
                columns = [_column(request, name, max_text_bytes) for name in inputs]
                made.texts = columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))
            except _BadTextError as error:
                made.fail(f"invalid text: {error}", invalid=True)
        return made

    def fail(self, reason: str, *, invalid: bool = False) -> None:
        self.error, self.invalid, self.texts = reason, invalid, []

    def late(self) -> bool:
        """Whether its deadline is what it failed by."""
        return self.error is not None and self.error.startswith("deadline")


def _column(request: Any, name: str, max_text_bytes: int) -> list[str]:
    values = pb_utils.get_input_tensor_by_name(request, name).as_numpy().reshape(-1)
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
