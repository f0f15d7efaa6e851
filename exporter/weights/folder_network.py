"""Loads the torch network of a model folder, every weight of it from the folder.

folder --AutoModel--> network, float32, evaluation mode;  missing or misfitting weights --> InputError
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlingua.errors import InputError

if TYPE_CHECKING:
    import torch

    from exporter.models.spec import ModelSpec

_SHOWN = 3  # weights that a message names


def load_network(spec: ModelSpec, folder: Path) -> torch.nn.Module:
    """The transformers model with the head that `spec.head` needs.

    Raises:
        InputError: it cannot be loaded, or a weight is not in the folder: transformers would make up a random one.
    """
    import torch

    try:
        with quiet_transformers():
            network, loading = _kind(spec).from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=spec.remote_code,
                attn_implementation="eager",
                dtype=torch.float32,
                output_loading_info=True,
            )
    except Exception as error:  # transformers raises OSError, ValueError, ImportError, pickle's errors, ...
        reason = str(error).strip().split("\n", 1)[0]
        if "trust_remote_code" in str(error):
            reason = "it needs Python code of its own; read that code, then pass --trust-remote-code"
        raise InputError(f"{spec.id}: the network cannot be loaded: {reason}") from error
    _require_all(spec, network, loading)
    result: torch.nn.Module = network.eval()
    return result


def _kind(spec: ModelSpec) -> Any:
    from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSequenceClassification

    if spec.role == "embedder":
        return AutoModel
    return AutoModelForCausalLM if spec.head in ("yes", "yes-no") else AutoModelForSequenceClassification


def _require_all(spec: ModelSpec, network: object, loading: dict[str, Any]) -> None:
    # An embedder has no use for the pooler, and many are published without one.
    missing = [key for key in loading["missing_keys"] if spec.role == "reranker" or not key.startswith("pooler.")]
    if missing or loading["mismatched_keys"]:
        some = ", ".join(sorted(map(str, missing or loading["mismatched_keys"]))[:_SHOWN])
        raise InputError(
            f"{spec.id}: the folder's weights are not those of {type(network).__name__}: {some} missing or misfit"
        )


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """No progress bars and warnings of transformers; what matters is checked here."""
    from transformers.utils import logging as transformers_logging

    logging: Any = transformers_logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
