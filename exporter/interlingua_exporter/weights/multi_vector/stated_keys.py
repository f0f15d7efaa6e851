"""The keys of one JSON file, each of one kind: there, or not there, which null is too.

file, its object --StatedKeys--> texts, numbers, flags, or an InputError that names file, key and kind
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from interlingua.base.errors import InputError
from interlingua.base.json_object import read_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_T = TypeVar("_T")


@dataclass(frozen=True)
class StatedKeys:
    """What a file says."""

    path: Path
    values: Mapping[str, object]

    @classmethod
    def read(cls, path: Path, *, required: bool = False) -> StatedKeys:
        """A file's; none of an optional one that is missing. Raises InputError: it is no JSON object."""
        return cls(path, read_object(path, required=required))

    def text(self, key: str, usual: str = "") -> str:
        return self._of_kind(key, str, "a text", usual)

    def flag(self, key: str, *, usual: bool) -> bool:
        return self._of_kind(key, bool, "true or false", usual)

    def length(self, key: str) -> int | None:
        """A number of tokens, at least 1; None where it is not said."""
        number = self._of_kind(key, int, "a number of tokens", 1)
        if number < 1:
            raise InputError(f"{self.path}: {key} is {number}, not a number of tokens")
        return number if self._has(key) else None

    def texts(self, key: str) -> tuple[str, ...] | None:
        """A list of texts; None where it is not said."""
        words = self._of_kind(key, list, "a list of texts", [])
        if not all(isinstance(word, str) for word in words):
            raise InputError(f"{self.path}: {key} is {words!r}, not a list of texts")
        return tuple(words) if self._has(key) else None

    def named_texts(self, key: str) -> dict[str, str]:
        """Texts by name, null among them as ""."""
        named = self._of_kind(key, dict, "an object of texts", {})
        if not all(text is None or isinstance(text, str) for text in named.values()):
            raise InputError(f"{self.path}: {key} is {named!r}, not an object of texts")
        return {name: "" if text is None else text for name, text in named.items()}

    def _has(self, key: str) -> bool:
        return self.values.get(key) is not None

    def _of_kind(self, key: str, kind: type[_T], what: str, usual: _T) -> _T:
        value = self.values.get(key)
        if value is None:
            return usual
        if not isinstance(value, kind) or type(value) is not kind:
            raise InputError(f"{self.path}: {key} is {value!r}, not {what}")
        return value
