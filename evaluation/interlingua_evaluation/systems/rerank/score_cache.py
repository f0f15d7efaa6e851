"""A late-interaction reranker's token vectors on the disk: encoding a collection again costs minutes.

checkpoint, texts, side --digest--> tokens/KEY/{vectors,importance,starts}.npy, or encoded now and written
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from interlingua_client.embedder import FloatArray
    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.systems.rerank.late_interaction_scores import LateInteractionScorer, Sides
    from interlingua_exporter.graphs.checkpoint import Checkpoint

_METHOD = "bf16/4"  # how tokens are encoded: changed when that changes
_FOLDER = "tokens"


def cached_scores(
    checkpoint: Checkpoint, checkpoint_digest: str, dataset: Dataset, wanted: npt.NDArray[np.bool_], root: Path
) -> FloatArray:
    """Logits of the wanted pairs, float32 [queries, documents]; nan elsewhere.

    Raises:
        InputError: the checkpoint is no late-interaction reranker.
    """
    from interlingua_evaluation.systems.rerank.late_interaction_scores import LateInteractionScorer

    scorer = LateInteractionScorer.of(checkpoint)
    return scorer.compare(cached_sides(scorer, checkpoint_digest, dataset, root), wanted)


def cached_sides(scorer: LateInteractionScorer, checkpoint_digest: str, dataset: Dataset, root: Path) -> Sides:
    """Every text of the dataset, encoded now or before."""
    from interlingua_evaluation.systems.rerank.late_interaction_scores import Sides

    key = hashlib.sha256(f"{_METHOD} {checkpoint_digest} {dataset.texts_digest}".encode()).hexdigest()[:16]
    folder = root / _FOLDER / key
    if folder.is_dir():  # published by a rename: whole if it is there
        return Sides.load(folder)
    sides = scorer.sides(dataset)
    _publish(sides, folder)
    return sides


def _publish(sides: Sides, folder: Path) -> None:
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    sides.save(partial)
    partial.rename(folder)


def checkpoint_digest(checkpoint: Checkpoint) -> str:
    """SHA-256 over all that decides a logit: the weights, the tokenizer, and where texts are cut."""
    digest = hashlib.sha256(checkpoint.tokenizer_json)
    digest.update(f"{checkpoint.spec.max_tokens} {checkpoint.pad_token_id}".encode())
    for name, tensor in sorted(checkpoint.graph.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()
