"""The files of a model folder: which are read, which are harmless beside them, and which change the model.

folder, its parts --file_remarks--> Remarks
"""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_exporter.weights.statements.remark import Remark

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

_SHOWN = 5
_TOKENS = "colbert_linear.pt"
_ADAPTERS = ("adapter_config.json", "adapter_model.*", "pytorch_adapter.bin")
# Read by us or by transformers; the same weights in other formats; what training and the Hub leave behind.
_KNOWN = """
config.json configuration.json model*.safetensors* pytorch_model*.bin* tf_model.h5 flax_model.msgpack rust_model.ot
model.onnx *.onnx_data *.gguf onnx openvino coreml
tokenizer* special_tokens_map.json added_tokens.json vocab* merges.txt *.model *.tiktoken chat_template* *.jinja
modules.json sentence_*_config.json config_sentence_transformers.json artifact.metadata
generation_config.json preprocessor_config.json processor_config.json
README* LICENSE* LICENCE* NOTICE* *.md *.png *.jpg *.jpeg *.svg *.pdf *.py requirements.txt eval evaluation assets
*results*.json *results*.csv training_args.bin trainer_state.json optimizer.* scheduler.* rng_state* scaler.pt
images checkpoint-* runs logs data_config.json train_script.py model_args.json __pycache__
"""


def refuse_adapters(folder: Path) -> None:
    """Raises InputError: the folder's weights are not the whole model, whether peft is installed or not."""
    if found := sorted({path.name for pattern in _ADAPTERS for path in folder.glob(pattern)}):
        raise InputError(
            f"{folder} holds an adapter ({', '.join(found)}), LoRA say, and base weights alone are another model: "
            "merge it into them (peft's merge_and_unload, then save_pretrained) and export that folder"
        )


def file_remarks(folder: Path, transformer: Path, parts: Collection[Path]) -> Iterator[Remark]:
    """What lies in the folder and is not read.

    Args:
        transformer: the part with config.json.
        parts: all folders that modules.json names.
    """
    for root in dict.fromkeys((folder.resolve(), transformer)):
        unread = [path.name for path in sorted(root.iterdir()) if not _is_known(path, parts)]
        if unread:
            more = f" and {len(unread) - _SHOWN} more" * (len(unread) > _SHOWN)
            hint = f"; --head late-interaction exports the model with {_TOKENS}" * (_TOKENS in unread)
            shown = f"{', '.join(unread[:_SHOWN])}{more}"
            yield Remark(f"{root}: {shown}: not read, and no part of what is published{hint}")


def _is_known(path: Path, parts: Collection[Path]) -> bool:
    if path.name.startswith(".") or any(part.is_relative_to(path.resolve()) for part in parts):
        return True
    return any(fnmatch(path.name, known) for known in _KNOWN.split())
