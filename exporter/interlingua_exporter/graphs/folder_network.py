"""Loads the torch network of a model folder, every weight of it from the folder.

folder --AutoModel--> network, float32, evaluation mode;  missing or misfitting weights --> InputError
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import torch

    from interlingua_exporter.models.spec import ModelSpec

_SHOWN = 3  # weights that a message names
_HEADS = ("pooler.", "cls.", "lm_head.", "vocab_", "generator_", "discriminator_", "mlm_head.", "decoder.")
_BUFFERS = ("position_ids", "token_type_ids", "rotary_emb.inv_freq", "masked_bias", ".attn.bias")


def load_network(spec: ModelSpec, folder: Path, auto_class: str = "") -> tuple[torch.nn.Module, tuple[str, ...]]:
    """The transformers model with the head that `spec.head` needs, and notes on weights that it has no use for.

    Args:
        auto_class: of transformers; "" for the one that `spec` asks for.

    Raises:
        InputError: it cannot be loaded, or a weight is not in the folder: transformers would make up a random one.
    """
    import torch
    import transformers

    try:
        with quiet_transformers():
            network, loading = getattr(transformers, auto_class or auto_class_of(spec)).from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=spec.remote_code,
                attn_implementation="eager",
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are told below, by name
            )
    except Exception as error:  # transformers raises OSError, ValueError, ImportError, pickle's errors, ...
        reason = str(error).strip().split("\n", 1)[0]
        if "trust_remote_code" in str(error):
            reason = (
                "it needs Python code of its own, which would run with your rights, here and in every server; read "
                "that code, then pass --trust-remote-code"
            )
        elif not any(folder.glob("*.safetensors")) and not any(folder.glob("*.bin")):
            reason = "it has no weights, neither *.safetensors nor *.bin: fetch them, or give the folder that has them"
        raise InputError(f"{spec.id}: the network cannot be loaded from {folder}: {reason}") from error
    _require_all(spec, network, loading, folder)
    return network.eval(), tuple(_left_over(type(network).__name__, loading["unexpected_keys"], folder))


def auto_class_of(spec: ModelSpec) -> str:
    """The name of transformers' class that loads what the head needs."""
    if spec.role == "embedder":
        return "AutoModel"
    return "AutoModelForCausalLM" if spec.head in ("yes", "yes-no") else "AutoModelForSequenceClassification"


def _require_all(spec: ModelSpec, network: torch.nn.Module, loading: dict[str, Any], folder: Path) -> None:
    # An embedder has no use for the pooler, and many are published without one.
    missing = [key for key in loading["missing_keys"] if spec.role == "reranker" or not key.startswith("pooler.")]
    misfits = [f"{key} is {list(found)} instead of {list(wanted)}" for key, found, wanted in loading["mismatched_keys"]]
    faults = [
        f"{len(names)} {what}: {', '.join(sorted(names)[:_SHOWN])}{', ...' * (len(names) > _SHOWN)}"
        for what, names in (
            ("missing", missing),
            ("of another size", misfits),
            ("that are none of its own", loading["unexpected_keys"] if missing else ()),
        )
        if names
    ]
    if missing or misfits:
        raise InputError(
            f"{spec.id}: the weights in {folder} are not those of the {type(network).__name__} that its config.json "
            f"describes, and none is made up: of {len(network.state_dict())}, {'; '.join(faults)}. Give the folder of "
            "the trained model, whole, with its own config.json"
        )


def _left_over(kind: str, names: Iterable[str], folder: Path) -> Iterator[str]:
    """Tells of weights, but for heads that training needed and buffers of old releases."""
    left = sorted(name for name in names if not name.startswith(_HEADS) and not name.endswith(_BUFFERS))
    if left:
        yield (
            f"{len(left)} weights in {folder} are none of a {kind} and take no part: {', '.join(left[:_SHOWN])}"
            f"{', ...' * (len(left) > _SHOWN)}"
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
