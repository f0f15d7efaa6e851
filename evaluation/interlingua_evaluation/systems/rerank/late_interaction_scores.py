"""A late-interaction reranker's logits for all candidates, without pairing a text twice.

    documents, queries --tokenizer--> one row a side --encoder, bf16--> token vectors (content tokens only)
    for each document: the queries that have it as a candidate, one matrix product --> logits [queries, documents]

A side never sees the other one, so encoding every text once gives what the service gives a pair
(interlingua_exporter/graphs/late_interaction.py); either side may hold `max_tokens`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor

from interlingua.base.errors import InputError
from interlingua.display.progress import progress
from interlingua_exporter.graphs.late_interaction import LateInteractionReranker
from interlingua_exporter.weights.late_interaction.late_interaction_rows import Row, SideRows

if TYPE_CHECKING:
    from interlingua_client.embedder import FloatArray
    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_exporter.graphs.checkpoint import Checkpoint

PRECISION = torch.bfloat16  # of the encoder; scores are summed up in float32

_TOKENS_AT_ONCE = 4096  # padded, of one call to the encoder
_CLOSEST_TO_NOTHING = -1.0  # what forward() gives a query token when the document has no content


class Side(NamedTuple):
    """The content tokens of many texts, one text after the other.

    Attributes:
        vectors: float16 [tokens, d].
        importance: float32 [tokens].
        starts: int64 [texts + 1]; text i has the tokens starts[i] to starts[i + 1].
    """

    vectors: Tensor
    importance: Tensor
    starts: Tensor

    def tokens_of(self, texts: Tensor) -> Tensor:
        """The numbers of these texts' tokens, in order."""
        lengths = self.starts.diff()[texts]
        places = lengths.cumsum(0) - lengths  # where each text's tokens begin in the answer
        return torch.arange(int(lengths.sum())) + (self.starts[texts] - places).repeat_interleave(lengths)


class Sides(NamedTuple):
    """All texts of a dataset."""

    queries: Side
    documents: Side

    def save(self, folder: Path) -> None:
        """Write six files into a folder that is there."""
        for name, side in zip(self._fields, self, strict=True):
            for part, tensor in zip(side._fields, side, strict=True):
                np.save(folder / f"{name}-{part}.npy", tensor.numpy())

    @classmethod
    def load(cls, folder: Path) -> Sides:
        """Read what `save` wrote."""
        return cls(*(Side(*(_loaded(folder / f"{name}-{part}.npy") for part in Side._fields)) for name in cls._fields))


def _loaded(file: Path) -> Tensor:
    return torch.from_numpy(np.load(file))


@dataclass(frozen=True)
class LateInteractionScorer:
    """Scores texts with one reranker."""

    network: LateInteractionReranker
    rows: SideRows
    max_tokens: int

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> LateInteractionScorer:
        """The scorer of a loaded checkpoint.

        Raises:
            InputError: it is another kind of reranker, or none.
        """
        network = checkpoint.graph
        if not isinstance(network, LateInteractionReranker):
            raise InputError(f"{checkpoint.spec.id} is no late-interaction reranker: this table compares only those")
        network.encoder.set_attn_implementation("sdpa")  # type: ignore[operator]
        tokenizer = Tokenizer.from_str(checkpoint.tokenizer_json.decode("utf-8"))
        rows = SideRows(tokenizer, separator_id=network.separator_id, pad_token_id=checkpoint.pad_token_id)
        return cls(network, rows, checkpoint.spec.max_tokens)

    def scores(self, dataset: Dataset, wanted: npt.NDArray[np.bool_]) -> FloatArray:
        """Logits of the wanted pairs, float32 [queries, documents]; nan elsewhere."""
        return self.compare(self.sides(dataset), wanted)

    def sides(self, dataset: Dataset) -> Sides:
        """Every text of the dataset, encoded."""
        queries = self.rows.queries([query.text for query in dataset.queries], self.max_tokens)
        passages = [document.indexed.passage for document in dataset.documents]
        documents = self.rows.documents(passages, self.max_tokens)
        with progress(f"encoding {dataset.name}", unit="texts", total=len(queries) + len(documents)) as bar:
            return Sides(self.encode(queries, bar.advance), self.encode(documents, bar.advance))

    def compare(self, sides: Sides, wanted: npt.NDArray[np.bool_]) -> FloatArray:
        """Logits of the wanted pairs, float32 [queries, documents]; nan elsewhere."""
        return _score(sides.queries, sides.documents, wanted, float(self.network.scale.detach()))

    @torch.no_grad()
    def encode(self, rows: Sequence[Row], advance: Callable[[int], None] = lambda _: None) -> Side:
        """Rows in their order; read in batches of like lengths."""
        vectors: list[Tensor] = [torch.empty(0)] * len(rows)
        importance: list[Tensor] = [torch.empty(0)] * len(rows)
        for batch in _batches(rows):
            with torch.autocast("cpu", PRECISION, enabled=torch.float32 != PRECISION):
                tokens = self.network.token_vectors(*self.rows.batch([rows[number] for number in batch]))
            for place, number in enumerate(batch):
                content = tokens.content[place]
                vectors[number] = tokens.vectors[place][content].half()
                importance[number] = tokens.importance[place][content].float()
            advance(len(batch))
        lengths = torch.tensor([0, *map(len, importance)])
        return Side(torch.cat(vectors), torch.cat(importance), lengths.cumsum(0))


def _batches(rows: Sequence[Row]) -> list[list[int]]:
    """Numbers of rows, longest first, so that memory peaks at once and not at the end."""
    batches: list[list[int]] = []
    for number in sorted(range(len(rows)), key=lambda row: -len(rows[row])):
        if not batches or (len(batches[-1]) + 1) * len(rows[batches[-1][0]]) > _TOKENS_AT_ONCE:
            batches.append([])
        batches[-1].append(number)
    return batches


@torch.no_grad()
def _score(queries: Side, documents: Side, wanted: npt.NDArray[np.bool_], scale: float) -> FloatArray:
    """scale * weighted mean over a query's tokens of the closest document token's dot product."""
    lengths = queries.starts.diff()
    totals = torch.segment_reduce(queries.importance, "sum", lengths=lengths, initial=0.0).clamp(min=1e-6)
    weights = queries.importance / totals.repeat_interleave(lengths)
    vectors = queries.vectors.float()
    scores = np.full(wanted.shape, np.nan, dtype=np.float32)
    with progress("scoring", unit="documents", total=wanted.shape[1]) as bar:
        for number in range(wanted.shape[1]):
            asking = torch.from_numpy(np.flatnonzero(wanted[:, number]))
            if len(asking):
                tokens = queries.tokens_of(asking)
                document = documents.vectors[documents.starts[number] : documents.starts[number + 1]].float()
                closest = _closest(vectors[tokens], document)
                sums = torch.segment_reduce(weights[tokens] * closest, "sum", lengths=lengths[asking], initial=0.0)
                scores[asking.numpy(), number] = scale * sums.numpy()
            bar.advance(1)
    return scores


def _closest(tokens: Tensor, document: Tensor) -> Tensor:
    if not len(document):
        return torch.full((len(tokens),), _CLOSEST_TO_NOTHING)
    return (tokens @ document.T).amax(dim=1)
