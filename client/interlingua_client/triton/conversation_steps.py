"""What a client may have to do to go on with its conversation (conversation.py), and what comes back.

step --carried out by a blocking or an asyncio client--> reply
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    import numpy.typing as npt

    from interlingua_client.deadline import Deadline
    from interlingua_client.embedder import IntArray
    from interlingua_client.triton.services import PinnedService

_T = TypeVar("_T")

ANSWER_WITHIN_S = 300.0
_FILLING = "x"


class Call(NamedTuple):
    """One inference request.

    Attributes:
        columns: texts by input name, all of one length.
        outputs: names of what is asked for; none for all that there is.
    """

    service: PinnedService
    columns: Mapping[str, Sequence[str]]
    outputs: frozenset[str] = frozenset()

    @property
    def size(self) -> int:
        return len(next(iter(self.columns.values())))

    def alone(self) -> Call:
        """The same texts in a request that fills a batch: Triton puts nobody else's into that."""
        filling = [_FILLING] * (self.service.max_batch - self.size)
        return self._replace(columns={name: [*texts, *filling] for name, texts in self.columns.items()})


class Answer(NamedTuple):
    """What came back for one request.

    Attributes:
        values: float32 [n, D], or [n, 1] of a reranker; TokenVectors [n] of a service that encodes one side; [n, 0]
            where tokens alone were asked for.
        tokens: int64 [n], before truncation.
        stages_s: seconds in the queue, tokenizing and computing; None where the server does not say.
    """

    values: npt.NDArray[Any]
    tokens: IntArray
    stages_s: tuple[float, float, float] | None

    def first(self, size: int) -> Answer:
        """Leave all but the first texts out."""
        return Answer(self.values[:size], self.tokens[:size], self.stages_s)


class ReadConfig(NamedTuple):
    """Step: a model's configuration; the reply is a ModelConfig."""

    model: str
    timeout_s: float


class AskReady(NamedTuple):
    """Step: whether a version of a model is ready; the reply is a bool."""

    model: str
    version: int
    timeout_s: float


class AskServerReady(NamedTuple):
    """Step: whether a server has loaded all of its models; the reply is a bool."""

    timeout_s: float


class Infer(NamedTuple):
    """Step: an inference request; the reply is an Answer.

    Attributes:
        clock_s: what the server's clock is ahead of ours.
    """

    call: Call
    deadline: Deadline | None
    timeout_s: float
    clock_s: float = 0.0


class Pause(NamedTuple):
    """Step: let some time pass; there is no reply."""

    seconds: float


Step = ReadConfig | AskReady | AskServerReady | Infer | Pause
Steps = Generator[Step, Any, _T]


def time_left(deadline: Deadline | None) -> float:
    """Seconds that a server has for an answer. Raises DeadlineExceededError: none are left."""
    if deadline is None:
        return ANSWER_WITHIN_S
    return min(deadline.require_time("the request was sent"), ANSWER_WITHIN_S)
