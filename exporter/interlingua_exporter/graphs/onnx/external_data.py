"""ONNX external data: weights in a file beside the graph, page-aligned so that it can be mapped.

array --ExternalData.tensor--> bytes in model.onnx.data, and a TensorProto that points at them
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import external_data_helper, numpy_helper

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

_ALIGNMENT = 4096  # bytes: a page
_SMALLEST = 1024  # bytes; what is smaller stays in the graph, where shape inference needs it


class ExternalData:
    """Writes one data file; a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")

    def __enter__(self) -> ExternalData:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def tensor(self, name: str, array: NDArray[np.generic]) -> onnx.TensorProto:
        """The array as an initializer: in the data file, or inside the graph where it is small."""
        if array.nbytes < _SMALLEST:
            # A scalar stays one: ascontiguousarray would make it a row.
            return numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
        self._file.write(b"\0" * (-self._file.tell() % _ALIGNMENT))
        offset = self._file.tell()
        array.tofile(self._file)
        tensor = onnx.TensorProto(
            name=name, dims=array.shape, data_type=onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
        )
        tensor.raw_data = b""
        external_data_helper.set_external_data(tensor, self._path.name, offset=offset, length=array.nbytes)
        tensor.ClearField("raw_data")
        return tensor


def read_initializer(tensor: onnx.TensorProto, folder: Path) -> NDArray[np.float32]:
    """An initializer's values, wherever they lie."""
    return numpy_helper.to_array(tensor, str(folder))
