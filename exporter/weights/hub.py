"""Fetches a model folder from the Hugging Face Hub.

"org/name" --model_info--> commit, files --snapshot_download (weights once, no code)--> Snapshot
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from interlingua.errors import InputError

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_SMALL = ("*.json", "*.txt", "*.model", "README.md")


@dataclass(frozen=True)
class Snapshot:
    """A model folder at one commit."""

    folder: Path
    revision: str


def is_hub_id(name: str) -> bool:
    """Whether a name has the form `organization/model`."""
    return _ID.fullmatch(name) is not None


def fetch(model_id: str, *, revision: str | None = None, with_code: bool = False) -> Snapshot:
    """Download what an export needs, or take it from the Hub's own cache.

    Args:
        revision: branch, tag or commit; None for the default branch.
        with_code: also the model's own Python files; only where the user trusts them.

    Raises:
        InputError: the Hub cannot be reached, or has no such model.
    """
    from huggingface_hub import HfApi, snapshot_download

    try:
        info = HfApi().model_info(model_id, revision=revision)
        names = {sibling.rfilename for sibling in info.siblings or ()}
        safe = any(name.endswith(".safetensors") for name in names)
        weights = ["*.safetensors", "*_Dense/*.bin"] if safe else ["*.bin"]
        folder = snapshot_download(
            model_id,
            revision=info.sha,
            allow_patterns=[*_SMALL, *weights, *(["*.py"] if with_code else [])],
            ignore_patterns=["onnx/*", "openvino/*"],
        )
    except Exception as error:  # httpx's, huggingface_hub's and the operating system's errors
        reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
        raise InputError(
            f"{model_id} is not a folder here, and could not be fetched from the Hub ({reason}). "
            "Check the name and the network, or give a local folder."
        ) from error
    return Snapshot(Path(folder), info.sha or "")
