"""Teachers: whatever scores documents for a query.

    "neutral" (the untrained start) | a late-interaction folder --> LateInteractionTeacher
    a cross-encoder                                             --> CrossEncoderTeacher
    an embedder                                                 --> EmbedderTeacher

Scores come out as logits: higher is better, and differences of about one count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import torch

from interlingua.base.errors import InputError
from interlingua_adaptation.training import trainee as trainees
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.weights import sources
from interlingua_exporter.weights.checkpoint_folder import Overrides
from interlingua_exporter.weights.late_interaction.late_interaction_settings import is_late_interaction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interlingua.served.text.tokenizer import Text
    from interlingua_adaptation.lists import TrainingList
    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.graphs.late_interaction import EncodedTokens, LateInteractionReranker
    from interlingua_exporter.weights.late_interaction.late_interaction_rows import SideRows

_LONGEST_QUERY = 64
_LONGEST_DOCUMENT = 128
_TOKENS_AT_ONCE = 4096  # padded, of one call to the encoder
_KEPT_DOCUMENTS = 20_000  # of 80 tokens and 384 dimensions in half precision: some 1.2 GB
_COSINE_TO_LOGIT = 20.0  # the temperature of 0.05 that contrastive embedders are trained with (E5 says 0.01 to 0.05)


class Asked(NamedTuple):
    """A query and the documents to score for it."""

    query: str
    documents: Sequence[str]


class Teacher(Protocol):
    """Scores documents for queries, many at a time."""

    def scores(self, asked: Sequence[Asked]) -> list[list[float]]:
        """One logit a document, in order."""


def load(name: str, lists: Sequence[TrainingList], *, base: str) -> Teacher:
    """The teacher of that name.

    Args:
        name: "neutral", the untrained start of `base`; a checkpoint folder; or any model that the exporter loads.

    Raises:
        InputError: there is no such model.
    """
    if name == trainees.NEUTRAL or is_late_interaction(Path(name)):
        trainee = trainees.begin(name, lists, base=base)
        return LateInteractionTeacher(trainee.network, trainee.rows)
    checkpoint = sources.load(resolve(name), Overrides())
    if checkpoint.interaction is not None:
        raise InputError(f"{name}: of late interaction the folder of one that was trained here can teach, no other")
    return EmbedderTeacher(checkpoint) if checkpoint.spec.role == "embedder" else CrossEncoderTeacher(checkpoint)


class LateInteractionTeacher:
    """Encodes every text once in a call, and keeps documents for the next as long as they fit."""

    def __init__(self, network: LateInteractionReranker, rows: SideRows) -> None:
        self._network, self._rows = network, rows
        self._documents: dict[str, EncodedTokens] = {}

    @torch.no_grad()
    def scores(self, asked: Sequence[Asked]) -> list[list[float]]:
        """Late interaction's logits."""
        queries = self._encode(self._rows.queries([each.query for each in asked], _LONGEST_QUERY))
        if len(self._documents) > _KEPT_DOCUMENTS:
            self._documents.clear()
        new = _new((text for each in asked for text in each.documents), self._documents)
        self._documents.update(zip(new, self._encode(self._rows.documents(new, _LONGEST_DOCUMENT)), strict=True))
        return [
            [float(self._network.score_all(query.float(), self._documents[text].float())) for text in each.documents]
            for query, each in zip(queries, asked, strict=True)
        ]

    def _encode(self, rows: list[list[int]]) -> list[EncodedTokens]:
        encoded: list[EncodedTokens | None] = [None] * len(rows)
        with torch.autocast("cpu", torch.bfloat16):
            for batch in _batches([len(row) for row in rows]):
                tokens = self._network.token_vectors(*self._rows.batch([rows[number] for number in batch]))
                for place, number in enumerate(batch):
                    encoded[number] = tokens.row(place, len(rows[number])).half()
        return [tokens for tokens in encoded if tokens is not None]


class CrossEncoderTeacher:
    """Any reranker that the exporter can load."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint

    def scores(self, asked: Sequence[Asked]) -> list[list[float]]:
        """The raw logits."""
        logits = iter(_run(self._checkpoint, [(each.query, text) for each in asked for text in each.documents]))
        return [[float(next(logits)[0]) for _ in each.documents] for each in asked]


class EmbedderTeacher:
    """Any embedder that the exporter can load; its cosines times 20."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._documents: dict[str, NDArray[np.float32]] = {}

    def scores(self, asked: Sequence[Asked]) -> list[list[float]]:
        """The teacher's scores: cosines, scaled."""
        spec = self._checkpoint.spec
        new = _new((text for each in asked for text in each.documents), self._documents)
        self._documents.update(zip(new, self._embed([spec.document_prompt + text for text in new]), strict=True))
        queries = self._embed([spec.query_prompt + each.query for each in asked])
        return [
            [_COSINE_TO_LOGIT * float(self._documents[text] @ query) for text in each.documents]
            for query, each in zip(queries, asked, strict=True)
        ]

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if not texts:
            return np.empty((0, self._checkpoint.dimension), np.float32)
        vectors = _run(self._checkpoint, texts)
        units: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return units


@torch.no_grad()
def _run(checkpoint: Checkpoint, texts: Sequence[Text]) -> NDArray[np.float32]:
    """The network's output for texts or pairs, float32 [n, D], in order."""
    encoder = checkpoint.text_encoder()
    tokens = encoder.encode(texts)
    output = np.empty((len(texts), checkpoint.dimension), np.float32)
    for batch in _batches([len(each) for each in tokens]):
        inputs = encoder.collate([tokens[number] for number in batch], checkpoint.inputs)
        output[batch] = checkpoint.graph(*(torch.from_numpy(array) for array in inputs.values())).numpy()
    return output


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Numbers of texts by length, as many together as the token budget holds."""
    batches: list[list[int]] = []
    for number in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if not batches or (len(batches[-1]) + 1) * lengths[batches[-1][0]] > _TOKENS_AT_ONCE:
            batches.append([])
        batches[-1].append(number)
    return batches


def _new(texts: Iterable[str], known: Mapping[str, object]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text not in known]
