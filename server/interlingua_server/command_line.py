"""Takes a secret out of the command line of a process that has read it.

Triton takes the key of its restricted APIs as an argument only, and every user of the machine can read a process's
arguments (`ps`, /proc/PID/cmdline). The process that started it may write to its memory (proc(5), `arg_start`), and
does so as soon as Triton has parsed them.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_ARG_START, _ARG_END = 48, 49  # fields of /proc/PID/stat, counted from 1
_AFTER_NAME = 3  # the first field behind the process's name, which may hold spaces


def conceal_argument(pid: int, secret: str) -> bool:
    """Overwrite a secret in a child's arguments; whether it was there and could be."""
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        start, end = (int(fields[number - _AFTER_NAME]) for number in (_ARG_START, _ARG_END))
        with Path(f"/proc/{pid}/mem").open("r+b", buffering=0) as memory:
            memory.seek(start)
            arguments = memory.read(end - start)
            memory.seek(start)
            memory.write(arguments.replace(secret.encode(), b"x" * len(secret.encode())))
        return secret.encode() in arguments
    return False
