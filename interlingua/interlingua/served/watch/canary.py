"""Questions whose answers show that a service works: a short text through service and network, and what came back.

    LocalTriton.ask --> services, versions, widths --> CanaryQuestion --answer--> finite, of the right width, as before

A service that is full says so (UNAVAILABLE): it lives, and that is an answer too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from interlingua.served.graph_names import EMBEDDING, SCORE, TOKENS
from interlingua.served.model_config import parameters_of
from interlingua.served.promotion import Promotion
from interlingua.served.service import (
    EMBED_DOCUMENT,
    EMBED_QUERY,
    ENCODE_DOCUMENT_TOKENS,
    ENCODE_QUERY_TOKENS,
    RERANK,
    ServiceSpec,
)
from interlingua.served.watch.local_http import AnswerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from interlingua.served.model_config import TritonConfig
    from interlingua.served.watch.local_http import LocalTriton

TEXT = "Where is my parcel?"
DOCUMENT = "The parcel is at the post office."
QUESTIONS = {
    EMBED_QUERY: {"text": TEXT},
    EMBED_DOCUMENT: {"text": TEXT},
    RERANK: {"query": TEXT, "document": DOCUMENT},
    ENCODE_QUERY_TOKENS: {"text": TEXT},
    ENCODE_DOCUMENT_TOKENS: {"text": TEXT},
}
"""The services of ours, and the text of each of their inputs."""
# Token vectors are no numbers in JSON: that they are computed shows in the count, and `rerank` shows what they are.
_OUTPUTS = {RERANK: SCORE, ENCODE_QUERY_TOKENS: TOKENS, ENCODE_DOCUMENT_TOKENS: TOKENS}
FULL = ("overloaded:", "deadline:")
_FIRST_S = 30.0  # for a question that measures the network first
_TOLERANCE = 0.02  # of a value against the largest: other neighbours in a batch, int8


class WrongAnswerError(Exception):
    """A service answers, and not as it has to; the message begins with its name."""


@dataclass(frozen=True)
class CanaryQuestion:
    """What one version of a service is asked.

    Attributes:
        network: the model that computes it.
        width: values that its answer has.
    """

    service: str
    version: int
    network: str
    width: int

    @classmethod
    def of(cls, triton: LocalTriton, service: str) -> CanaryQuestion:
        """The question of the version that clients ask. Raises AnswerError; WrongAnswerError: not as we publish it."""
        parameters = parameters_of(cast("TritonConfig", triton.ask(f"/v2/models/{service}/config")))
        loaded = triton.ask(f"/v2/models/{service}").get("versions")
        try:
            numbers = [int(str(one)) for one in loaded] if isinstance(loaded, list) else []
            version = Promotion.from_parameters(parameters).current or max(numbers)
            spec = ServiceSpec.from_parameters(parameters, version)
        except (KeyError, ValueError) as error:
            raise WrongAnswerError(f"{service}: not as `interlingua export` writes it ({error!r})") from error
        return cls(service, version, spec.network, 1 if service in _OUTPUTS else spec.dimension)

    def answer(self, triton: LocalTriton, timeout_s: float) -> tuple[float, ...] | None:
        """The values; None where the service is full. Raises AnswerError, WrongAnswerError."""
        try:
            answer = _asked(triton, self.service, self.version, timeout_s)
        except AnswerError as error:
            if str(error).startswith(FULL):
                return None
            raise
        return self._checked(answer)

    def _checked(self, answer: Mapping[str, object]) -> tuple[float, ...]:
        outputs, wanted = answer.get("outputs"), _output(self.service)
        found = [one for one in outputs if _is_of(one, wanted)] if isinstance(outputs, list) else []
        values = found[0].get("data") if found else None
        if not isinstance(values, list) or len(values) != self.width:
            raise WrongAnswerError(f"{self.service}: its answer has not the {self.width} values of {wanted}")
        if not all(isinstance(value, int | float) and math.isfinite(value) for value in values):
            raise WrongAnswerError(f"{self.service}: its answer has values that are no finite numbers")
        return tuple(map(float, values))


def ask_first(triton: LocalTriton, service: str) -> None:
    """Have each version of a service measure its network, so that no user's request waits for that.

    A version that does not answer tells whoever asks it why.
    """
    if service not in QUESTIONS:
        return
    with suppress(AnswerError):  # it is not loaded
        for version in cast("list[str]", triton.ask(f"/v2/models/{service}").get("versions", [])):
            with suppress(AnswerError):
                _asked(triton, service, version, _FIRST_S)


def differs(answer: Sequence[float], first: Sequence[float]) -> bool:
    """Whether a version answers the same question otherwise than at first."""
    scale = max(max(map(abs, first)), 1e-3)
    return any(abs(one - other) > _TOLERANCE * scale for one, other in zip(answer, first))  # noqa: B905 - equal widths


def served(triton: LocalTriton) -> list[str]:
    """The services that a Triton has loaded, of those of ours. Raises AnswerError: nobody answers."""
    return [name for name in QUESTIONS if _is_loaded(triton, name)]


def ask_all(triton: LocalTriton, wanted: Iterable[str], timeout_s: float) -> str:
    """Ask each service its question, and say in a line what came. Raises AnswerError, WrongAnswerError."""
    said = []
    for name in wanted:
        try:
            question = CanaryQuestion.of(triton, name)
            answer = question.answer(triton, timeout_s)
        except AnswerError as error:
            raise AnswerError(error.status, f"{name}: {error}") from error
        said.append(f"{name} {'is full' if answer is None else 'answers'}")
    return ", ".join(said)


def _asked(triton: LocalTriton, service: str, version: object, timeout_s: float) -> dict[str, object]:
    inputs = [
        {"name": name, "shape": [1, 1], "datatype": "BYTES", "data": [text]}
        for name, text in QUESTIONS[service].items()
    ]
    body: dict[str, object] = {"inputs": inputs, "outputs": [{"name": _output(service)}]}
    return triton.ask(f"/v2/models/{service}/versions/{version}/infer", body, timeout_s=timeout_s)


def _output(service: str) -> str:
    return _OUTPUTS.get(service, EMBEDDING)


def _is_loaded(triton: LocalTriton, service: str) -> bool:
    try:
        triton.ask(f"/v2/models/{service}/ready")
    except AnswerError as error:
        if error.status:
            return False
        raise
    return True


def _is_of(output: object, name: str) -> bool:
    return isinstance(output, Mapping) and output.get("name") == name
