"""What a language's own vectors say of it, drawn towards what the model says.

    own: count n, mean m of each language --+
    model: overall o, from_overall b -------+--> target g + b --> SUBJECT g + b + share (m - g - b)

`g` is what this collection is about, whatever the language: the mean of `m - b`. A collection of few documents hardly
says it, and `g` is drawn towards the model's own overall mean. It is taken off in part only: what all texts have in
common is most of a vector, and without it little is left of a short text but what tells it from all the others.

How far a language's own mean counts (`share`) is a question of variances. A model puts a language a little elsewhere in
every subject: by a variance of `DOMAIN` times that of the languages around their mean. What a mean is away from its
target beyond that, and beyond what n vectors scatter by, is no language but the topics that its documents happen to be
about:

    share = expected from the domain / the larger of (what is seen, what is expected in all)

which is near 1 where both agree and there are many documents, and goes to 0 with one document, or where a language has
topics of its own. A language that the model was not measured in has no target but `g`, and what the others show of
topics is held against its mean as well.

The constants were chosen on the development halves of helpdesk12 and GNOME help, with the default embedder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from interlingua_client.index.language_offsets import LanguageMeans, LanguageOffsets, VectorSum
from interlingua_client.language_tag import closest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interlingua.served.language_vectors import LanguageVectors, RoleVectors

Float64 = npt.NDArray[np.float64]

DOMAIN = 0.5
SUBJECT = 0.7  # of the subject's mean, what is taken off
_FEW = 40.0  # documents in all that say as much of a collection's subject as the model's overall mean does


class Drawn(NamedTuple):
    """Means of one role.

    Attributes:
        means: of every language that there are vectors of, or that the model was measured in.
        shares: how far a language's own mean counts, 0 to 1.
    """

    means: LanguageMeans
    shares: Mapping[str, float]


class DrawnOffsets(NamedTuple):
    """Both roles' means; `shares` are the documents'."""

    offsets: LanguageOffsets
    shares: Mapping[str, float]


def draw_offsets(
    documents: Mapping[str, VectorSum], queries: Mapping[str, VectorSum], model: LanguageVectors
) -> DrawnOffsets:
    """The offsets of an index, from the sums of at least one language."""
    of_documents = draw_means(documents, model.documents)
    return DrawnOffsets(
        LanguageOffsets(of_documents.means, draw_means(queries, model.queries).means), of_documents.shares
    )


def draw_means(sums: Mapping[str, VectorSum], model: RoleVectors) -> Drawn:
    """One role's means, from the sums of at least one language."""
    counts = np.array([value.number for value in sums.values()], dtype=np.float64)
    own = np.stack([value.total for value in sums.values()]) / counts[:, None]
    nearest = [closest(tag, model.from_overall) for tag in sums]
    known = np.array([tag is not None for tag in nearest])
    offsets = np.stack([model.from_overall[tag] if tag else np.zeros_like(model.overall) for tag in nearest])
    between = float(np.mean([offset @ offset for offset in model.from_overall.values()]))
    from_domain = np.where(known, DOMAIN * between, between)
    expected = from_domain + _within(counts, own, model) / counts
    subject = _subject(counts, own - offsets, expected, model.overall.astype(np.float64))
    target = subject + offsets
    seen = ((own - target) ** 2).sum(axis=1)
    shares = from_domain / np.where(known, np.maximum(expected, seen), expected + _topics(seen, expected, known))
    overall = SUBJECT * subject
    means = overall + offsets + shares[:, None] * (own - target)
    unseen = model.from_overall.keys() - set(nearest)
    by_language = {tag: (overall + model.from_overall[tag]).astype(np.float32) for tag in sorted(unseen)}
    by_language |= dict(zip(sums, means.astype(np.float32), strict=True))
    return Drawn(LanguageMeans(overall.astype(np.float32), by_language), dict(zip(sums, shares.tolist(), strict=True)))


def _within(counts: Float64, own: Float64, model: RoleVectors) -> float:
    """Variance of unit vectors around their language's mean; the model's where no language has two."""
    free = counts.sum() - len(counts)
    if free > 0:
        return float(counts @ (1.0 - (own**2).sum(axis=1)) / free)
    return 1.0 - float(model.overall @ model.overall)


def _subject(counts: Float64, readings: Float64, expected: Float64, overall: Float64) -> Float64:
    """What all is about: each language's reading of it counts by how well it is known, and the model's beside them."""
    found = (readings / expected[:, None]).sum(axis=0) / (1.0 / expected).sum()
    weight = counts.sum() / (counts.sum() + _FEW)
    subject: Float64 = weight * found + (1.0 - weight) * overall
    return subject


def _topics(seen: Float64, expected: Float64, known: npt.NDArray[np.bool_]) -> float:
    """Variance that no language explains, as those show it that the model was measured in."""
    if not known.any():
        return 0.0
    weights = known / expected
    return max(0.0, float(weights @ (seen - expected) / weights.sum()))
