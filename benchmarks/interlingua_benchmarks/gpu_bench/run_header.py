"""What the figures of a run have to be read with.

BenchSettings, environment.py, nvidia-smi, torch, onnxruntime --> {"date": ..., "card": ..., "packages": ..., ...}
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

from interlingua.base.plain import plain
from interlingua_benchmarks.gpu_bench.card import read_card
from interlingua_loadtest.run.environment import describe_environment

if TYPE_CHECKING:
    from interlingua_benchmarks.gpu_bench.settings import BenchSettings

_PACKAGES = ("torch", "transformers", "onnx", "onnxruntime", "onnxruntime-gpu", "tensorrt")


def run_header(settings: BenchSettings) -> dict[str, Any]:
    """By name, as JSON holds it: among them device, card, packages, cuda, cudnn, date, commit, modified, scale."""
    facts = describe_environment(None)
    cuda, cudnn = _cuda()
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "device": str(settings.device),
        "card": plain(read_card(settings.device)),
        "hardware": facts["hardware"],
        "python": facts["python"],
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        "cuda": cuda,
        "cudnn": cudnn,
        "commit": facts["commit"],
        "modified": facts["modified"],
        "scale": plain(settings.scale),
        "seed": settings.seed,
    }


def _cuda() -> tuple[str | None, int | None]:
    """The versions that torch brings, which onnxruntime-gpu takes, too; None where there are none."""
    try:
        import torch
    except ImportError:
        return None, None
    version: int | None = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    return torch.version.cuda, version


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
