"""One Triton, asked over HTTP on this machine: what it serves, whether it answers, to load a model again.

Standard library alone: the container has no client of Triton's. Triton's own HTTP listens on loopback.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.served.launch_flags import ADMIN_HEADER, LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHORT_S = 5.0
_LONG_S = 600.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy stands before this machine


class AnswerError(Exception):
    """What came instead of an answer.

    Attributes:
        status: of HTTP; 0 where nobody answered.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class LocalTriton:
    """Where it listens, and the key of its restricted APIs, if the asker has it."""

    port: int
    admin_key: str = ""
    address: str = LOOPBACK

    def is_ready(self) -> bool:
        """Whether it is up with all models that it was started with."""
        try:
            self.ask("/v2/health/ready")
        except AnswerError:
            return False
        return True

    def reload(self, model: str) -> None:
        """Unload a model and load it: new processes for every instance. Raises AnswerError."""
        headers = {ADMIN_HEADER: self.admin_key}
        for verb in ("unload", "load"):
            self.ask(f"/v2/repository/models/{model}/{verb}", {}, headers=headers, timeout_s=_LONG_S)

    def ask(
        self,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = _SHORT_S,
    ) -> dict[str, object]:
        """The answer's JSON object, empty where it has none; GET without a body. Raises AnswerError."""
        data = None if body is None else json.dumps(body).encode()
        host = f"[{self.address}]" if ":" in self.address else self.address
        url = f"http://{host}:{self.port}{path}"
        request = urllib.request.Request(url, data, headers=dict(headers or {}))
        try:
            with _OPENER.open(request, timeout=timeout_s) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise AnswerError(error.code, _reason(error)) from error
        except (OSError, http.client.HTTPException) as error:  # refused, timed out, reset, cut short
            raise AnswerError(0, str(error)) from error
        return _object(text)


def _object(text: bytes) -> dict[str, object]:
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        value = {}
    return value if isinstance(value, dict) else {}


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(_object(error.read())["error"])
    except (OSError, http.client.HTTPException, KeyError):
        return f"HTTP {error.code}"
