"""How far the server's clock is from ours, as a late request shows.

    deadline: ... (server's clock: T) --between sending and answer by ours--> offset --> stamps of the next requests

A stamp travels as a time of day. What a clock is off by shows where the server's, as it wrote it into an answer, does
not lie between the request's sending and the answer's coming.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOLD = re.compile(r"server's clock: (\d+)")
_TOLD_TO_S = 1e-3


@dataclass
class ServerClock:
    """The server's clock as far as it is known.

    Attributes:
        offset_s: what has to be added to ours; 0 until an answer shows otherwise.
    """

    offset_s: float = 0.0

    def shows_wrong(self, message: str, used_s: float, sent_s: float, came_s: float) -> bool:
        """Whether a server's message shows that a request was stamped with a wrong offset; it is corrected then.

        Args:
            used_s: the offset in the request's stamps.
            sent_s, came_s: Unix seconds by our clock.
        """
        if not (told := _TOLD.search(message)):
            return False
        server_s = 1e-3 * int(told[1])
        least, most = server_s - came_s - _TOLD_TO_S, server_s - sent_s + _TOLD_TO_S
        # By no more than is shown: an answer may have lain here a while.
        self.offset_s = min(max(self.offset_s, least), most)
        return not least <= used_s <= most
