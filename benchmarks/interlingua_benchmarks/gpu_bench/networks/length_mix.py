"""Texts of real lengths, as the service of a model would tokenize them.

helpdesk12 --as documents, or as pairs of question and document--> Tokens of each --drawn--> those that wait for a call

Short texts are many there and long ones few, in twelve languages: what a padded batch has to cope with.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from interlingua.repository.text_encoder import Framed, TextEncoder
from interlingua.served.text.tokenizer import Text, Tokens
from interlingua_exporter.texts.text_frame import frame_of

if TYPE_CHECKING:
    from interlingua_exporter.graphs.checkpoint import Checkpoint

_DATASET = "helpdesk12"
_SPECIALS = 4  # ids below this are specials in most vocabularies


def mixed_rows(checkpoint: Checkpoint, encoder: TextEncoder) -> list[Tokens]:
    """Every document of helpdesk12, or each of its questions with some document. Raises InputError as the encoder."""
    from interlingua_evaluation.datasets.sources import open_dataset

    spec, dataset = checkpoint.spec, open_dataset(_DATASET)
    documents = [document.indexed.passage for document in dataset.documents]
    if spec.role == "embedder":
        texts: list[Text] = list(documents)
    else:
        order = random.Random(0).choices(documents, k=len(dataset.queries))
        texts = [(query.text, document) for query, document in zip(dataset.queries, order, strict=True)]
    frame = frame_of(spec, checkpoint.family.document_service)
    return checkpoint.long_rows(encoder, [Framed(text, frame) for text in texts])


def drawn(rows: Sequence[Tokens], tokens: int, seed: int) -> list[Tokens]:
    """Rows, drawn with replacement until they have so many tokens together; equal seeds draw equally."""
    return list(_drawn(rows, tokens, random.Random(seed)))


def _drawn(rows: Sequence[Tokens], tokens: int, chance: random.Random) -> Iterator[Tokens]:
    held = 0
    while held < tokens:
        row = chance.choice(rows)
        held += len(row)
        yield row


def equal_rows(texts: int, length: int, vocabulary: int) -> list[Tokens]:
    """Texts of one length, with ids from all over the vocabulary."""
    lowest = min(_SPECIALS, vocabulary - 1)
    ids = np.random.default_rng(texts * length).integers(lowest, vocabulary, (texts, length))
    return [Tokens(tuple(row), (0,) * length) for row in ids.tolist()]
