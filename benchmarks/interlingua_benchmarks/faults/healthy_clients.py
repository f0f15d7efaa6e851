"""Clients who do nothing wrong, while something is done to their server.

the answers before the fault -> each client asks in turn, for as long as it lasts -> right, wrong, or an error
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from interlingua_client.triton.inference import InferenceClient

PATIENCE_S = 300.0  # a busy machine takes a minute and more to start a server

_QUESTIONS = (
    "Where is my parcel?",
    "Wie setze ich mein Passwort zurück?",
    "ログインできません。",
    "How long does a refund take?",
)
_DOCUMENTS = (
    "Parcels wait ten days at the post office.",
    "Ein neues Passwort gibt es über die Anmeldeseite.",
    "ログイン画面で「パスワードを忘れた場合」を選びます。",
    "Refunds are paid within five working days.",
)
_KINDS = ("embed_query", "embed_document", "rerank")

Values = npt.NDArray[np.float32]


class Question(NamedTuple):
    """One request: a kind, and the text that it turns on."""

    kind: str
    place: int

    def answer(self, client: InferenceClient) -> Values:
        question = _QUESTIONS[self.place]
        if self.kind == "rerank":
            return client.rerank(question, _DOCUMENTS).scores
        if self.kind == "embed_query":
            return client.embed([question], "query").vectors.ravel()
        return client.embed([_DOCUMENTS[self.place]], "document").vectors.ravel()


class HealthyClients:
    """A context manager: so many threads, each with a connection of its own, ask until it ends.

    Attributes:
        answered: right answers, by kind.
        wrong: answers that were another's, or off; in words.
        errors: what clients were told instead of an answer, with the seconds from the beginning.
        longest_s: the longest that somebody waited for an answer.
    """

    def __init__(self, address: str, number: int, *, patience_s: float = PATIENCE_S) -> None:
        """Asks everything once, for the answers that are right."""
        self._address, self._patience_s = address, patience_s
        with InferenceClient.connect(address) as client:
            kinds = _KINDS if client.services.rerank else _KINDS[:2]
            self._asks = [Question(kind, place) for kind in kinds for place in range(len(_QUESTIONS))]
            self._right = {ask: ask.answer(client) for ask in self._asks}
        self.answered: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.errors: list[tuple[float, str]] = []
        self.longest_s = 0.0
        self._over, self._lock = threading.Event(), threading.Lock()
        self._began = time.monotonic()
        self._by_thread: Counter[int] = Counter()
        self._threads = [threading.Thread(target=self._ask_on, args=(n,), daemon=True) for n in range(number)]

    def __enter__(self) -> HealthyClients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._over.set()
        for thread in () if kind else self._threads:  # they may wait long for a server that is no more
            thread.join()

    def go_on(self, wait_until: Callable[[Callable[[], bool]], None]) -> None:
        """Wait until each client has asked everything once more."""
        wanted = {n: self._by_thread[n] + len(self._asks) for n in range(len(self._threads))}
        wait_until(lambda: all(self._by_thread[n] >= number for n, number in wanted.items()))

    def ask_once(self) -> None:
        """Ask everything, here and now, as a client who has just come."""
        with InferenceClient.connect(self._address, patience_s=self._patience_s) as client:
            for ask in self._asks:
                self._ask(client, ask)

    def facts(self) -> dict[str, object]:
        return {
            "answered": dict(self.answered),
            "wrong": self.wrong,
            "errors": dict(Counter(message for _, message in self.errors)),
            "longest_wait_s": round(self.longest_s, 2),
        }

    def _ask_on(self, number: int) -> None:
        with InferenceClient.connect(self._address, patience_s=self._patience_s) as client:
            turn = number
            while not self._over.is_set():
                self._ask(client, self._asks[turn % len(self._asks)])
                self._by_thread[number] += 1
                turn += 1

    def _ask(self, client: InferenceClient, ask: Question) -> None:
        began = time.monotonic()
        try:
            fault = self._compared(ask, ask.answer(client))
        except Exception as error:
            with self._lock:
                self.errors.append((began - self._began, f"{type(error).__name__}: {error}"))
            return
        with self._lock:
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            self.answered[ask.kind] += 1
            self.wrong += [fault] if fault else []

    def _compared(self, ask: Question, values: Values) -> str:
        """What is wrong with an answer: it is to be nearest to its own, and near to that, whatever the precision."""
        of_kind = [(other, right) for other, right in self._right.items() if other.kind == ask.kind]
        distances = {other: float(np.linalg.norm(values - right)) for other, right in of_kind}
        own, apart = distances[ask], min(gap for other, gap in distances.items() if other != ask)
        return "" if own < 0.5 * apart else f"{ask} is {own:.3g} from its answer, {apart:.3g} from another's"
