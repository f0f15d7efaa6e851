"""How a call to a server fails: gRPC's status --> one of our errors, which says what to do.

no connection; a process that ended, a model being loaded --> ServerAwayError       asked again, within patience
the service's own words on a text, a parameter, its queue --> RequestRejectedError  final
`overloaded:`, how long to wait                           --> ServerBusyError       asked again then
anything else that came of a batch                        --> BatchFailedError      asked once more, in no company
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from interlingua.base.errors import DeadlineExceededError, RequestRejectedError, ServerError
from interlingua_client.triton.conversation_steps import ANSWER_WITHIN_S

if TYPE_CHECKING:
    from interlingua_client.deadline import Deadline

# Triton answers overload, and the services lateness and a failing network, with UNAVAILABLE too. Those are answers.
_ANSWERED_UNAVAILABLE = ("Exceeds maximum queue size", "Request timeout expired", "network ", "cancelled:")
# What is said of one request after a look at it alone.
_OWN = ("Exceeds maximum queue size", "Request timeout expired", "cancelled:", "invalid text:", "invalid parameter:")
# Of a process that ended, and of a model that is being loaded in its place; from a service, too, of its network.
_MENDED = ("Stub process", "Request for unknown model", "is not ready", "is not at ready state", "is unavailable")
_AGAIN = re.compile(r"try again in (\d+) ms")
_UNKNOWN_MODEL = (
    "unknown model",
    "is not found",
    "not found in",
    "has no available versions",
    "unknown version",
)


class ServerAwayError(ServerError):
    """There is no connection to the server, or it starts again what has to answer."""


class BatchFailedError(RequestRejectedError):
    """A request failed with its batch: perhaps for what another client put into that."""


class ServerBusyError(RequestRejectedError):
    """More waits than the server can do.

    Attributes:
        again_s: seconds after which it wants to be asked again.
    """

    def __init__(self, message: str, again_s: float) -> None:
        super().__init__(message)
        self.again_s = again_s


class EmbedderChangedError(ServerError):
    """The server came back with another embedder, or another reranker."""


class RpcFailedError(Exception):
    """A call failed: gRPC's status name and message. Thrown into the steps, never at users."""

    def __init__(self, code: str, details: str) -> None:
        super().__init__(f"{code}: {details}")
        self.code = code
        self.details = details


def translated(error: RpcFailedError, target: str, deadline: Deadline | None) -> ServerError:
    """gRPC's error as one of ours."""
    details = error.details
    if error.code == "DEADLINE_EXCEEDED":
        if deadline is None:
            return ServerError(f"{target} gave no answer in {ANSWER_WITHIN_S:.0f} s")
        return DeadlineExceededError("deadline: it passed before the server answered")
    if "deadline:" in details:
        return DeadlineExceededError(details[details.index("deadline:") :])
    if again := _AGAIN.search(details):
        return ServerBusyError(f"{target} refused a request: {details}", 1e-3 * int(again[1]))
    if any(words in details for words in _MENDED):
        return ServerAwayError(
            f"{target} does not answer now ({details}): `interlingua serve` starts again what ended; ask again later, "
            "or see its log"
        )
    if error.code == "UNAVAILABLE" and not details.startswith(_ANSWERED_UNAVAILABLE):
        return ServerAwayError(
            f"cannot reach a server at {target} ({details}): start one with `interlingua serve`, or name another "
            "with --server"
        )
    if error.code == "UNIMPLEMENTED":
        return ServerError(f"{target} does not answer like a Triton: {details}")
    kind = RequestRejectedError if details.startswith(_OWN) else BatchFailedError
    return kind(f"{target} refused a request: {details or error.code}")


def is_unknown_model(error: RpcFailedError) -> bool:
    """Whether the server does not have what was asked for."""
    return error.code == "NOT_FOUND" or any(words in error.details for words in _UNKNOWN_MODEL)
