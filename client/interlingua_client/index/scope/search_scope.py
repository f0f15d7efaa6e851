"""What a search may find: the passages of the documents that meet its filters, by language.

Filter, pinned Filter --masks over documents--> SearchScope(labels by language) --languages--> labels, a look-up
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from interlingua_client.index.scope.bounded_cache import BoundedCache

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import numpy.typing as npt

    from interlingua_client.embedder import IntArray


_RECORD_BYTES = 2048
_LEAST_LOOK_UPS = 8
_LOOK_UP_BYTES = 32 * 1024 * 1024  # or the least, where that is more


class LookUps:
    """Whether a label is among some, kept for the last that were asked for.

    Bytes answer quicker than a set, in one byte a label.

    Attributes:
        end: beyond every label that may be looked up.
    """

    def __init__(self, end: int) -> None:
        """Takes the end, and holds nothing yet."""
        self.end = end
        each = end + _RECORD_BYTES
        self._kept = BoundedCache[object, Callable[[int], int]](
            max(_LOOK_UP_BYTES, _LEAST_LOOK_UPS * each), lambda _: each
        )

    def get(self, key: object, parts: Sequence[IntArray]) -> Callable[[int], int]:
        """The look-up of a key, 1 for the labels of its parts and 0 for others."""
        return self._kept.get(key, lambda: self._made(parts))

    def _made(self, parts: Sequence[IntArray]) -> Callable[[int], int]:
        flags = np.zeros(self.end, np.uint8)
        for labels in parts:
            flags[labels] = 1
        return flags.tobytes().__getitem__


class SearchScope:
    """Some of an index's passages.

    Attributes:
        key: what tells it from the index's other scopes, of few bytes.
        labels: of each language, sorted int64; a language without any is not there.
        languages: how many documents each of these languages has in the scope, the most first.
        whole: every passage of the index is in it.
    """

    def __init__(
        self,
        key: tuple[str, str],
        labels: Mapping[str, IntArray],
        languages: Mapping[str, int],
        *,
        whole: bool,
        look_ups: LookUps,
    ) -> None:
        """`look_ups` are of all the index's scopes."""
        self.key, self.whole, self._look_ups = key, whole, look_ups
        self.labels = {tag: found for tag, found in labels.items() if len(found)}
        ordered = sorted(languages.items(), key=lambda item: (-item[1], item[0]))
        self.languages = {tag: count for tag, count in ordered if count}
        self._rows: dict[str, IntArray] = {}

    def __len__(self) -> int:
        """How many passages are in it."""
        return sum(map(len, self.labels.values()))

    @property
    def weight(self) -> int:
        """Bytes that it takes to keep, once it was searched in; look-ups are not among them."""
        return sum(3 * labels.nbytes for labels in self.labels.values()) + _RECORD_BYTES

    def size(self, languages: Collection[str]) -> int:
        """How many passages are in these languages."""
        return sum(len(self.labels[tag]) for tag in languages)

    def allows(self, labels: IntArray) -> npt.NDArray[np.bool_]:
        """bool [n]: which of these passages are in the scope."""
        return np.isin(labels, self._all)

    def rows(self, language: str, labels: IntArray) -> IntArray:
        """int64 [m]: where the scope's passages stand among all of a language's labels, always the same ones."""
        if language not in self._rows:
            self._rows[language] = np.flatnonzero(np.isin(labels, self.labels[language], assume_unique=True))
        return self._rows[language]

    def look_up(self, languages: Collection[str]) -> Callable[[int], int]:
        """Tells of a label whether it is in these languages; made for hnswlib, which asks once a candidate."""
        return self._look_ups.get((self.key, frozenset(languages)), [self.labels[tag] for tag in languages])

    def holds(self, languages: Collection[str]) -> Callable[[int], bool]:
        """Tells of any label, also of one that came later, whether it is in these languages."""
        look, end = self.look_up(languages), self._look_ups.end
        return lambda label: label < end and bool(look(label))

    @cached_property
    def _all(self) -> IntArray:
        return np.sort(np.concatenate([np.empty(0, np.int64), *self.labels.values()]))
