"""A published version as a function: token ids in, vectors or scores out.

    <version>/ --from_pretrained, assemble--> graph on its device;  {name: int64 [n, L]} --run--> float32 [n, D]

Nothing is fetched: what is not in the folder is an error. The model's own Python code runs only where the caller says
so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import transformers
from torch import nn

from interlingua.served.networks.assembly import assemble
from interlingua.served.networks.description import DENSE, MODEL, Description
from interlingua.served.networks.full_parts import keep_full

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class ServedNetwork:
    """A version's network on a device."""

    def __init__(self, folder: Path, *, device: str = "cpu", trust_remote_code: bool = False) -> None:
        """Load it.

        Raises:
            ValueError: files are missing or damaged, weights are not all there, or it needs code of its own that the
                caller does not allow.
        """
        self.description = Description.read(folder)
        dtype = _DTYPES[self.description.precision]
        network = _load(folder / MODEL, self.description.assembly.auto_class, dtype, trust_remote_code)
        graph = assemble(network, self.description.assembly, _dense(folder, self.description))
        if dtype != torch.float32:
            keep_full(graph, dtype)
        self._device = torch.device(device)
        self._graph = graph.to(self._device)

    def run(self, tensors: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        """int64 [n, L] by input name -> float32 [n, D]."""
        names = self.description.inputs
        with torch.inference_mode():
            inputs = [torch.from_numpy(tensors[name]).to(self._device) for name in names]
            values: NDArray[np.float32] = self._graph(*inputs).float().cpu().numpy()
            return values


def _load(folder: Path, auto_class: str, dtype: torch.dtype, trust_remote_code: bool) -> nn.Module:
    try:
        network, loading = getattr(transformers, auto_class).from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=trust_remote_code,
            use_safetensors=True,
            dtype=dtype,
            output_loading_info=True,
        )
    except Exception as error:  # transformers, safetensors and the model's own code raise what they like
        reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
        if "trust_remote_code" in str(error):
            reason = "it needs Python code of its own, and this version was not published with --trust-remote-code"
        raise ValueError(f"{folder}: the network cannot be loaded: {reason}") from error
    missing = [key for key in loading["missing_keys"] if not str(key).startswith("pooler.")]
    if missing or loading["mismatched_keys"]:
        raise ValueError(f"{folder}: weights are missing or misfit: {sorted(map(str, missing))[:3]}")
    network.config.use_cache = False
    result: nn.Module = network.eval()
    return result


def _dense(folder: Path, description: Description) -> list[nn.Module]:
    shapes = description.assembly.dense
    if not shapes:
        return []
    from safetensors.torch import load_file

    layers = nn.Sequential(*(shape.layer() for shape in shapes))
    try:
        layers.load_state_dict(load_file(folder / DENSE))
    except Exception as error:  # safetensors' errors share no base class with torch's
        raise ValueError(f"{folder / DENSE}: the dense layers cannot be loaded: {error}") from error
    return list(layers)
