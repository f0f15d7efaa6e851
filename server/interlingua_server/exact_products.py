"""Refuses int8 networks that this machine's CPU would get wrong, before anything starts.

Published, this CPU --require_exact_products--> nothing, or ServerError
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.base.errors import ServerError
from interlingua.base.processor import this_processor

if TYPE_CHECKING:
    from interlingua.base.processor import Processor
    from interlingua.repository.published import Published


def require_exact_products(published: Published, processor: Processor | None = None) -> None:
    """Look at every version that is served; a configuration that cannot be read is Triton's to complain about.

    Args:
        processor: None for this machine's.

    Raises:
        ServerError: the CPU saturates sums of int8 products, and a network on it has weights of 8 bits.
    """
    processor = processor or this_processor()
    if not processor.saturates:
        return
    found = [f"{name}/{version}" for name, model in published.models.items() for version in model.inexact]
    if found:
        raise ServerError(
            f"{', '.join(found)}: int8 with weights of 8 bits, which this CPU, {processor}, multiplies wrongly: it "
            "shows no VNNI. Export again with --weight-bits 7 (the default), or serve it on a CPU with VNNI"
        )
