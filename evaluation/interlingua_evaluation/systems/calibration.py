"""Similarities standardized within each document language: an experiment, evaluated and not served.

    one query's scores of a language's documents --minus their mean, over their deviation--> comparable across languages

The idea is that a language whose documents all score high has no claim on the first ranks. Score normalisation of this
kind is an old proposal for merging runs of several languages, with little evidence for it; docs/evaluation.md has what
it does here. It needs the scores of all documents, which a graph search does not have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from interlingua_client.embedder import FloatArray, IntArray
    from interlingua_evaluation.systems.first_stage import FirstStage, PoolScores


@dataclass(frozen=True)
class CalibratedStage:
    """A first stage whose scores are standardized language by language.

    Attributes:
        languages: of every document of the dataset.
    """

    stage: FirstStage
    languages: npt.NDArray[np.str_]

    def pool(self, documents: IntArray) -> PoolScores:
        score = self.stage.pool(documents)
        names, language_of = np.unique(self.languages[documents], return_inverse=True)
        members = [np.flatnonzero(language_of == number) for number in range(len(names))]
        return lambda queries: _standardized(score(queries), members)


def _standardized(scores: FloatArray, members: list[IntArray]) -> FloatArray:
    out = np.zeros_like(scores)
    for columns in members:
        part = scores[:, columns]
        deviation = part.std(axis=1, keepdims=True)
        out[:, columns] = (part - part.mean(axis=1, keepdims=True)) / np.where(deviation > 0, deviation, 1)
    return out
