"""Compares a catalogue entry with the folder that is said to hold the model.

ModelSpec + folder/config.json --folder_faults--> ("hidden_size is 768, and the entry says 1024", ...)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.base.json_object import read_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from interlingua_exporter.models.spec import Head, ModelSpec

# config.json's names for a size, in the order in which they are looked for.
_SIZES = {
    "hidden": ("hidden_size", "n_embd", "dim", "d_model"),
    "layers": ("num_hidden_layers", "n_layer", "n_layers"),
    "heads": ("num_attention_heads", "n_head", "n_heads"),
    "vocabulary": ("vocab_size",),
}
_COLBERT = "HF_ColBERT"  # colbert-ai's name for whatever encoder it has
_LABELS: dict[Head, int] = {"classifier": 1, "class-difference": 2}


def folder_faults(spec: ModelSpec, folder: Path) -> tuple[str, ...]:
    """Where config.json contradicts the entry: sizes, class, number of labels.

    What one of the two does not state is no contradiction; a folder without a readable config.json is one.
    """
    try:
        config = _config(folder)
    except InputError as error:
        return (str(error),)
    return (*_size_faults(spec, config), *_class_faults(spec, config), *_label_faults(spec, config))


def require_agreement(spec: ModelSpec, folder: Path) -> None:
    """Raises InputError with every contradiction between an entry and a folder."""
    if faults := folder_faults(spec, folder):
        raise InputError(
            f"{folder} is not the model that the catalogue calls {spec.id}: {'; '.join(faults)}. Correct the entry "
            "(a file of your own can replace it: docs/models.md), or give the folder by its path."
        )


def _config(folder: Path) -> dict[str, Any]:
    paths = [folder / "config.json", folder / "0_Transformer" / "config.json"]
    return read_object(next((path for path in paths if path.is_file()), paths[0]), required=True)


def _size_faults(spec: ModelSpec, config: Mapping[str, Any]) -> list[str]:
    if spec.network is None:
        return []
    inner = config.get("text_config")
    sizes = {**config, **inner} if isinstance(inner, dict) else config
    faults = []
    for name, keys in _SIZES.items():
        key = next((key for key in keys if key in sizes), None)
        wanted = getattr(spec.network, name)
        if key is not None and wanted and sizes[key] != wanted:
            faults.append(f"{key} is {sizes[key]!r}, and the entry says {wanted}")
    return faults


def _class_faults(spec: ModelSpec, config: Mapping[str, Any]) -> list[str]:
    named = config.get("architectures")
    wanted = spec.network.architecture if spec.network else ""
    if not wanted or not isinstance(named, list) or not named or wanted in named or named == [_COLBERT]:
        return []
    return [f"its class is {', '.join(map(str, named))}, and the entry says {wanted}"]


def _label_faults(spec: ModelSpec, config: Mapping[str, Any]) -> list[str]:
    labels, wanted = config.get("id2label"), _LABELS.get(spec.head)
    stated = len(labels) if isinstance(labels, dict) else config.get("num_labels")
    if wanted is None or stated is None or stated == wanted:
        return []
    return [f"it has {stated!r} labels, and the entry's head {spec.head} has {wanted}"]
