"""What each step of a search did to each candidate's place.

    cosines, raw --offsets--> cosines --reranking--> mixed scores --balance--> mixed scores --> places
    the same without those candidates that only words brought --> places

All places are among the candidates of one search, from 1.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from interlingua_client.search.score_mixing import mix_scores

if TYPE_CHECKING:
    from interlingua_client.search.search_request import ScoredPassage


@dataclass(frozen=True, kw_only=True)
class HitPlaces:
    """Where a hit stood among the candidates, from 1, after one step and the next.

    Attributes:
        raw: by the vectors as the network gives them.
        dense: with language offsets removed; the same as `raw` where there are none.
        reranked: after reranking, with the advantage of the question's own language left in.
        balanced: with it taken out; that is the order of the hits, but that those with the question's codes come first.
        added: only the question's names or codes made it a candidate.
        without_words: where it would stand had none been added; None where it would be no candidate.
    """

    raw: int
    dense: int
    reranked: int
    balanced: int
    added: bool
    without_words: int | None


class Cosines(NamedTuple):
    """The cosines of all candidates with the question.

    Attributes:
        raw: by the vectors as the network gives them.
        searched: in the space that is searched.
    """

    raw: Sequence[float]
    searched: Sequence[float]


def places(
    scored: Sequence[ScoredPassage],
    cosines: Cosines,
    added: Collection[int],
    logits: Sequence[float],
    weight: float,
    own: Sequence[bool],
) -> list[HitPlaces]:
    """One for each candidate.

    Args:
        cosines: in the candidates' order; `scored` has other scores where words find.
        added: labels of those that are there for their words.
        logits, own: of the first candidates, that were reranked; own is [] where the language is no question.
    """
    candidates = _Candidates([candidate.dense for candidate in scored], logits, weight)
    unworded = _Candidates(cosines.searched, logits, weight)
    everyone = list(range(len(scored)))
    before = [row for row in everyone if scored[row].label not in added]
    by_raw, by_dense = _by(cosines.raw, everyone), _by(cosines.searched, everyone)
    reranked, balanced = (candidates.places(everyone, language) for language in ([], own))
    without = unworded.places(before, own)
    return [
        HitPlaces(
            raw=by_raw[row],
            dense=by_dense[row],
            reranked=reranked[row],
            balanced=balanced[row],
            added=row not in without,
            without_words=without.get(row),
        )
        for row in everyone
    ]


class _Candidates(NamedTuple):
    dense: Sequence[float]
    logits: Sequence[float]
    weight: float

    def places(self, rows: Sequence[int], own: Sequence[bool]) -> dict[int, int]:
        """Some candidates by row, had there been no others."""
        by_dense = sorted(rows, key=lambda row: -self.dense[row])
        asked = [row for row in by_dense if row < len(self.logits)]
        mixed = mix_scores(
            [self.dense[row] for row in asked],
            [self.logits[row] for row in asked],
            self.weight,
            [own[row] for row in asked] if own else [],
        )
        ranked = [row for row, _ in sorted(zip(asked, mixed, strict=True), key=lambda found: -found[1])]
        rest = [row for row in by_dense if row >= len(self.logits)]
        return {row: place for place, row in enumerate([*ranked, *rest], start=1)}


def _by(values: Sequence[float], rows: Sequence[int]) -> dict[int, int]:
    return {row: place for place, row in enumerate(sorted(rows, key=lambda row: -values[row]), 1)}
