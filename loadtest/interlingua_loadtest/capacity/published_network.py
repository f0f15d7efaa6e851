"""A network in a model repository, as something that can be called in this process.

<network>/config.pbtxt, <service>/config.pbtxt --> PublishedNetwork --shapes, feed--> int64 [texts, longest]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from interlingua.base.errors import InputError
from interlingua.served.service import EMBED_QUERY, RERANK, ServiceSpec

SERVICES = {"embedder": EMBED_QUERY, "reranker": RERANK}
"""The service by which a network's texts come, by the network's name."""

_TEXTS = (1, 2, 4, 8, 16, 32, 64)
_LENGTHS = (8, 16, 32, 64, 128, 256, 512)
_SPECIALS = 4  # ids below this are specials in most vocabularies

Feed = dict[str, npt.NDArray[np.int64]]


@dataclass(frozen=True, kw_only=True)
class PublishedNetwork:
    """A published network, and what a call of it looks like."""

    name: str
    path: Path
    tokenizer: Path
    precision: str
    threads: int
    inputs: tuple[str, ...]
    vocabulary: int
    max_tokens: int
    max_batch: int
    max_batch_tokens: int

    def feed(self, texts: int, longest: int) -> Feed:
        """A full rectangle: int64 [texts, longest] each, the ids spread over the vocabulary, nothing masked."""
        ids = np.random.default_rng(texts * longest).integers(_SPECIALS, self.vocabulary, (texts, longest))
        tensors = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        return {name: tensors[name] for name in self.inputs}

    def shapes(self) -> list[tuple[int, int]]:
        """(texts, longest) of the calls that a service may make."""
        lengths = sorted({min(length, self.max_tokens) for length in _LENGTHS})
        return [
            (texts, length)
            for length in lengths
            for texts in _TEXTS
            if texts <= self.max_batch and (texts == 1 or texts * length <= self.max_batch_tokens)
        ]


def published_networks(repository: Path) -> Iterator[PublishedNetwork]:
    """The networks of a model repository, in their highest version.

    Raises:
        InputError: one is exported for a GPU, or the configurations are not those of an export.
    """
    from interlingua.repository.triton_config import CONFIG_FILE

    for name, service in SERVICES.items():
        if (repository / name / CONFIG_FILE).is_file():
            try:
                yield _read(repository, name, service)
            except (KeyError, ValueError, IndexError) as error:
                raise InputError(
                    f"{repository / name}: not as `interlingua export` writes it ({error!r}): export again"
                ) from error


def _read(repository: Path, name: str, service: str) -> PublishedNetwork:
    from interlingua.repository.triton_config import CONFIG_FILE, kind_of, parameters_of, read_config
    from interlingua.served.graph_names import TOKENIZER_FILE
    from interlingua_exporter.graphs.onnx_graph import MODEL_FILE

    config = read_config(repository / name / CONFIG_FILE)
    if kind_of(config) == "gpu":
        raise InputError(f"{repository / name} is exported for a GPU: only CPU networks are measured in this process")
    parameters = parameters_of(config)
    of_service = parameters_of(read_config(repository / service / CONFIG_FILE))
    version = max(config.version_policy.specific.versions)
    return PublishedNetwork(
        name=name,
        path=repository / name / str(version) / MODEL_FILE,
        tokenizer=repository / service / str(version) / TOKENIZER_FILE,
        precision=parameters[f"{version}/precision"],
        threads=int(parameters["intra_op_thread_count"]),
        inputs=tuple(entry.name for entry in config.input),
        vocabulary=int(parameters[f"{version}/vocabulary"]),
        max_tokens=int(parameters[f"{version}/max_tokens"]),
        max_batch=config.max_batch_size,
        max_batch_tokens=ServiceSpec.from_parameters(of_service, version).max_batch_tokens,
    )
