"""What Triton's log says of a start: its errors, which models it has not loaded, and why.

loading: embed_query:1 ... successfully loaded 'rerank' ... failed to load 'embedder' ... --> unloaded --> some words
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING

from interlingua.base.errors import ServerError

if TYPE_CHECKING:
    from pathlib import Path

_TAIL_LINES = 30
_LOADING = re.compile(r'"loading: (\S+):\d+"')
_LOADED = re.compile(r"successfully loaded '([^']+)'")
_FAILED = re.compile(r"failed to load '([^']+)' (.*)")
_ERROR = re.compile(r"^error: (.*)$", re.MULTILINE)
_LONGEST = 200  # characters of a reason


class StartLog:
    """Triton's log, of which one start is looked at: those before it are in the same file."""

    def __init__(self, path: Path) -> None:
        """Nothing is written yet; the first start begins the file anew."""
        self.path = path
        self._before: int | None = None  # bytes of the starts before

    def begun(self) -> IO[bytes]:
        """Open it for another start. Raises ServerError: it cannot be written."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = self.path.open("wb" if self._before is None else "ab")
        except OSError as error:
            raise ServerError(f"cannot write Triton's log {self.path}: {error.strerror}") from error
        self._before = file.tell()
        return file

    @property
    def has_grown(self) -> bool:
        """Whether this start has written something."""
        return self.path.stat().st_size > (self._before or 0)

    def text(self) -> str:
        """What this start has written."""
        with self.path.open("rb") as file:
            file.seek(self._before or 0)
            return file.read().decode(errors="replace")

    def tail(self) -> str:
        """The end of that, or of its errors where there are any."""
        lines = self.text().splitlines()
        errors = [line for line in lines if line.startswith(("E1", "E0")) or "error:" in line.lower()]
        return "\n".join(dict.fromkeys((errors or lines)[-_TAIL_LINES:]))


def unloaded(log: str) -> str:
    """In words, to be read after what was seen: models that were not loaded, else Triton's last error, else ""."""
    failed = dict(reversed(_FAILED.findall(log)))  # the first reason of each
    settled = {*_LOADED.findall(log), *failed}
    waiting = sorted({model for model in _LOADING.findall(log) if model not in settled})
    said = [f"{model} failed to load ({_short(why)})" for model, why in sorted(failed.items())]
    said += [f"{', '.join(waiting)} had not finished loading"] * bool(waiting)
    return "; ".join(said or map(_short, _ERROR.findall(log)[-1:]))


def _short(why: str) -> str:
    line = why.split("\\n")[0].rstrip('"')
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
