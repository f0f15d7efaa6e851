"""What sentence-transformers answers to texts, from the same folder.

folder --SentenceTransformer--> encode_query, encode_document --> vectors;  folder --CrossEncoder--> raw logits
"""

from __future__ import annotations

import gc
import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.served.service import EMBED_QUERY
from interlingua_exporter.graphs.folder_network import quiet_transformers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua_exporter.gate.ranking_agreement import Values
    from interlingua_exporter.graphs.checkpoint import Checkpoint, LibraryFolder
    from interlingua_exporter.texts.parity_texts import Sample


def answers(checkpoint: Checkpoint, library: LibraryFolder, samples: Sequence[Sample]) -> Values:
    """Vectors or scores, float64 [n, D], in order; raises whatever the library does with a folder it cannot use."""
    make = _vectors if checkpoint.spec.role == "embedder" else _scores
    logger = logging.getLogger("sentence_transformers")
    level = logger.level
    try:
        logger.setLevel(logging.ERROR)  # what its warnings say, our notes do
        with quiet_transformers():
            return make(checkpoint, library, samples)
    finally:
        logger.setLevel(level)
        gc.collect()  # its copy of the weights, before the network is opened


def _loaded(kind: Any, checkpoint: Checkpoint, library: LibraryFolder) -> Any:
    import torch

    model = kind(
        str(library.folder),
        device="cpu",
        local_files_only=True,
        trust_remote_code=checkpoint.spec.remote_code,
        model_kwargs={"dtype": torch.float32},
    )
    model.max_seq_length = checkpoint.spec.max_tokens
    if model.tokenizer.pad_token is None:  # it wants one, and never needs it: texts are asked one by one
        model.tokenizer.pad_token = model.tokenizer.convert_ids_to_tokens(checkpoint.pad_token_id)
    return model


def _vectors(checkpoint: Checkpoint, library: LibraryFolder, samples: Sequence[Sample]) -> Values:
    from sentence_transformers import SentenceTransformer

    model = _loaded(SentenceTransformer, checkpoint, library)
    rows = [_vector(model, library, sample) for sample in samples]
    values: Values = np.stack(rows).astype(np.float64)
    if library.cut is None:
        return values
    values = values[:, : library.cut]
    return values / np.linalg.norm(values, axis=1, keepdims=True) if checkpoint.spec.normalize else values


def _vector(model: Any, library: LibraryFolder, sample: Sample) -> Any:
    query = sample.language == EMBED_QUERY
    encode = model.encode_query if query else model.encode_document
    said = library.query_prompt if query else library.document_prompt
    return encode(sample.text.text, prompt=said, show_progress_bar=False)


def _scores(checkpoint: Checkpoint, library: LibraryFolder, samples: Sequence[Sample]) -> Values:
    from sentence_transformers import CrossEncoder
    from torch.nn import Identity

    model = _loaded(CrossEncoder, checkpoint, library)
    pairs = [list(sample.text.text) for sample in samples]
    logits = np.stack([model.predict([pair], activation_fn=Identity(), show_progress_bar=False)[0] for pair in pairs])
    logits = logits.astype(np.float64).reshape(len(pairs), -1)
    return logits[:, 1:2] - logits[:, 0:1] if checkpoint.spec.head == "class-difference" else logits
