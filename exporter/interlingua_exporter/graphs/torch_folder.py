"""A checkpoint as the files that the torch backend serves: the folder's own weights and configuration, copied.

config.json, *.safetensors, with --trust-remote-code *.py --> model/;  Assembly, precision --> network.json
dense layers --> dense.safetensors
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, cast

from interlingua.base.errors import InputError
from interlingua.served.networks.description import DENSE, MODEL, Description

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua.served.kinds import Precision
    from interlingua.served.networks.graph import EmbedderGraph
    from interlingua_exporter.graphs.checkpoint import Checkpoint

_WEIGHTS = ("model*.safetensors", "model.safetensors.index.json")
_SLACK = 1 << 28  # bytes on the disk that an export leaves alone


def write_torch(checkpoint: Checkpoint, precision: Precision, folder: Path) -> Path:
    """A new folder inside `folder` with the network's files.

    The weights keep the format that they are published in; the precision is what they are loaded in.

    Raises:
        InputError: the model is no folder with safetensors, or the disk is too small.
    """
    files, assembly = checkpoint.files, checkpoint.assembly
    if files is None or assembly is None:
        raise InputError(f"{checkpoint.spec.id}: --runtime torch needs a folder in transformers layout")
    chosen = _chosen(checkpoint, files)
    _require_room(folder, chosen)
    network = folder / ".network"
    (network / MODEL).mkdir(parents=True)
    for path in chosen:
        target = network / MODEL / path.relative_to(files)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)  # a copy of what a link leads to, too: the Hub's cache is made of links
    if assembly.dense:
        _write_dense(checkpoint, network / DENSE)
    Description(
        precision=precision,
        inputs=checkpoint.inputs,
        output=checkpoint.output,
        dimension=checkpoint.dimension,
        vocabulary=checkpoint.vocabulary,
        max_tokens=checkpoint.spec.max_tokens,
        token_types=checkpoint.token_types,
        assembly=assembly,
    ).write(network)
    return network


def _chosen(checkpoint: Checkpoint, folder: Path) -> list[Path]:
    """The files to publish, code among them only where the user said that it may run."""
    weights = [path for pattern in _WEIGHTS for path in sorted(folder.glob(pattern))]
    if not any(path.suffix == ".safetensors" for path in weights):
        raise InputError(
            f"{checkpoint.spec.id}: the folder has no model.safetensors: a server loads no pickled weights. Write them "
            "with transformers' save_pretrained, which makes safetensors"
        )
    code = sorted(folder.rglob("*.py")) if checkpoint.spec.remote_code else []
    return [folder / "config.json", *weights, *code]


def _require_room(folder: Path, files: list[Path]) -> None:
    wanted, free = sum(path.stat().st_size for path in files), shutil.disk_usage(folder).free
    if wanted + _SLACK > free:
        raise InputError(
            f"{folder.parent}: the copy of the weights takes {wanted / 1e9:.1f} GB, free: {free / 1e9:.1f}"
        )


def _write_dense(checkpoint: Checkpoint, path: Path) -> None:
    from safetensors.torch import save_file

    layers = cast("EmbedderGraph", checkpoint.graph).dense
    save_file({name: value.contiguous() for name, value in layers.state_dict().items()}, path)
