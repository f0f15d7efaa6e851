"""Refuses int8 networks that this machine's CPU would get wrong, before anything starts.

repository's config.pbtxt, this CPU --require_exact_products--> nothing, or ServerError
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.base.errors import ServerError
from interlingua.base.processor import this_processor

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua.base.processor import Processor


def require_exact_products(repository: Path, processor: Processor | None = None) -> None:
    """Look at every version that is served.

    Args:
        processor: None for this machine's.

    Raises:
        ServerError: the CPU saturates sums of int8 products, and a network on it has weights of 8 bits.
    """
    processor = processor or this_processor()
    if not processor.saturates:
        return
    from interlingua.repository.triton_config import CONFIG_FILE, inexact_versions, read_config

    found = [
        f"{path.parent.name}/{version}"
        for path in sorted(repository.glob(f"*/{CONFIG_FILE}"))
        for version in inexact_versions(read_config(path))
    ]
    if found:
        raise ServerError(
            f"{', '.join(found)}: int8 with weights of 8 bits, which this CPU, {processor}, multiplies wrongly: it has "
            "no VNNI. Export again with --weight-bits 7 (the default), or serve it on a CPU with VNNI"
        )
