"""The errors a user can meet, by whose fault they are.

Every message says what was wrong, with which value, and what to do. The command line turns these into one
line and the exit code below; a traceback is always a bug of ours.
"""

from __future__ import annotations

from typing import ClassVar


class InterlinguaError(Exception):
    """Anything that went wrong and is not a bug: bad input, a full disk, a server that is away."""

    exit_code: ClassVar[int] = 1


class InputError(InterlinguaError):
    """The user's data or arguments are wrong: a broken corpus line, an unknown model, an unfit index."""

    exit_code = 3


class ServerError(InterlinguaError):
    """The server cannot be reached or did not start."""

    exit_code = 4


class RequestRejectedError(ServerError):
    """The server answered one request with an error: bad text, too late, overloaded."""


class DeadlineExceededError(RequestRejectedError):
    """The answer would have come after the request's deadline."""


class ExportError(InterlinguaError):
    """An export failed its parity gate or could not be built; nothing was published."""

    exit_code = 5


class ArchiveError(InterlinguaError):
    """A pinned archive could not be fetched, verified or unpacked."""

    exit_code = 6
