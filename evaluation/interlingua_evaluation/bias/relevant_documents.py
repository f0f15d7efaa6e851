"""The relevant documents of every mixed list, flat, so that a measure takes one pass over arrays.

    CandidateLists --judged documents of mixed pools--> J entries (list, document, grade, language, own?)
    a ranking [R, depth] --> the rank of each entry [J] --> one value a list [R]

Language bias can only show where there is a choice of languages: lists of one language have no entries, and every
measure of this package answers NaN for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, CandidateLists

if TYPE_CHECKING:
    from interlingua_client.embedder import IntArray
    from interlingua_evaluation.measures.relevance import Values

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class RelevantDocuments:
    """One entry a relevant document of a mixed list, J in all, list by list.

    Attributes:
        rows: int64 [J], numbers of the lists, ascending.
        documents: int64 [J], numbers of the dataset's documents.
        grades: int64 [J], 1 or more.
        languages: int64 [J], numbers of the documents' languages.
        own: bool [J], whether that is the query's language.
        mixed: bool [R], the lists that have a choice of languages.
        asked: int64 [R], the queries' languages; -1 where no document has it.
        spoken: int64 [documents], each document's language.
    """

    rows: IntArray
    documents: IntArray
    grades: IntArray
    languages: IntArray
    own: Flags
    mixed: Flags
    asked: IntArray
    spoken: IntArray

    @classmethod
    def of(cls, lists: CandidateLists) -> RelevantDocuments:
        """Gather them, once for all the rankings of these lists."""
        numbers = {language: number for number, language in enumerate(lists.dataset.languages)}
        spoken = np.array([numbers[document.language] for document in lists.dataset.documents])
        asked = np.array([numbers.get(pair.asked, -1) for pair in lists.pairs], dtype=np.int64)
        mixed = np.array([pool == MIXED for pool in lists.pools], dtype=bool)
        entries = [
            (row, document, grade)
            for row in np.flatnonzero(mixed).tolist()
            for document, grade in lists.grades[row].items()
        ]
        rows, documents, grades = np.array(entries, dtype=np.int64).reshape(-1, 3).T
        languages = spoken[documents]
        return cls(
            rows=rows,
            documents=documents,
            grades=grades,
            languages=languages,
            own=languages == asked[rows],
            mixed=mixed,
            asked=asked,
            spoken=spoken,
        )

    def ranks(self, ranked: IntArray, cutoff: int) -> IntArray:
        """The rank of each entry, int64 [J]: 1 is the first, cutoff + 1 whatever comes after the cutoff or not at all.

        Args:
            ranked: int64 [R, any depth], document numbers, NOTHING at the end.
        """
        first = ranked[:, :cutoff]
        rows, columns = np.nonzero(first != NOTHING)
        found = self._keys(rows, first[rows, columns])
        order = np.argsort(found, kind="stable")
        wanted = self._keys(self.rows, self.documents)
        places = np.searchsorted(found, wanted, sorter=order)
        ranks = np.full(len(wanted), cutoff + 1, dtype=np.int64)
        inside = np.flatnonzero(places < len(found))
        candidates = order[places[inside]]
        hits = found[candidates] == wanted[inside]
        ranks[inside[hits]] = columns[candidates[hits]] + 1
        return ranks

    def counts(self, which: Flags | None = None) -> IntArray:
        """How many entries each list has, of all or of those marked, int64 [R]."""
        rows = self.rows if which is None else self.rows[which]
        return np.bincount(rows, minlength=len(self.mixed))

    def sums(self, amounts: Values) -> Values:
        """Amounts [J] added up list by list, float64 [R]."""
        return np.bincount(self.rows, weights=amounts, minlength=len(self.mixed)).astype(np.float64)

    def _keys(self, rows: IntArray, documents: IntArray) -> IntArray:
        return rows * len(self.spoken) + documents
