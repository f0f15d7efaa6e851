"""A network in a version's folder, whatever runs it: the gate, verify and promote ask it alike.

folder --open_network--> OnnxSession | TorchSession: {input name: int64 [n, L]} --run--> float32 [n, D]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from interlingua.served.networks.description import FILE as TORCH_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from interlingua_exporter.graphs.onnx.onnx_session import TensorSignature


class NetworkSession(Protocol):
    """A loaded network."""

    @property
    def inputs(self) -> tuple[TensorSignature, ...]: ...

    @property
    def outputs(self) -> tuple[TensorSignature, ...]: ...

    def run(self, batch: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        """The output, [n, D]. Raises ExportError: the network fails on this batch."""
        ...


def open_network(folder: Path, *, threads: int, trust_remote_code: bool = False) -> NetworkSession:
    """The network of a version's folder.

    Args:
        trust_remote_code: whether code of the model's own may run, at the first batch and not before.

    Raises:
        ExportError: it does not load.
    """
    from interlingua.served.graph_names import MODEL_FILE
    from interlingua_exporter.graphs.onnx.onnx_session import OnnxSession
    from interlingua_exporter.graphs.torch_session import TorchSession

    if (folder / TORCH_FILE).is_file():
        return TorchSession(folder, threads=threads, trust_remote_code=trust_remote_code)
    return OnnxSession(folder / MODEL_FILE, threads=threads)
