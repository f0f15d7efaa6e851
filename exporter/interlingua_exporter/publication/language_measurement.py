"""A model's language vectors, measured on texts that say the same in every language.

parallel texts --as documents, as queries: the network--> unit vectors --mean a language--> LanguageVectors
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interlingua.repository.text_encoder import Framed
from interlingua.served.language_vectors import LanguageVectors, RoleVectors
from interlingua.served.service import EMBED_DOCUMENT, EMBED_QUERY
from interlingua_exporter.graphs.network_session import open_network
from interlingua_exporter.texts.parallel_texts import documents, queries
from interlingua_exporter.texts.text_frame import frame_of
from interlingua_exporter.weights.dummy.dummy_folder import is_dummy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.graphs.network_session import NetworkSession

_BATCH = 32


def measure_languages(
    checkpoint: Checkpoint, network: Path, threads: int, on_step: Callable[[str], None]
) -> LanguageVectors | None:
    """What a network in a folder makes of the parallel texts; None for a reranker, or for random weights.

    Raises:
        ExportError: the network does not load, or fails on a text.
    """
    spec = checkpoint.spec
    if spec.role != "embedder" or is_dummy(spec.revision):
        return None
    on_step("measuring where it puts each language")
    session = open_network(network, threads=threads, trust_remote_code=spec.remote_code)
    roles = []
    for service, texts in ((EMBED_DOCUMENT, documents()), (EMBED_QUERY, queries())):
        frame = frame_of(spec, service)
        every = [Framed(text, frame) for of_language in texts.values() for text in of_language]
        roles.append(_means(texts, _unit_vectors(checkpoint, session, every)))
    if any(role is None for role in roles):
        return None
    return LanguageVectors("", *(role for role in roles if role is not None))


def _unit_vectors(checkpoint: Checkpoint, session: NetworkSession, texts: Sequence[Framed]) -> npt.NDArray[np.float64]:
    """[texts, D], in order; texts of one length go together."""
    encoder = checkpoint.text_encoder()
    rows = encoder.encode(texts)
    order = sorted(range(len(rows)), key=lambda number: len(rows[number]))
    vectors = np.empty((len(rows), checkpoint.dimension))
    for start in range(0, len(order), _BATCH):
        places = order[start : start + _BATCH]
        vectors[places] = session.run(encoder.collate([rows[place] for place in places], checkpoint.inputs))
    units: npt.NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units


def _means(texts: Mapping[str, Sequence[str]], vectors: npt.NDArray[np.float64]) -> RoleVectors | None:
    """None where a vector is not finite."""
    if not np.isfinite(vectors).all():
        return None
    by_language = vectors.reshape(len(texts), -1, vectors.shape[1]).mean(axis=1).astype(np.float32)
    return RoleVectors.of_means(dict(zip(texts, by_language, strict=True)))
