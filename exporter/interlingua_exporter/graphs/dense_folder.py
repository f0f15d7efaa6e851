"""A layer between pooling and normalization, as sentence-transformers keeps it (`2_Dense`).

2_Dense/config.json --read_dense--> DenseLayer;  2_Dense/model.safetensors or pytorch_model.bin --load_dense--> torch
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.base.json_object import read_object
from interlingua_exporter.models.model_facts import Activation, DenseLayer

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

_ACTIVATIONS: dict[str, Activation] = {"Identity": "identity", "Tanh": "tanh"}
_UNSTATED = "torch.nn.modules.activation.Tanh"  # sentence-transformers' own default
_STATE = "sentence_embedding"


def read_dense(folder: Path) -> DenseLayer:
    """What config.json says of the layer.

    Raises:
        InputError: no such file, sizes that cannot be, or a layer of another kind than `activation(W x + b)`.
    """
    path = folder / "config.json"
    config = read_object(path, required=True)
    name = str(config.get("activation_function", _UNSTATED))
    activation = _ACTIVATIONS.get(name.rsplit(".", 1)[-1]) if name.startswith("torch.nn.") else None
    faults = [] if activation else [f"activation {name}; known are Identity and Tanh"]
    if config.get("use_residual"):
        faults.append("a residual connection")
    if others := {config.get(key) or _STATE for key in ("module_input_name", "module_output_name")} - {_STATE}:
        faults.append(f"a layer over {', '.join(sorted(map(str, others)))} instead of the pooled vector")
    if faults or activation is None:
        raise InputError(f"{path}: cannot be exported: {'; '.join(faults)}")
    try:
        return DenseLayer(
            inputs=config.get("in_features"),  # type: ignore[arg-type]
            outputs=config.get("out_features"),  # type: ignore[arg-type]
            activation=activation,
            bias=bool(config.get("bias", True)),
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def load_dense(folder: Path, facts: DenseLayer) -> nn.Module:
    """The layer with the folder's weights, float32.

    Raises:
        InputError: weights are missing, damaged, or not those that config.json describes; none is ever made up.
    """
    from torch import nn

    from interlingua.served.networks.assembly import with_activation

    layer = nn.Linear(facts.inputs, facts.outputs, bias=facts.bias)
    state = _weights(folder)
    wanted = {f"linear.{name}": tuple(value.shape) for name, value in layer.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state.items()}
    if found != wanted:
        raise InputError(f"{folder}: the weights are {_listed(found)}, and config.json asks for {_listed(wanted)}")
    layer.load_state_dict({name.removeprefix("linear."): value.float() for name, value in state.items()})
    return with_activation(layer, facts.activation)


def _weights(folder: Path) -> dict[str, Tensor]:
    import torch
    from safetensors.torch import load_file

    safe, pickled = folder / "model.safetensors", folder / "pytorch_model.bin"
    if not safe.is_file() and not pickled.is_file():
        raise InputError(f"{folder}: the dense layer has no weights, neither model.safetensors nor pytorch_model.bin")
    try:
        state: Any = load_file(safe) if safe.is_file() else torch.load(pickled, map_location="cpu", weights_only=True)
        return {str(name): value.detach() for name, value in state.items()}
    except Exception as error:  # safetensors' and pickle's errors share no base class
        reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
        raise InputError(f"{folder}: the dense layer's weights cannot be read: {reason}") from error


def _listed(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {list(shape)}" for name, shape in sorted(shapes.items())) or "empty"
