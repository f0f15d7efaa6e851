"""How large a model's weights are, told before they are loaded.

catalogue entry --of_entry--> StoredWeights;  a folder's safetensors headers, or its .bin files --of_folder--> the same
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.base.json_object import read_object
from interlingua_exporter.models.memory_need import WEIGHT_BYTES, download_bytes, memory_need, parameters
from interlingua_exporter.models.spec import HubSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interlingua.served.kinds import Precision
    from interlingua_exporter.models.spec import ModelSpec

GATE_TOKENS = 1024  # the longest text of the parity gate (interlingua_exporter/texts/parity_texts.py)
GATE_BATCH = 6
_HEADER = 100_000_000  # bytes; safetensors' own limit for the header of a file
_STORED: dict[str, Precision] = {"float16": "fp16", "bfloat16": "bf16", "float32": "fp32"}
_NOT_WEIGHTS = ("training_args.bin", "optimizer.bin", "scheduler.bin")


@dataclass(frozen=True)
class StoredWeights:
    """What is known of a model's weights.

    Attributes:
        parameters: of the network and its dense layers.
        largest: values of the largest tensor; 0 where it is not known.
        activations: bytes in fp32 for the parity gate's largest batch; 0 where the sizes are not known.
        download: bytes that the Hub has to send; 0 for what lies here.
        hub_id: of the model on the Hub, "" where it does not come from there.
    """

    parameters: int
    largest: int = 0
    activations: int = 0
    download: int = 0
    hub_id: str = ""

    @property
    def full_bytes(self) -> int:
        """Bytes of the weights in fp32."""
        return self.parameters * WEIGHT_BYTES["fp32"]


def of_entry(spec: ModelSpec) -> StoredWeights | None:
    """The weights as the entry states them; None where it does not state the network."""
    row = min(spec.max_tokens, GATE_TOKENS)
    need = memory_need(spec, "fp32", tokens=GATE_BATCH * row, longest=row)
    if need is None or spec.network is None:
        return None
    table = spec.network.vocabulary * spec.network.hidden
    from_hub = isinstance(spec.source, HubSource)
    return StoredWeights(
        parameters(spec),
        table,
        need.activations,
        download_bytes(spec) if from_hub else 0,
        spec.source.id or spec.id if isinstance(spec.source, HubSource) else "",
    )


def of_folder(folder: Path) -> StoredWeights | None:
    """The weights as the files say; None where there are none, or none that can be read: whoever loads them says why.

    Pickled weights are counted by their size and config.json's `dtype`.
    """
    safe = sorted(_files(folder, "*.safetensors"))
    if not safe:
        pickled = sum(path.stat().st_size for path in _files(folder, "*.bin") if path.name not in _NOT_WEIGHTS)
        return StoredWeights(pickled // WEIGHT_BYTES[_dtype(folder)]) if pickled else None
    try:
        counts = [math.prod(shape) for path in safe for shape in _shapes(path)]
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return StoredWeights(sum(counts), max(counts, default=0)) if counts else None


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    """In the folder, and in those of its modules (`0_Transformer`, `2_Dense`)."""
    yield from folder.glob(pattern)
    yield from folder.glob(f"[0-9]*_*/{pattern}")


def _shapes(path: Path) -> Iterator[list[int]]:
    """The shape of every tensor, from the file's header: its length in 8 bytes, then JSON (the format's own page)."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _HEADER:
            raise ValueError(f"{path}: no safetensors file")
        header: dict[str, Any] = json.loads(file.read(length))
    yield from (tensor["shape"] for name, tensor in header.items() if name != "__metadata__")


def _dtype(folder: Path) -> Precision:
    try:
        config = read_object(folder / "config.json")
    except InputError:
        return "fp32"
    return _STORED.get(str(config.get("dtype") or config.get("torch_dtype")), "fp32")
