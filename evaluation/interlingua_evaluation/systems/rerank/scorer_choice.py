"""Which way a published reranker's logits are had.

late interaction whose checkpoint is at hand --> in-process, checked against the service (in_process_scores.py)
anything else                                --> every pair through the service (served_scores.py)
systems of a stored form                     --> sides through their services, compared as stored (stored_scores.py)
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from interlingua.base.errors import InputError
from interlingua_client.index.token_store.quantization import FORMATS
from interlingua_evaluation.systems.rerank.in_process_scores import InProcessScorer
from interlingua_evaluation.systems.rerank.served_scores import ServedScorer
from interlingua_evaluation.systems.rerank.served_sides import ServedSides
from interlingua_evaluation.systems.rerank.stored_scores import StoredScorer

if TYPE_CHECKING:
    from interlingua.repository.published import Published
    from interlingua.served.service import ServiceSpec
    from interlingua_evaluation.serving import LiveServer
    from interlingua_evaluation.systems.rerank.pair_scores import PairScorer
    from interlingua_exporter.graphs.checkpoint import Checkpoint

Through = Literal["auto", "server", "in-process"]


def choose_scorer(
    models: Published, live: LiveServer, root: Path, through: Through, checkpoint: str | None = None
) -> PairScorer | None:
    """The scorer; None where no reranker is published.

    Args:
        root: folder of the caches.
        checkpoint: folder or catalogue name of what was exported; None takes the catalogue's, if it is that revision.

    Raises:
        InputError: `in-process` was asked for and cannot be had, or the checkpoint cannot be read.
    """
    if models.reranker is None:
        return None
    served = ServedScorer(models.reranker, live.client, root)
    if through == "server":
        return served
    found = _late_interaction(models.reranker, checkpoint)
    if found is not None:
        return InProcessScorer(found, served, root)
    if through == "in-process":
        raise InputError(
            f"{models.reranker.model_id} cannot be computed in-process: that takes a late-interaction reranker whose "
            "folder is named with --reranker-checkpoint"
        )
    return served


def stored_scorers(models: Published, live: LiveServer, root: Path, forms: Collection[str]) -> dict[str, PairScorer]:
    """The reranker by stored token vectors, by their form's name; none where no reranker is published."""
    if models.reranker is None:
        return {}
    sides = ServedSides(models.reranker, live.client, root)
    return {form: StoredScorer(sides, FORMATS[form]) for form in forms}


def _late_interaction(spec: ServiceSpec, checkpoint: str | None) -> Checkpoint | None:
    from interlingua_exporter.graphs.late_interaction import LateInteractionReranker
    from interlingua_exporter.models import catalog
    from interlingua_exporter.models.resolve import resolve
    from interlingua_exporter.weights.checkpoint_folder import Overrides
    from interlingua_exporter.weights.sources import load

    try:
        model = resolve(checkpoint or spec.model_id)
    except InputError:
        if checkpoint is not None:
            raise
        return None
    if checkpoint is None and (model.entry is None or catalog.revision(model.entry) != spec.revision):
        return None
    loaded = load(model, Overrides())
    return loaded if isinstance(loaded.graph, LateInteractionReranker) else None
