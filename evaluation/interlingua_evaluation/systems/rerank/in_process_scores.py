"""Logits of a late-interaction reranker without pairing a text twice, checked against its service.

    Pairs --every text encoded once (score_cache.py)--> logits
          --a few of them through the live rerank service--> difference, reported; too large: refused

Asking a service for every pair of every pool costs hours on a processor where encoding every text once costs minutes.
Queries and documents do not see each other before they are compared, so the answer is the same but for rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError
from interlingua_evaluation.systems.rerank.pair_scores import Pairs

if TYPE_CHECKING:
    from interlingua_client.embedder import FloatArray
    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.systems.rerank.served_scores import ServedScorer
    from interlingua_exporter.graphs.checkpoint import Checkpoint

_CHECKED = 24
_SEED = 20260101
_TOLERATED = 0.5  # of the logits' standard deviation, root mean square; another checkpoint is at 1 and more


@dataclass
class InProcessScorer:
    """A PairScorer that computes what a service would answer."""

    checkpoint: Checkpoint
    served: ServedScorer
    root: Path
    _how: str = field(default="every text encoded once, in-process (bf16)", init=False)

    @property
    def digest(self) -> str:
        return self.served.digest

    @property
    def model_id(self) -> str:
        return self.served.model_id

    @property
    def weight(self) -> float:
        return self.served.weight

    @property
    def how(self) -> str:
        return self._how

    def scores(self, dataset: Dataset, pairs: Pairs) -> FloatArray:
        """Logits, float32 [n].

        Raises:
            InputError: the service answers something else.
            ServerError: it is away.
        """
        from interlingua_evaluation.systems.rerank.score_cache import cached_scores, checkpoint_digest

        wanted = np.zeros((len(dataset.queries), len(dataset.documents)), dtype=bool)
        wanted[pairs.queries, pairs.documents] = True
        matrix = cached_scores(self.checkpoint, checkpoint_digest(self.checkpoint), dataset, wanted, self.root)
        logits: FloatArray = matrix[pairs.queries, pairs.documents]
        self._check(dataset, pairs, logits)
        return logits

    def _check(self, dataset: Dataset, pairs: Pairs, logits: FloatArray) -> None:
        chosen = np.sort(np.random.default_rng(_SEED).permutation(len(pairs))[:_CHECKED])
        if not len(chosen):
            return
        served = self.served.scores(dataset, Pairs(pairs.queries[chosen], pairs.documents[chosen]))
        difference = served - logits[chosen]
        rms, largest = float(np.sqrt(np.nanmean(difference**2))), float(np.nanmax(np.abs(difference)))
        spread = float(logits.std())
        self._how = (
            f"every text encoded once, in-process (bf16); {len(chosen)} pairs checked through the rerank service "
            f"({self.served.spec.precision}): they differ by {rms:.3f} (root mean square; {largest:.3f} at most), "
            f"where logits spread by {spread:.3f}"
        )
        if len(pairs) > _CHECKED and rms > _TOLERATED * spread:
            raise InputError(
                f"the rerank service is not {self.model_id} as it is computed here: on {len(chosen)} pairs they differ "
                f"by {rms:.3f} (root mean square), where logits spread by {spread:.3f}. Ask the service for every pair "
                "with --rerank-through server"
            )
