"""Tokens of many small texts: those that nobody can count have none, and each is asked for once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from interlingua.served.text.normal_form import normal_form
from interlingua_client.storable_text import storable

Count = Callable[[list[str]], list[int]]
"""Tokens of each text alone, without what a service puts around it."""


class TokenCounts:
    """What was counted so far."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._known: dict[str, int] = {}

    def learn(self, texts: Iterable[str]) -> None:
        """Count those that are not known, in one call."""
        new = {text: storable(text) for text in texts if text not in self._known}
        sent = {text: as_sent for text, as_sent in new.items() if normal_form(as_sent).strip()}
        self._known |= dict.fromkeys(new, 0)
        if sent:
            self._known |= zip(sent, self._count(list(sent.values())), strict=True)

    def __getitem__(self, text: str) -> int:
        return self._known[text]
