"""What the torch backend will do with a version's folder, in this process.

<version>/network.json --Description--> signatures;  the first batch --ServedNetwork--> float32 [n, D]

Nothing of the model, and so none of its own code, is loaded before the first batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.base.errors import ExportError
from interlingua.served.networks.description import Description
from interlingua_exporter.graphs.folder_network import quiet_transformers
from interlingua_exporter.graphs.onnx.onnx_session import TensorSignature

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from interlingua.served.networks.served_network import ServedNetwork


class TorchSession:
    """A published torch network on this machine's CPU."""

    def __init__(self, folder: Path, *, threads: int, trust_remote_code: bool) -> None:
        """Raises ExportError: network.json is missing or damaged."""
        self._folder, self._threads, self._trusted = folder, threads, trust_remote_code
        self._network: ServedNetwork | None = None
        try:
            self._description = Description.read(folder)
        except ValueError as error:
            raise ExportError(str(error)) from error

    @property
    def inputs(self) -> tuple[TensorSignature, ...]:
        names = self._description.inputs
        return tuple(TensorSignature(name, "tensor(int64)", ("batch", "length")) for name in names)

    @property
    def outputs(self) -> tuple[TensorSignature, ...]:
        output = self._description.output
        return (TensorSignature(output, "tensor(float)", ("batch", self._description.dimension)),)

    def run(self, batch: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        """The output, [n, D]. Raises ExportError: the network does not load, or fails on this batch."""
        import torch

        threads = torch.get_num_threads()
        torch.set_num_threads(self._threads)
        try:
            result: NDArray[np.float32] = self._loaded().run(batch)
        except Exception as error:  # the model's own code raises what it likes
            raise ExportError(f"the torch network fails: {error}") from error
        finally:
            torch.set_num_threads(threads)
        wanted = (len(next(iter(batch.values()))), self._description.dimension)
        if result.shape != wanted:
            raise ExportError(f"the torch network gives {list(result.shape)}, not {list(wanted)}")
        return result

    def _loaded(self) -> ServedNetwork:
        from interlingua.served.networks.served_network import ServedNetwork

        if self._network is None:
            with quiet_transformers():
                self._network = ServedNetwork(self._folder, trust_remote_code=self._trusted)
        return self._network
