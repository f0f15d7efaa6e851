"""A checkpoint's torch graph on a device, its network in one arithmetic; pooling, dense layers and head stay fp32.

graph, fp32 --copied, every weight straight to the device in its format, SDPA, keep_full--> TorchNetwork

The weights of the checkpoint are not touched and not copied on the host, so that the next arithmetic starts from fp32
again. The parts that stay in fp32 are the `torch` backend's (interlingua/served/networks).
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from interlingua.served.networks.full_parts import keep_full
from interlingua_benchmarks.gpu_bench.device import release
from interlingua_benchmarks.gpu_bench.products.torch_products import DTYPES, allow_tf32, wait_for

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from interlingua_benchmarks.gpu_bench.networks.loaded_network import Batch
    from interlingua_benchmarks.gpu_bench.settings import Arithmetic, Device
    from interlingua_exporter.graphs.checkpoint import Checkpoint


class TorchNetwork:
    """loaded_network.LoadedNetwork through torch."""

    def __init__(self, checkpoint: Checkpoint, arithmetic: Arithmetic, device: Device) -> None:
        """Raises torch's own errors."""
        allow_tf32(arithmetic == "tf32")
        self._device = device
        self._names = checkpoint.inputs
        self._graph = placed_graph(checkpoint.graph, DTYPES[arithmetic], str(device))

    def place(self, batch: Batch) -> tuple[Tensor, ...]:
        return tuple(torch.from_numpy(batch[name]).to(str(self._device)) for name in self._names)

    def start(self, placed: Any) -> None:
        with torch.inference_mode():
            self._graph(*placed)

    def wait(self) -> None:
        wait_for(self._device)

    def answer(self, batch: Batch) -> NDArray[np.float32]:
        with torch.inference_mode():
            answers: NDArray[np.float32] = self._graph(*self.place(batch)).float().cpu().numpy()
        return answers

    def close(self) -> None:
        del self._graph
        release(self._device)


def placed_graph(graph: nn.Module, dtype: torch.dtype, device: str) -> nn.Module:
    """A copy of a graph on a device, with its transformers network in `dtype`."""
    network = _network(graph)
    inside = {id(parameter) for parameter in network.parameters()}
    # deepcopy takes what the memo holds for an object: so no weight is copied on the way.
    memo: dict[int, Any] = {}
    for parameter in graph.parameters():
        wanted = dtype if id(parameter) in inside else parameter.dtype
        memo[id(parameter)] = nn.Parameter(parameter.detach().to(device, wanted), requires_grad=False)
    for buffer in graph.buffers():  # rotary angles stay as exact as they are
        memo[id(buffer)] = buffer.detach().to(device)
    copied: nn.Module = copy.deepcopy(graph, memo)
    own: Any = _network(copied)
    own.set_attn_implementation("sdpa")
    if dtype != torch.float32:
        keep_full(copied, dtype)
    return copied.eval()


def _network(graph: nn.Module) -> nn.Module:
    """The transformers model without its head."""
    from transformers import PreTrainedModel

    found = next(module for module in graph.modules() if isinstance(module, PreTrainedModel))
    base: nn.Module = found.base_model
    return base
