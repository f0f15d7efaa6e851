"""Values kept by key within a budget, of bytes mostly; the one that was asked for longest ago goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class BoundedCache(Generic[_K, _V]):
    """Safe to use from several threads; two may make the same value, and one of it is kept."""

    def __init__(self, budget: int, weigh: Callable[[_V], int]) -> None:
        """`budget`, as `weigh` counts of a value, always the same; keys are not weighed and have to be short."""
        self._budget, self._weigh = budget, weigh
        self._values: OrderedDict[_K, _V] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()

    def get(self, key: _K, make: Callable[[], _V]) -> _V:
        """The value of a key, made where it is not there; what is heavier than the budget is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        made = make()
        weight = self._weigh(made)
        with self._lock:
            if key not in self._values and weight <= self._budget:
                self._values[key] = made
                self._held += weight
                while self._held > self._budget:
                    self._held -= self._weigh(self._values.popitem(last=False)[1])
        return made
