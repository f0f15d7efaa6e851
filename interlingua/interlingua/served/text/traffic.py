"""What the services of one server tell each other: who works for somebody that waits, who does bulk work, and what a
call to the network costs.

    service's process --its slot: since when--> a small file, mapped by all of them --> TrafficView: is anybody waiting?
                                                                                    --> CallCost, which one measured

Each process writes its own slot alone, and holds a lock on it that ends with the process. What a dead one left behind
in its slot grows old (precedence.py). Times are of the monotonic clock, which all processes of a machine share.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from interlingua.served.text.call_cost import CallCost
from interlingua.served.text.precedence import ALIVE_S, PRESENT_S, RECENT_S, TrafficView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

_SLOTS = 256
_SINCE, _SEEN, _BULK, _NETWORK, _VERSION, _CALL_S, _TOKEN_S, _CALLS = range(8)  # columns of a slot
_SHAPE = (_SLOTS, 8)
_BYTES = 8 * _SLOTS * 8


def join(folder: Path, network: str, version: int, warn: Callable[[str], None]) -> ServerTraffic:
    """A place in the traffic of the server that this process belongs to.

    Args:
        folder: for the file, which is named after the parent process; without the right to write there, the machine's
            folder for temporary files.
        warn: takes what goes wrong; this process then tells nobody, and hears nobody.
    """
    path = Path(folder if os.access(folder, os.W_OK) else gettempdir()) / f"interlingua-traffic-{os.getppid()}"
    try:
        return ServerTraffic(path, network, version)
    except OSError as error:
        warn(f"bulk work cannot know of queries: {path}: {error}")
        return ServerTraffic(None, network, version)


class ServerTraffic:
    """One process's slot, and a view of all slots."""

    def __init__(
        self, path: Path | None, network: str, version: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take a free slot of the file, which is made where it is missing.

        Args:
            path: None: nobody else is told, and nobody else is heard.
            network, version: that this process's service calls.
            clock: seconds, the same for all processes.

        Raises:
            OSError: the file cannot be made or mapped, or all slots are taken.
        """
        self._clock = clock
        self._file = -1 if path is None else os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            if self._file >= 0 and os.fstat(self._file).st_size < _BYTES:
                os.ftruncate(self._file, _BYTES)
            self._slot = 0 if self._file < 0 else _free_slot(self._file)
            self._map = mmap.mmap(self._file, _BYTES)
        except OSError:
            self.close()
            raise
        self._slots = np.frombuffer(self._map, dtype=np.float64).reshape(_SHAPE)
        self._mine = self._slots[self._slot]
        self._mine[:] = (0.0, 0.0, 0.0, crc32(network.encode()), version, 0.0, 0.0, 0.0)

    def close(self) -> None:
        """Give the slot back."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @contextmanager
    def interactive(self) -> Iterator[None]:
        """While a batch is computed that somebody waits for."""
        self._mine[_SINCE] = self._clock()
        try:
            yield
        finally:
            self._mine[_SEEN], self._mine[_SINCE] = self._clock(), 0.0

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """While a bulk batch is computed; each look at the traffic says that it still is."""
        self._mine[_BULK] = self._clock()
        try:
            yield
        finally:
            self._mine[_BULK] = 0.0

    def count_calls(self, calls: int) -> None:
        """So many calls of this process's bulk batch are under way."""
        self._mine[_CALLS] = calls

    def share_cost(self, cost: CallCost) -> None:
        """Tell the other services of the network what a call to it was measured to cost."""
        self._mine[_CALL_S], self._mine[_TOKEN_S] = cost.call_s, cost.token_s

    def shared_cost(self) -> CallCost | None:
        """What one of them, or this one, measured; None where none has."""
        slots, mine = self._slots, self._mine
        alike = (slots[:, _NETWORK] == mine[_NETWORK]) & (slots[:, _VERSION] == mine[_VERSION])
        found = slots[alike & (slots[:, _TOKEN_S] > 0)]
        return CallCost(float(found[0, _CALL_S]), float(found[0, _TOKEN_S])) if len(found) else None

    def view(self) -> TrafficView:
        """What is going on; says of a bulk batch that it is alive, too."""
        if self._mine[_BULK]:
            self._mine[_BULK] = self._clock()
        slots = self._slots.copy()
        now = self._clock()  # after what the others wrote: what is of later is of a machine's last start
        recent = _within(slots[:, _SINCE], now, RECENT_S) | _within(slots[:, _SEEN], now, RECENT_S)
        ranked = _within(slots[:, _BULK], now, ALIVE_S) & (slots[:, _NETWORK] == self._mine[_NETWORK])
        return TrafficView.at(
            now,
            recent=bool(recent.any()),
            present=bool(_within(slots[:, _SINCE], now, PRESENT_S).any()),
            workers=int(ranked.sum()),
            place=int(ranked[: self._slot].sum()),
            calls=int(slots[ranked, _CALLS].sum()),
            without=int((slots[ranked, _CALLS] == 0).sum()),
        )


def _within(times: NDArray[np.float64], now: float, seconds: float) -> NDArray[np.bool_]:
    """Which of them are set and not longer ago; those still to come are of a machine's last start."""
    return (times > 0) & (times <= now) & (times > now - seconds)


def _free_slot(file: int) -> int:
    """Lock the first byte that no process has. Raises OSError: there is none."""
    for slot in range(_SLOTS):
        with suppress(BlockingIOError, PermissionError):
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
            return slot
    raise OSError(f"all {_SLOTS} slots are taken")
