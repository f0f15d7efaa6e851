"""What a runtime gives: a network on a device, that can be called and timed.

{input name: int64 [n, L]} --place--> on the device --start--> under way --wait--> done
                           --answer--> float32 [n, D] on the host
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Batch = Mapping[str, "NDArray[np.int64]"]


class LoadedNetwork(Protocol):
    """Every method raises the runtime's own errors: out of memory, most of all."""

    def place(self, batch: Batch) -> Any:
        """A batch on the device, for `start`."""

    def start(self, placed: Any) -> None:
        """Begin a call; its answer stays on the device and is forgotten."""

    def wait(self) -> None:
        """Until all that was begun is done."""

    def answer(self, batch: Batch) -> NDArray[np.float32]:
        """A whole call, from the host and back to it."""

    def close(self) -> None:
        """Give the device's memory back; nothing else may be called afterwards."""
