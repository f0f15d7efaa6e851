"""The rate at which a card multiplies matrices, as measured: what utilisation is a share of.

    arithmetic, rows n --n x n products in a row--> seconds of a product, repeat by repeat --2 n^3--> FLOP/s
    best size, median repeat --> MatrixRate

Datasheets state a rate that no card holds under its power limit, so the share of what the card itself does on the
easiest of work is what says how good the rest is. Values are normally distributed: products of zeros draw less power
and run at higher clocks. fp32 is measured without and with TF32 (`fp32`, `tf32`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from interlingua_benchmarks.gpu_bench.card import under_load
from interlingua_benchmarks.gpu_bench.device import first_line
from interlingua_benchmarks.gpu_bench.products.timing import fitting, once, times
from interlingua_benchmarks.gpu_bench.records import MatrixRate

if TYPE_CHECKING:
    from interlingua_benchmarks.gpu_bench.card import CardState
    from interlingua_benchmarks.gpu_bench.settings import Arithmetic, Device, Runtime, Scale


class Products(Protocol):
    """Matrix products of one size and arithmetic.

    Attributes:
        at_once: products that one call begins.
    """

    at_once: int

    def call(self) -> None:
        """Begins the products."""

    def wait(self) -> None:
        """Until all that was begun is done."""


def matrix_rates(
    device: Device, arithmetics: Sequence[Arithmetic], scale: Scale, runtime: Runtime
) -> Iterator[MatrixRate]:
    """One rate an arithmetic, as soon as it is measured; one that cannot be measured says why."""
    for arithmetic in arithmetics:
        yield _rate(device, arithmetic, scale, runtime)


def _rate(device: Device, arithmetic: Arithmetic, scale: Scale, runtime: Runtime) -> MatrixRate:
    samples: dict[int, tuple[float, ...]] = {}
    card: CardState | None = None
    for size in scale.matrix_sizes:
        try:
            products = _makers()[runtime](device, arithmetic, size)
            samples[size] = _product_seconds(products, scale)
            if size == scale.matrix_sizes[-1]:
                card = under_load(partial(once, products.call, products.wait), device)
        except Exception as error:  # a size too large, or an arithmetic that the device lacks
            return MatrixRate(arithmetic, runtime, samples, card, f"{size} rows: {first_line(error)}")
    return MatrixRate(arithmetic, runtime, samples, card)


def _product_seconds(products: Products, scale: Scale) -> tuple[float, ...]:
    once(products.call, products.wait)  # allocates, and chooses its kernel
    guess = once(products.call, products.wait)
    rounds = fitting(guess, scale.point_s / scale.repeats)
    many = times(products.call, rounds)
    once(many, products.wait)
    seconds = [once(many, products.wait) for _ in range(scale.repeats)]
    return tuple(one / (rounds * products.at_once) for one in seconds)


def _makers() -> dict[Runtime, Callable[[Device, Arithmetic, int], Products]]:
    from interlingua_benchmarks.gpu_bench.products.onnx_products import OnnxProducts
    from interlingua_benchmarks.gpu_bench.products.torch_products import TorchProducts

    return {"torch": TorchProducts, "onnxruntime": OnnxProducts}
