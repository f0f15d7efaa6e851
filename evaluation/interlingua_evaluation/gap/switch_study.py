"""What each switch changes, on a collection with translations and on one without.

    dataset                                   --systems--> GapRow ...
    dataset, every page in one language drawn --systems--> GapRow ...

Where every page exists in every language, a method that deals languages evenly cannot be wrong. So the same systems
search a collection in which every page is in a single language, drawn at random: there nothing is gained by evenness.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from interlingua_evaluation.gap.gap_study import GapRow, mean_figure, row_of
from interlingua_evaluation.systems.system_name import SystemName
from interlingua_evaluation.systems.system_runs import SystemRuns

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset, Half

SYSTEMS = (
    "dense",
    "dense+offsets",
    "dense+calibration",
    "dense+offsets+calibration",
    "dense+offsets+unbalanced+rerank@50",
    "dense+offsets+rerank@50",
    "dense+offsets+quota+unbalanced+rerank@50",
    "dense+offsets+quota+rerank@50",
    "dense+offsets+calibration+rerank@50",
)
SEEDS = (1, 2, 3)


def with_translations(runs: SystemRuns, half: Half, names: Sequence[str] = SYSTEMS) -> list[GapRow]:
    """The dataset as it is."""
    return [row_of(str(run.name), run.lists, half) for run in runs.of([SystemName.parse(name) for name in names])]


def without_translations(runs: SystemRuns, half: Half, names: Sequence[str] = SYSTEMS) -> Iterator[GapRow]:
    """Every page in one language: the means of three draws."""
    drawn = []
    for seed in SEEDS:
        kept = one_language_each(runs.dataset, seed)
        part = SystemRuns(
            dataset=_judged_among(runs.dataset, kept),
            vectors=runs.vectors,
            asked_in=runs.asked_in,
            scorer=runs.scorer,
            kept=kept,
            stored=runs.stored,
        )
        drawn.append(with_translations(part, half, names))
    for rows in zip(*drawn, strict=True):
        figures = [mean_figure([row[place] for row in rows]) for place in range(1, 5)]
        yield GapRow(rows[0].name, *figures)


def one_language_each(dataset: Dataset, seed: int) -> npt.NDArray[np.bool_]:
    """Draws one document of every group; bool [documents]."""
    random = np.random.default_rng(seed)
    members: dict[str, list[int]] = {}
    for number, document in enumerate(dataset.documents):
        members.setdefault(document.group, []).append(number)
    kept = np.zeros(len(dataset.documents), dtype=bool)
    for _, numbers in sorted(members.items()):
        kept[numbers[int(random.integers(len(numbers)))]] = True
    return kept


def _judged_among(dataset: Dataset, kept: npt.NDArray[np.bool_]) -> Dataset:
    there = {document.id for document, is_kept in zip(dataset.documents, kept, strict=True) if is_kept}
    qrels = {
        query: {document: grade for document, grade in grades.items() if document in there}
        for query, grades in dataset.qrels.items()
    }
    return replace(dataset, qrels=qrels)
