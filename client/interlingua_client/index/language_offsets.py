"""Language offsets: most of the gap between languages is a constant per language, and can be subtracted.

    unit document vectors -> sum and count per language -> shrunken means \\
    unit query vectors    -> sum and count per language -> shrunken means -> subtract -> unit length again

A language's mean is shrunk towards the mean over all languages by `n / (n + k)`, n being its number of
vectors. k is what one-way analysis of variance estimates for this corpus: the variance of documents around
their language's mean over the variance of the languages' means (James-Stein shrinkage; Efron and Morris 1975,
"Data analysis using Stein's estimator and its generalizations"; the moment estimator is in Searle, Casella and
McCulloch 1992, section 3.6). With one language, or where languages do not differ, k is infinite and every
offset is the global mean, which moves all vectors alike. On 360 help articles in nine languages
multilingual-e5-small gives k = 3.2 (documents) and 3.5 (titles): three documents speak for half of a language.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from interlingua_client.language_tag import closest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from interlingua_client.embedder import FloatArray

GLOBAL = ""

_SHORTEST = 1e-6  # a difference shorter than this is rounding, not direction


class VectorSum(NamedTuple):
    """Unit vectors of one language, added up.

    Attributes:
        number: how many.
        total: float64 [D].
    """

    number: int
    total: npt.NDArray[np.float64]


@dataclass(frozen=True)
class LanguageMeans:
    """Shrunken means.

    Attributes:
        overall: float32 [D], for languages that were not seen.
        by_language: float32 [D] each.
    """

    overall: FloatArray
    by_language: Mapping[str, FloatArray]

    @classmethod
    def estimate(cls, sums: Mapping[str, VectorSum]) -> LanguageMeans:
        """From the sums of at least one language."""
        counts = np.array([value.number for value in sums.values()], dtype=np.float64)
        means = np.stack([value.total for value in sums.values()]) / counts[:, None]
        k = shrinkage(counts, means)
        shares = counts if math.isinf(k) else counts / (counts + k)
        overall = shares @ means / shares.sum()
        kept = np.zeros_like(counts) if math.isinf(k) else shares
        shrunken = overall + kept[:, None] * (means - overall)
        return cls(_float32(overall), dict(zip(sums, _float32(shrunken), strict=True)))

    def of(self, language: str | None) -> FloatArray:
        """The mean of a language, of its closest variant, or of all, float32 [D]."""
        known = closest(language, self.by_language) if language else None
        return self.overall if known is None else self.by_language[known]


@dataclass(frozen=True)
class LanguageOffsets:
    """What is subtracted from documents and from queries."""

    documents: LanguageMeans
    queries: LanguageMeans

    def remove_from_documents(self, vectors: FloatArray, languages: Sequence[str]) -> FloatArray:
        """Unit vectors without their languages' offsets, float32 [n, D]."""
        shifts = {language: self.documents.of(language) for language in set(languages)}
        return _moved(vectors, np.stack([shifts[language] for language in languages]))

    def remove_from_query(self, vector: FloatArray, language: str | None) -> FloatArray:
        """The unit query vector without its language's offset, float32 [D]; None: the language is unknown."""
        moved: FloatArray = _moved(vector[None], self.queries.of(language)[None])[0]
        return moved

    def distance(self, other: LanguageOffsets) -> float:
        """How far another estimate's offsets are from these, at most, over both roles and all languages.

        In units of the documents' spread: the root mean square length of what is left of a unit vector when the
        global mean is taken off. 0.05 turns a document by about 3 degrees against those of another language.
        """
        pairs = ((self.documents, other.documents), (self.queries, other.queries))
        return max(_distance(mine, theirs) for mine, theirs in pairs)

    def are_sound(self, dimension: int) -> bool:
        """Whether all means are of `dimension` finite numbers."""
        return all(len(mean) == dimension and np.isfinite(mean).all() for _, _, mean in self.rows())

    def rows(self) -> Iterator[tuple[str, str, FloatArray]]:
        """(role, language, mean) for storing; the language is "" for the global mean."""
        for role, means in (("document", self.documents), ("query", self.queries)):
            yield role, GLOBAL, means.overall
            for language, mean in means.by_language.items():
                yield role, language, mean

    @classmethod
    def from_means(cls, documents: Mapping[str, FloatArray], queries: Mapping[str, FloatArray]) -> LanguageOffsets:
        """Read `rows` back."""
        return cls(_read_means(documents), _read_means(queries))


def shrinkage(counts: npt.NDArray[np.float64], means: npt.NDArray[np.float64]) -> float:
    """k of `n / (n + k)`: variance within a language over variance between languages; infinite if none between.

    Args:
        counts: [L], vectors of each language.
        means: [L, D], their means; the vectors are of unit length, so the rest follows from these.
    """
    languages, total = len(counts), counts.sum()
    if languages < 2 or total <= languages:
        return math.inf
    grand = counts @ means / total
    within = float(counts @ (1.0 - (means**2).sum(axis=1))) / (total - languages)
    among = float(counts @ ((means - grand) ** 2).sum(axis=1)) / (languages - 1)
    typical_count = (total - (counts**2).sum() / total) / (languages - 1)
    between = (among - within) / typical_count
    return within / between if between > _SHORTEST**2 else math.inf


def unit(vectors: FloatArray) -> FloatArray:
    """Vectors [..., D] scaled to length one; zero stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return _float32(vectors / np.where(lengths > 0, lengths, 1.0))


def _moved(vectors: FloatArray, offsets: FloatArray) -> FloatArray:
    """Unit vectors of `unit(vectors) - offsets`, float32 [n, D].

    A vector that equals its offset (a lone document) has no direction left, and is taken as it is.
    """
    whole = unit(vectors)
    moved = whole - offsets
    lost = np.linalg.norm(moved, axis=1, keepdims=True) < _SHORTEST
    return unit(np.where(lost, whole, moved))


def _distance(mine: LanguageMeans, theirs: LanguageMeans) -> float:
    languages = set(mine.by_language) | set(theirs.by_language)
    spread = math.sqrt(max(1.0 - float(theirs.overall @ theirs.overall), _SHORTEST))
    pairs = [(mine.of(language), theirs.of(language)) for language in languages]
    pairs.append((mine.overall, theirs.overall))
    return max(float(np.linalg.norm(a - b)) for a, b in pairs) / spread


def _read_means(means: Mapping[str, FloatArray]) -> LanguageMeans:
    by_language = {language: mean for language, mean in means.items() if language != GLOBAL}
    return LanguageMeans(means[GLOBAL], by_language)


def _float32(values: npt.NDArray[Any]) -> FloatArray:
    return values.astype(np.float32)
