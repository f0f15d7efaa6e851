"""Matrix products through torch: `torch.mm` into the same matrix again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from interlingua_benchmarks.gpu_bench.settings import Arithmetic, Device

DTYPES: dict[Arithmetic, torch.dtype] = {
    "fp32": torch.float32,
    "tf32": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
}


def allow_tf32(allowed: bool) -> None:
    """For fp32 products of this process on GPUs; a CPU has none."""
    torch.backends.cuda.matmul.fp32_precision = "tf32" if allowed else "ieee"


def wait_for(device: Device) -> None:
    """Until the device has done all that was begun."""
    if device.kind == "cuda":
        torch.cuda.synchronize(device.index)


class TorchProducts:
    """A product a call (matrix_rate.Products)."""

    at_once = 1

    def __init__(self, device: Device, arithmetic: Arithmetic, size: int) -> None:
        """Raises torch's own errors: out of memory, no such arithmetic."""
        allow_tf32(arithmetic == "tf32")
        made = torch.Generator(str(device)).manual_seed(size)
        shape, dtype = (size, size), DTYPES[arithmetic]
        self._device = device
        self._left, self._right = (
            torch.randn(shape, generator=made, device=str(device), dtype=torch.float32).to(dtype) for _ in range(2)
        )
        self._product = torch.empty_like(self._left)

    def call(self) -> None:
        torch.mm(self._left, self._right, out=self._product)

    def wait(self) -> None:
        wait_for(self._device)
