"""The models to measure: with their own weights where those are at hand, else random ones in the true shape.

id --catalogue--> ModelSpec --archive, artefact, folder: own weights; Hub: dummy_checkpoint--> BenchModel
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_benchmarks.gpu_bench.networks.length_mix import mixed_rows
from interlingua_benchmarks.gpu_bench.networks.network_flops import NetworkFlops, flops_of
from interlingua_exporter.models import catalog
from interlingua_exporter.models.memory_need import parameters
from interlingua_exporter.models.spec import HubSource
from interlingua_exporter.models.this_machine import free_disk, free_memory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from interlingua.repository.text_encoder import TextEncoder
    from interlingua.served.text.tokenizer import Tokens
    from interlingua_benchmarks.gpu_bench.networks.loaded_network import Batch
    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.models.spec import ModelSpec

# Bytes a parameter: a dummy's folder on disk and the network in memory, in fp32, and what loading takes beside it.
_DISK_BYTES, _MEMORY_BYTES = 4, 6
_COMPARED = 4  # texts
_GB = 1e9


@dataclass(frozen=True)
class BenchModel:
    """A loaded model.

    Attributes:
        weights: `published`, or `random` in the true shape.
    """

    checkpoint: Checkpoint
    weights: str
    flops: NetworkFlops

    @cached_property
    def encoder(self) -> TextEncoder:
        return self.checkpoint.text_encoder()

    @cached_property
    def rows(self) -> list[Tokens]:
        """Texts of mixed length."""
        return mixed_rows(self.checkpoint, self.encoder)

    @cached_property
    def sample(self) -> Batch:
        """A few short texts, whose answers are compared."""
        return self.encoder.collate(sorted(self.rows, key=len)[:_COMPARED], self.checkpoint.inputs)

    @cached_property
    def reference(self) -> NDArray[np.float32]:
        """Their answers in fp32, by the checkpoint's own graph on the CPU."""
        import torch

        with torch.inference_mode():
            values = [torch.from_numpy(self.sample[name]) for name in self.checkpoint.inputs]
            answers: NDArray[np.float32] = self.checkpoint.graph(*values).numpy()
        return answers

    def deviation(self, answers: NDArray[np.float32]) -> float:
        """The largest distance from the reference, of an embedding to its length, of a score to the largest score."""
        import numpy as np

        lengths = np.linalg.norm(self.reference, axis=1)
        scale = lengths if self.checkpoint.spec.role == "embedder" else lengths.max()
        return float((np.linalg.norm(answers - self.reference, axis=1) / scale).max())


def specs(models: Sequence[str], catalogue: Path | None) -> list[ModelSpec]:
    """The entries of these names. Raises InputError naming all that are unknown."""
    known = catalog.entries(catalogue)
    found = {name: catalog.find(name, known) for name in models}
    if unknown := [name for name, spec in found.items() if spec is None]:
        raise InputError(f"not in the catalogue: {', '.join(unknown)}. {catalog.suggestion(unknown[0], known)}")
    return [spec for spec in found.values() if spec is not None]


def load(spec: ModelSpec, folder: Path) -> BenchModel:
    """Load a model.

    Args:
        folder: empty, for a dummy's files.

    Raises:
        InputError: it cannot be read, its shape is not stated, or memory or disk are too small.
        ExportError: it has parts that cannot be exported.
        ArchiveError: an archive cannot be had.
    """
    from interlingua_exporter.models.resolve import ResolvedModel
    from interlingua_exporter.weights import sources
    from interlingua_exporter.weights.checkpoint_folder import Overrides
    from interlingua_exporter.weights.dummy.dummy_folder import dummy_checkpoint

    require_room(spec, folder, disk_bytes=_DISK_BYTES, memory_bytes=_MEMORY_BYTES)
    if isinstance(spec.source, HubSource):
        checkpoint, weights = dummy_checkpoint(spec, folder), "random"
    else:
        checkpoint, weights = sources.load(ResolvedModel(spec.id, spec), Overrides()), "published"
    return BenchModel(checkpoint, weights, flops_of(checkpoint))


def require_room(spec: ModelSpec, folder: Path, *, disk_bytes: int, memory_bytes: int) -> None:
    """Raises InputError: memory or disk are too small for so many bytes a parameter."""
    count = parameters(spec)
    faults = [
        f"{count * size / _GB:.0f} GB of {what}, {free / _GB:.0f} GB are free"
        for what, size, free in (("disk", disk_bytes, free_disk(folder)), ("memory", memory_bytes, free_memory()))
        if count * size > free
    ]
    if faults:
        raise InputError(f"{spec.id} needs {'; and '.join(faults)}")
