"""Asks a running service its question now and then, and tells one that is busy from one that is stuck.

    every 10 s: canary question in a thread of its own --answer--> right, full, wrong, an error
    no answer yet --has the service or its network done anything meanwhile?--> yes: busy; not for 30 s: stuck

Done is CPU time of the processes that the question goes through, or a request that Triton counts as executed: never
the clock alone, so that a machine with too much to do is waited for.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.served.watch.canary import CanaryQuestion, WrongAnswerError, differs
from interlingua.served.watch.local_http import AnswerError, LocalTriton
from interlingua.served.watch.progress import CpuProgress, cpu_seconds_of
from interlingua.served.watch.stopped import STOPPED_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua.served.watch.stubs import Stub

_STEP_S = 0.2  # CPU time of stubs that counts as work; theirs at rest is some milliseconds a minute
_SERVER_SHARE = 0.2  # a second of tritonserver's, which does something at rest too, counts as much
_ASK_S = 600.0
_COUNT_S = 1.0
_AGAIN_S = 2.0
_FAILURES = 2


@dataclass(frozen=True)
class Patience:
    """How often services are asked, and what they may take.

    Attributes:
        every_s: between an answer and the next question.
        silent_s: without an answer and without work, before a service counts as stuck.
        stopped_s: how long a process may be stopped (SIGSTOP) before that is mended.
    """

    every_s: float = 10.0
    silent_s: float = 30.0
    stopped_s: float = STOPPED_S


@dataclass(frozen=True)
class Trouble:
    """What is wrong with a service.

    Attributes:
        model: to be loaded again.
        silent: it does not answer, so its processes have to be ended first.
    """

    service: str
    model: str
    what: str
    silent: bool = False


class ServiceAsker:
    """Asks one service of one Triton, as long as nothing of it is started again."""

    def __init__(self, triton: LocalTriton, service: str, server: int, patience: Patience) -> None:
        """`server`: tritonserver's process."""
        self.service = service
        self.answered = False
        self._triton, self._server, self._patience = triton, server, patience
        self._thread: threading.Thread | None = None
        self._question: CanaryQuestion | None = None
        self._first: dict[int, Sequence[float]] = {}
        self._failure: Exception | None = None
        self._failures = 0
        self._next = time.monotonic()

    def look(self, stubs: Sequence[Stub]) -> Trouble | None:
        """Go on asking; what is wrong, once that is sure."""
        if self._thread is None:
            if time.monotonic() >= self._next:
                self._begin(stubs)
            return None
        if self._thread.is_alive():
            if self._progress.stalled_s() <= self._patience.silent_s:
                return None
            silent = f"gives no answer, and did nothing for {self._patience.silent_s:.0f} s"
            return Trouble(self.service, self.service, silent, silent=True)
        self._thread = None
        self._failures = self._failures + 1 if self._failure else 0
        self.answered = self.answered or not self._failure
        pause_s = self._patience.every_s
        self._next = time.monotonic() + (min(_AGAIN_S, pause_s) if self._failure else pause_s)
        if self._failures < _FAILURES or self._failure is None:
            return None
        of_network = self._question is not None and str(self._failure).startswith("network")
        model = self._question.network if self._question and of_network else self.service
        return Trouble(self.service, model, f"answers a plain question with an error ({self._failure})")

    def _begin(self, stubs: Sequence[Stub]) -> None:
        done = 0

        def work() -> float:
            nonlocal done
            models = {self.service, self._question.network if self._question else self.service}
            pids = [stub.pid for stub in stubs if stub.model in models]
            inside = models - {stub.model for stub in stubs}  # a network of a C++ backend: tritonserver computes it
            of_server = _SERVER_SHARE * cpu_seconds_of([self._server]) if inside else 0.0
            done = max(done, sum(_executions(self._triton, model) for model in models))
            return cpu_seconds_of(pids) + of_server + _STEP_S * done

        self._progress = CpuProgress(work, _STEP_S)
        self._thread = threading.Thread(target=self._ask, name=f"ask {self.service}", daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        try:
            self._question = CanaryQuestion.of(self._triton, self.service)
            answer = self._question.answer(self._triton, _ASK_S)
            if answer and differs(answer, self._first.setdefault(self._question.version, answer)):
                raise WrongAnswerError(f"{self.service}: another answer to the same text than at the start")
        except (AnswerError, WrongAnswerError) as error:
            self._failure = error
        else:
            self._failure = None


def _executions(triton: LocalTriton, model: str) -> int:
    """Requests that Triton has answered for a model, well or with an error; 0 where it does not say."""
    try:
        stated = triton.ask(f"/v2/models/{model}/stats", timeout_s=_COUNT_S).get("model_stats")
    except AnswerError:
        return 0
    total = 0
    for version in stated if isinstance(stated, list) else []:
        for outcome in ("success", "fail"):
            total += int(version["inference_stats"][outcome]["count"])
    return total
