"""How much nearer translations are than strangers, language pair by language pair.

    unit vectors [documents, D] --rows of one language, columns of another--> cosines
        same group      --mean--> translation        \\
        different group --mean--> random              --> one GapOfPair
        each translation against the strangers        /
            beside it --share that it beats--> separation

Taken once for the vectors as they are and once without offsets, it shows what the offsets close. The means are over
all pairs, none is sampled. The gap as a distance of centroids follows Liang et al. 2022 (arXiv 2203.02053), who
describe it for images and texts.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from interlingua_client.embedder import FloatArray, IntArray

_ROWS_AT_ONCE = 1024
_SAME = 1e-6  # cosines of float32 vectors that are nearer than this are tied


@dataclass(frozen=True, kw_only=True)
class GapOfPair:
    """Two languages.

    Attributes:
        languages: sorted.
        translation: mean cosine of documents of the same group.
        random: mean cosine of documents of different groups; NaN where there are none.
        separation: how probable it is that a document's translation is nearer to it than another document of the
            translation's language, ties counting half, both directions averaged; 1 is ideal, 0.5 is chance, NaN
            where there are no other documents.
        centroid_distance: length of the difference of the two languages' mean vectors, 0 to 2.
        pairs: how many translation pairs there are.
    """

    languages: tuple[str, str]
    translation: float
    random: float
    separation: float
    centroid_distance: float
    pairs: int


@dataclass(frozen=True)
class ModalityGap:
    """All pairs of languages.

    Attributes:
        pairs: those that share a group.
        without_translations: how many pairs of languages share none and were left out.
    """

    pairs: tuple[GapOfPair, ...]
    without_translations: int


def modality_gap(vectors: FloatArray, languages: Sequence[str], groups: Sequence[str]) -> ModalityGap:
    """Measure one space.

    Args:
        vectors: float32 [documents, D], of unit length.
        languages: of each document.
        groups: of each document; translations share one.
    """
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    group_of = np.array([numbers[group] for group in groups], dtype=np.int64)
    spoken = np.array(languages)
    parts = {tag: _Part(vectors[spoken == tag], group_of[spoken == tag]) for tag in sorted(set(languages))}
    pairs = list(itertools.combinations(parts, 2))
    gaps = [_gap(tags, parts[tags[0]], parts[tags[1]]) for tags in pairs if _share_a_group(*map(parts.get, tags))]
    return ModalityGap(tuple(gaps), len(pairs) - len(gaps))


class _Part(NamedTuple):
    """The documents of one language: float32 [n, D] and int64 [n]."""

    vectors: FloatArray
    groups: IntArray


class _Side(NamedTuple):
    """Sums over one direction: rows in one language, columns in the other."""

    translations: int
    translation_sum: float
    strangers: int
    stranger_sum: float
    beaten: npt.NDArray[np.float64]


def _share_a_group(one: _Part | None, other: _Part | None) -> bool:
    return one is not None and other is not None and bool(np.isin(one.groups, other.groups).any())


def _gap(languages: tuple[str, str], one: _Part, other: _Part) -> GapOfPair:
    there, back = _side(one, other), _side(other, one)
    beaten = np.concatenate([there.beaten, back.beaten])
    beaten = beaten[~np.isnan(beaten)]
    centroids = [part.vectors.mean(axis=0, dtype=np.float64) for part in (one, other)]
    return GapOfPair(
        languages=languages,
        translation=there.translation_sum / there.translations,
        random=there.stranger_sum / there.strangers if there.strangers else math.nan,
        separation=float(beaten.mean()) if len(beaten) else math.nan,
        centroid_distance=float(np.linalg.norm(centroids[0] - centroids[1])),
        pairs=there.translations,
    )


def _side(rows: _Part, columns: _Part) -> _Side:
    sides = [_block(block, columns) for block in _blocks(rows)]
    translations, translation_sums, strangers, stranger_sums, beaten = zip(*sides, strict=True)
    return _Side(
        sum(translations), math.fsum(translation_sums), sum(strangers), math.fsum(stranger_sums), np.concatenate(beaten)
    )


def _blocks(part: _Part) -> Iterator[_Part]:
    for first in range(0, len(part.groups), _ROWS_AT_ONCE):
        yield _Part(part.vectors[first : first + _ROWS_AT_ONCE], part.groups[first : first + _ROWS_AT_ONCE])


def _block(rows: _Part, columns: _Part) -> _Side:
    cosines = rows.vectors @ columns.vectors.T
    same = rows.groups[:, None] == columns.groups
    own = cosines[same].sum(dtype=np.float64)
    strangers = same.size - int(same.sum())
    return _Side(
        int(same.sum()), float(own), strangers, float(cosines.sum(dtype=np.float64) - own), _beaten(cosines, same)
    )


def _beaten(cosines: FloatArray, same: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """For each translation pair, the share of the row's strangers that are further away; NaN where it has none."""
    row, column = np.nonzero(same)
    own = cosines[row, column][:, None]
    others = np.where(same, np.float32(np.inf), cosines)
    wins = np.empty(len(row))
    for first in range(0, len(row), _ROWS_AT_ONCE):  # a row can have many translations
        some = slice(first, first + _ROWS_AT_ONCE)
        beside, mine = others[row[some]], own[some]
        further = np.count_nonzero(beside < mine - _SAME, axis=1)
        wins[some] = (further + np.count_nonzero(beside <= mine + _SAME, axis=1)) / 2
    strangers = (~same).sum(axis=1)[row]
    shares: npt.NDArray[np.float64] = wins / np.where(strangers > 0, strangers, np.nan)
    return shares
