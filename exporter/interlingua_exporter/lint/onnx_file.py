"""What an ONNX file says of itself: tensors, versions, and where its weights lie; the weights are not read.

model.onnx --onnx.load, no external data--> OnnxFile
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from interlingua_exporter.lint import disk

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 2**31 - 1  # bytes: protobuf reads no larger message


class OnnxDamageError(ValueError):
    """The file is no ONNX model."""


@dataclass(frozen=True)
class GraphTensor:
    """An input or an output: Triton's name of its type, and its shape; -1 is open, None an unknown rank."""

    name: str
    data_type: str
    shape: tuple[int, ...] | None


@dataclass(frozen=True)
class ExternalFile:
    """A data file: where the graph says it is, and the bytes it must have."""

    location: str
    size: int


@dataclass(frozen=True, kw_only=True)
class OnnxFile:
    """The outside of a graph."""

    graph_name: str
    ir_version: int
    opset: int
    inputs: tuple[GraphTensor, ...]
    outputs: tuple[GraphTensor, ...]
    external: tuple[ExternalFile, ...]


def onnx_is_installed() -> bool:
    """Whether ONNX files can be read at all: `onnx` comes with the export extra."""
    from importlib.util import find_spec

    return find_spec("onnx") is not None


def read_onnx(path: Path) -> OnnxFile:
    """Raises OnnxDamageError: it is not ONNX, or larger than protobuf can read."""
    return _read(path, disk.size(path), disk.changed(path))


@lru_cache(maxsize=64)
def _read(path: Path, size: int, changed: float) -> OnnxFile:  # noqa: ARG001 - another time is another file
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        if size > _LARGEST:
            raise OnnxDamageError(f"it has {size} bytes; protobuf reads no more than 2 GiB")
        model = onnx.load(path, load_external_data=False)
    except (OSError, DecodeError, ValueError) as error:
        raise OnnxDamageError(str(error)) from error
    if not model.HasField("graph") or not model.graph.output:
        raise OnnxDamageError("it has no graph")
    weights = {tensor.name for tensor in model.graph.initializer}
    return OnnxFile(
        graph_name=model.graph.name,
        ir_version=model.ir_version,
        opset=max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0),
        inputs=tuple(_tensor(entry) for entry in model.graph.input if entry.name not in weights),
        outputs=tuple(_tensor(entry) for entry in model.graph.output),
        external=_external(model.graph.initializer),
    )


def saturating_products(path: Path) -> tuple[str, ...]:
    """Names of the int8 matrices whose products an x86 CPU without VNNI gets wrong; () where they cannot be read."""
    if not onnx_is_installed() or disk.size(path) <= 0:
        return ()
    return _saturating_products(path, disk.size(path), disk.changed(path))


@lru_cache(maxsize=64)
def _saturating_products(path: Path, size: int, changed: float) -> tuple[str, ...]:  # noqa: ARG001 - as above
    from google.protobuf.message import DecodeError
    from onnx.checker import ValidationError

    from interlingua_exporter.graphs.onnx.saturation import saturating

    try:
        return tuple(one.name for one in saturating(path)) if size <= _LARGEST else ()
    except (OSError, DecodeError, ValidationError, ValueError):
        return ()  # a damaged file has findings of its own


def _tensor(entry: Any) -> GraphTensor:
    kind = entry.type.tensor_type
    shape = tuple(axis.dim_value if axis.HasField("dim_value") else -1 for axis in kind.shape.dim)
    return GraphTensor(entry.name, _triton_type(kind.elem_type), shape if kind.HasField("shape") else None)


def _triton_type(number: int) -> str:
    import onnx

    names = {"FLOAT": "FP32", "FLOAT16": "FP16", "DOUBLE": "FP64", "BFLOAT16": "BF16"}
    if number not in onnx.TensorProto.DataType.values():
        return ""
    name = onnx.TensorProto.DataType.Name(number)
    return f"TYPE_{names.get(name, name)}"


def _external(tensors: Any) -> tuple[ExternalFile, ...]:
    sizes: dict[str, int] = {}
    for tensor in tensors:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        if "location" in entries:
            end = _whole(entries.get("offset")) + (_whole(entries.get("length")) or _least_bytes(tensor))
            sizes[entries["location"]] = max(sizes.get(entries["location"], 0), end)
    return tuple(ExternalFile(location, size) for location, size in sizes.items())


def _whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() else 0


def _least_bytes(tensor: Any) -> int:
    """Where the length is not stated: at least one bit a value or so; enough to see an empty file."""
    return max(math.prod(int(size) for size in tensor.dims) // 8, 1)
