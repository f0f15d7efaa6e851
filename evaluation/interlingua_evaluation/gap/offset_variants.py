"""Language offsets in several kinds, estimated from more or fewer documents.

    SampledVectors (documents and their stand-ins for queries, of the pages that may be learned from)
        --the first n of each language--> sums --kind--> LanguageOffsets

Pages whose queries are judged are never learned from here, so that every figure is one of held-out pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from interlingua_client.index.language_offsets import LanguageMeans, LanguageOffsets, VectorSum, unit

if TYPE_CHECKING:
    from interlingua_client.embedder import FloatArray

Kind = Literal["separate", "one mean", "global kept", "unshrunken"]

KINDS: Mapping[Kind, str] = {
    "one mean": "one mean per language, of documents, for both",
    "global kept": "document and query means, global mean kept",
    "unshrunken": "document and query means, not shrunken",
    "separate": "document and query means, shrunken (what is served)",
}


@dataclass(frozen=True)
class SampledVectors:
    """Vectors that offsets are estimated from, one row a document.

    Attributes:
        documents, queries: float32 [n, D], a document's vector and that of what stands in for a query about it.
        languages: [n].
    """

    documents: FloatArray
    queries: FloatArray
    languages: npt.NDArray[np.str_]

    def first(self, numbers: Mapping[str, int], seed: int = 0) -> SampledVectors:
        """So many of each language, drawn at random; all of those that are not named."""
        order = np.random.default_rng(seed).permutation(len(self.languages))
        kept: list[int] = []
        for language in np.unique(self.languages).tolist():
            rows = order[self.languages[order] == language]
            kept += rows[: numbers.get(language, len(rows))].tolist()
        rows = np.sort(np.array(kept, dtype=np.int64))
        return SampledVectors(self.documents[rows], self.queries[rows], self.languages[rows])

    def offsets(self, kind: Kind) -> LanguageOffsets:
        """Estimated from all of them."""
        documents, queries = self.sums()
        if kind == "one mean":
            means = LanguageMeans.estimate(documents)
            return LanguageOffsets(means, means)
        if kind == "separate":
            return LanguageOffsets(LanguageMeans.estimate(documents), LanguageMeans.estimate(queries))
        return LanguageOffsets(_means(documents, kind), _means(queries, kind))

    def sums(self) -> tuple[dict[str, VectorSum], dict[str, VectorSum]]:
        """The sums of documents and of queries, by language."""
        return self._sums(self.documents), self._sums(self.queries)

    def _sums(self, vectors: FloatArray) -> dict[str, VectorSum]:
        units = unit(vectors).astype(np.float64)
        sums = {}
        for language in np.unique(self.languages).tolist():
            part = units[self.languages == language]
            sums[language] = VectorSum(len(part), part.sum(axis=0))
        return sums


def _means(sums: Mapping[str, VectorSum], kind: Kind) -> LanguageMeans:
    """Plain means; with the global mean kept, what is subtracted is how far a language's mean is from it."""
    means = {language: (value.total / value.number).astype(np.float32) for language, value in sums.items()}
    overall = np.stack(list(means.values())).mean(axis=0)
    if kind == "unshrunken":
        return LanguageMeans(overall, means)
    return LanguageMeans(np.zeros_like(overall), {language: mean - overall for language, mean in means.items()})
