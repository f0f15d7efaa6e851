"""How the gate's samples become calls to a network, and the network's values become answers: [samples, D].

Sample --its service's tokenizer--> a row --run--> an embedding, or a pair's score
Sample --each side's tokenizer--> two rows --run--> token vectors --MaxSim--> the pair's score
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from interlingua.repository.text_encoder import Framed
from interlingua.served.late_interaction.side_vectors import document_vectors, query_vectors
from interlingua.served.text.tokenizer import SideRow, Tokens
from interlingua.served.token_vectors import max_sim

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from interlingua.repository.text_encoder import TextEncoder
    from interlingua.served.late_interaction.sides import LateInteraction
    from interlingua_exporter.gate.ranking_agreement import Values
    from interlingua_exporter.graphs.checkpoint import Checkpoint

    Run = Callable[[Mapping[str, NDArray[np.int64]]], NDArray[np.float32]]
    Collate = Callable[[Sequence[Tokens]], Mapping[str, NDArray[np.int64]]]


class Answering(Protocol):
    """The samples of one gate.

    Attributes:
        rows: all that the network reads.
        lengths: tokens of each sample.
    """

    rows: list[Tokens]
    lengths: list[int]

    def answers(self, run: Run, samples: Sequence[int]) -> Values:
        """What a network makes of some samples in one call, float64 [n, D]; of a lone one, each row by itself."""
        ...


def answering(
    encoder: TextEncoder,
    texts: Sequence[Framed],
    inputs: Sequence[str],
    interaction: LateInteraction | None,
    empty_similarity: float = -1.0,
) -> Answering:
    """How a network with these inputs is asked. Raises InputError: the tokenizer cannot be used.

    Args:
        interaction, empty_similarity: as `Checkpoint`'s.
    """

    def collate(rows: Sequence[Tokens]) -> Mapping[str, NDArray[np.int64]]:
        return encoder.collate(rows, inputs)

    if interaction is None:
        return RowAnswering(encoder.encode(texts), collate)
    rules = (interaction.query, interaction.document)
    sides = [[Framed(text, side) for text, side in zip(framed.text, rules, strict=True)] for framed in texts]
    places = {side: place for place, side in enumerate(dict.fromkeys(side for pair in sides for side in pair))}
    pairs = [(places[query], places[document]) for query, document in sides]
    return SideAnswering(interaction, empty_similarity, encoder.encode(list(places)), pairs, collate)


def asked_of(checkpoint: Checkpoint, encoder: TextEncoder, texts: Sequence[Framed]) -> Answering:
    """How a checkpoint's network is asked. Raises as `answering`."""
    return answering(encoder, texts, checkpoint.inputs, checkpoint.interaction, checkpoint.empty_similarity)


class RowAnswering:
    """A row a sample."""

    def __init__(self, rows: list[Tokens], collate: Collate) -> None:
        self.rows, self._collate = rows, collate
        self.lengths = [len(row) for row in rows]

    def answers(self, run: Run, samples: Sequence[int]) -> Values:
        return run(self._collate([self.rows[sample] for sample in samples])).astype(np.float64)


class SideAnswering:
    """Two rows a sample: a query's and a document's, each read by itself."""

    def __init__(
        self,
        interaction: LateInteraction,
        empty: float,
        rows: list[Tokens],
        pairs: Sequence[tuple[int, int]],
        collate: Collate,
    ) -> None:
        """`pairs`: where query and document of each sample are among the rows; `empty` as `Checkpoint`'s."""
        self._interaction, self._empty = interaction, empty
        self.rows, self._pairs, self._collate = rows, pairs, collate
        self.lengths = [len(rows[query]) + len(rows[document]) for query, document in pairs]

    def pair(self, sample: int) -> tuple[Tokens, Tokens]:
        """A sample's query and document."""
        query, document = self._pairs[sample]
        return self.rows[query], self.rows[document]

    def answers(self, run: Run, samples: Sequence[int]) -> Values:
        wanted = list(dict.fromkeys(place for sample in samples for place in self._pairs[sample]))
        kept: dict[int, NDArray[np.float32]] = {}
        for call in [[place] for place in wanted] if len(samples) == 1 else [wanted]:
            outputs = run(self._collate([self.rows[place] for place in call]))
            kept |= {place: _kept(self.rows[place], output) for place, output in zip(call, outputs, strict=True)}
        return np.array([[self._score(*(kept[place] for place in self._pairs[sample]))] for sample in samples])

    def _score(self, query: NDArray[np.float32], document: NDArray[np.float32]) -> float:
        vectors = document_vectors(document, self._interaction)
        starts = np.array([0, len(vectors)])
        return float(max_sim(query_vectors(query, self._interaction), vectors, starts, self._empty)[0])


def _kept(row: Tokens, output: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the network gave, [L, values], at the places that count."""
    return output[list(row.kept)] if isinstance(row, SideRow) else output[: len(row)]
