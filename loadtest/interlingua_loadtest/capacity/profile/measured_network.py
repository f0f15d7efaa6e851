"""A network in a model repository, as something that can be called in this process.

PublishedVersion --> MeasuredNetwork --shapes, feed--> int64 [texts, longest]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from interlingua.base.errors import InputError
from interlingua.repository.families import ROLES, family_of
from interlingua.served.graph_names import MODEL_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua.repository.published import Published, PublishedVersion

SERVICES = {family.network: family.services[0] for family in map(family_of, ROLES)}
"""The service by which a network's texts come, by the network's name."""

_TEXTS = (1, 2, 4, 8, 16, 32, 64)
_LENGTHS = (8, 16, 32, 64, 128, 256, 512)
_SPECIALS = 4  # ids below this are specials in most vocabularies

Feed = dict[str, npt.NDArray[np.int64]]


@dataclass(frozen=True, kw_only=True)
class MeasuredNetwork:
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


def measured_networks(published: Published) -> list[MeasuredNetwork]:
    """The newest network of every family.

    Raises:
        InputError: one is exported for a GPU, or the configurations are not those of an export.
    """
    return [_measured(found) for found in published.newest_versions()]


def _measured(found: PublishedVersion) -> MeasuredNetwork:
    network, service = found.network, SERVICES[found.network.name]
    if network.kind == "gpu":
        raise InputError(f"{network.folder} is exported for a GPU: only CPU networks are measured in this process")
    return MeasuredNetwork(
        name=network.name,
        path=found.folder / MODEL_FILE,
        tokenizer=found.tokenizer(service),
        precision=found.precision,
        threads=network.threads,
        inputs=network.inputs,
        vocabulary=found.number("vocabulary"),
        max_tokens=found.number("max_tokens"),
        max_batch=network.max_batch,
        max_batch_tokens=found.specs[service].max_batch_tokens,
    )
