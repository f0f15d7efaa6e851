"""Which precisions a model may be exported in, as its entry says, before any work begins.

ModelSpec, precision (, where it will run) --require--> nothing, or InputError;  --caution--> a note for the user
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.served.kinds import EXACT_BITS

if TYPE_CHECKING:
    from interlingua.base.processor import Processor
    from interlingua.repository.triton_config import Placement
    from interlingua.served.kinds import Precision, WeightBits
    from interlingua_exporter.models.spec import ModelSpec


def require_allowed(spec: ModelSpec, precision: Precision) -> None:
    """Raises InputError with the entry's reason where it forbids the precision, or does not name it."""
    allowed = ", ".join(name for name in spec.precisions if spec.verdict(name) != "forbidden")
    if spec.verdict(precision) == "forbidden":
        raise InputError(f"{spec.id} must not be exported in {precision}, only in {allowed}: {reason(spec, precision)}")
    if precision not in spec.precisions:
        raise InputError(f"{spec.id} cannot be exported in {precision}, only in {allowed}")


def require_runnable(precision: Precision, placement: Placement, *, fuse: bool) -> None:
    """Raises InputError where a server could not run the export, or would be slowed by it."""
    if precision == "bf16" and placement.kind == "cpu":
        raise InputError("bf16 runs on GPUs alone, ONNX Runtime has no products in it on CPUs: add --kind gpu")
    if fuse and placement.kind == "cpu":
        raise InputError("--fuse is for GPUs, fused operators are slow on CPUs: add --kind gpu, or leave --fuse out")
    if fuse and precision == "int8":
        raise InputError("--fuse does not go with int8, which is for CPUs: choose fp16, bf16 or fp32")


def require_exact_gate(weight_bits: WeightBits, processor: Processor) -> None:
    """Raises InputError where the gate would run int8 products that this CPU gets wrong."""
    if weight_bits != EXACT_BITS and processor.saturates:
        raise InputError(
            f"--weight-bits {weight_bits} cannot be checked on this CPU, {processor}, which shows no VNNI and "
            "multiplies such weights wrongly: leave it out, or export on a CPU with VNNI"
        )


def reason(spec: ModelSpec, precision: Precision) -> str:
    """Why the entry says what it says of a precision; "" where it says nothing."""
    return next((limit.why for limit in spec.precision_limits if limit.precision == precision), "")


def caution(spec: ModelSpec, precision: Precision) -> str:
    """What the user should know about an allowed precision; "" where there is nothing."""
    why = reason(spec, precision)
    if precision == "fp32" or spec.verdict(precision) == "safe":
        return ""
    if spec.verdict(precision) == "guarded":
        return f"{precision} is guarded, norms, softmax, pooling and head stay in fp32: {why}"
    return f"{precision} is unproven for {spec.id}{': ' if why else ''}{why}; the gate is all that speaks for it"
