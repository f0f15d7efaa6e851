"""Fetches a model folder from the Hugging Face Hub.

"org/name" --model_info--> commit, files --snapshot_download (weights once, no code)--> Snapshot
                                         --published_weights--> StoredWeights
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_exporter.models.memory_need import WEIGHT_BYTES
from interlingua_exporter.models.stored_weights import StoredWeights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huggingface_hub import ModelInfo

_SMALL = ("*.json", "*.jinja", "*.txt", "*.model", "README.md", "artifact.metadata")
_HEAD = "colbert_linear.pt"  # of an embedder with token vectors, beside its weights
_IGNORED = ["onnx/*", "openvino/*"]


@dataclass(frozen=True)
class Snapshot:
    """A model folder at one commit."""

    folder: Path
    revision: str


def fetch(model_id: str, *, revision: str | None = None, with_code: bool = False, hint: str = "") -> Snapshot:
    """Download what an export needs, or take it from the Hub's own cache.

    Args:
        revision: branch, tag or commit; None for the default branch.
        with_code: also the model's own Python files; only where the user trusts them.
        hint: a sentence for the message that there is no such model.

    Raises:
        InputError: the Hub cannot be reached, or has no such model.
    """
    from huggingface_hub import HfApi, snapshot_download

    with _told(model_id, hint):
        info = HfApi().model_info(model_id, revision=revision)
        folder = snapshot_download(
            model_id,
            revision=info.sha,
            allow_patterns=[*_SMALL, *_weights(info), *(["*.py"] if with_code else [])],
            ignore_patterns=_IGNORED,
        )
    return Snapshot(Path(folder), info.sha or "")


def published_weights(model_id: str, *, revision: str | None = None, hint: str = "") -> StoredWeights:
    """The size of a model's weights as the Hub states it; parameters are a lower bound where it does not count them.

    Raises:
        InputError: as `fetch`.
    """
    from huggingface_hub import HfApi

    with _told(model_id, hint):
        info = HfApi().model_info(model_id, revision=revision, files_metadata=True)
        sizes = {sibling.rfilename: sibling.size or 0 for sibling in info.siblings or ()}
        download = sum(size for name, size in sizes.items() if _matches(name, _weights(info)))
        counted = info.safetensors.total if info.safetensors else 0
    return StoredWeights(counted or download // WEIGHT_BYTES["fp32"], download=download, hub_id=model_id)


def _weights(info: ModelInfo) -> list[str]:
    """Patterns of the weights: pickled ones only where there are no others."""
    safe = any(sibling.rfilename.endswith(".safetensors") for sibling in info.siblings or ())
    return [_HEAD, *(["*.safetensors", "*_Dense/*.bin"] if safe else ["*.bin"])]


def _matches(name: str, patterns: list[str]) -> bool:
    """Whether a pattern fits, as `snapshot_download` takes them: a star goes over slashes."""
    return any(fnmatch(name, kept) for kept in patterns) and not any(fnmatch(name, left) for left in _IGNORED)


@contextmanager
def _told(model_id: str, hint: str) -> Iterator[None]:
    """Turns whatever goes wrong with the Hub into an InputError."""
    try:
        yield
    except Exception as error:  # httpx's, huggingface_hub's and the operating system's errors
        reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
        raise InputError(
            f"{model_id} is not a folder here, and could not be fetched from the Hub ({reason}). "
            f"Check the name and the network, or give a local folder. {hint}".rstrip()
        ) from error
