"""What a search may find: the passages of the documents that meet its filters, by language.

Filter, pinned Filter --masks over documents--> SearchScope(labels by language) --languages--> labels, a look-up
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    import numpy.typing as npt

    from interlingua_client.embedder import IntArray


class SearchScope:
    """Some of an index's passages.

    Attributes:
        key: what tells it from the index's other scopes.
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
        end: int,
    ) -> None:
        """`end` is beyond every label that may be looked up, in the scope or not."""
        self.key, self.whole, self._end = key, whole, end
        self.labels = {tag: found for tag, found in labels.items() if len(found)}
        ordered = sorted(languages.items(), key=lambda item: (-item[1], item[0]))
        self.languages = {tag: count for tag, count in ordered if count}
        self._look_ups: dict[frozenset[str], Callable[[int], int]] = {}
        self._rows: dict[str, IntArray] = {}

    def __len__(self) -> int:
        """How many passages are in it."""
        return sum(map(len, self.labels.values()))

    @property
    def weight(self) -> int:
        """Bytes that it takes to keep, once it was searched in."""
        return sum(2 * labels.nbytes for labels in self.labels.values()) + self._end + 256

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
        """Tells of a label whether it is in these languages; made for hnswlib, which asks once a candidate.

        Bytes answer quicker than a set, in one byte a label.
        """
        key = frozenset(languages)
        if key not in self._look_ups:
            flags = np.zeros(self._end, np.uint8)
            for tag in languages:
                flags[self.labels[tag]] = 1
            self._look_ups[key] = flags.tobytes().__getitem__
        return self._look_ups[key]

    def holds(self, languages: Collection[str]) -> Callable[[int], bool]:
        """Tells of any label, also of one that came later, whether it is in these languages."""
        look, end = self.look_up(languages), self._end
        return lambda label: label < end and bool(look(label))

    @cached_property
    def _all(self) -> IntArray:
        return np.sort(np.concatenate([np.empty(0, np.int64), *self.labels.values()]))
