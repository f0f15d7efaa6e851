"""The layers between a token's state and its vector: `activation(W x + b)`, plus x where the layer says so.

2_Dense/config.json --read_layer--> TokenLayer;  its weights --load_layer--> torch
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.base.json_object import read_object
from interlingua_exporter.weights.statements.known_keys import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

TOKENS = "token_embeddings"

_UNSTATED = "torch.nn.modules.activation.Tanh"  # the default of sentence-transformers
_ACTIVATIONS = ("Identity", "Tanh", "ReLU", "GELU", "SiLU", "Sigmoid", "LeakyReLU", "Mish")


@dataclass(frozen=True, kw_only=True)
class TokenLayer:
    """A linear layer over every token.

    Attributes:
        weights: the file, or the folder that has model.safetensors or pytorch_model.bin.
        names: of the weight, the bias and the residual's weight in that file; "" where there is none.
        activation: the name of a class of torch.nn.
        residual: whether the layer's input, projected where the sizes differ, is added to its output.
    """

    weights: Path
    inputs: int
    outputs: int
    names: tuple[str, str, str] = ("linear.weight", "linear.bias", "residual.weight")
    activation: str = "Identity"
    bias: bool = False
    residual: bool = False

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The tensors it wants, by name in its file."""
        weight, bias, residual = self.names
        shape = (self.outputs, self.inputs)
        return {
            weight: shape,
            **({bias: (self.outputs,)} if self.bias else {}),
            **({residual: shape} if self.residual and self.inputs != self.outputs else {}),
        }


def read_layer(folder: Path) -> TokenLayer:
    """What config.json says. Raises InputError: sizes that cannot be, another activation, another input."""
    path = folder / "config.json"
    config = read_object(path, required=True)
    stated = config.get("activation_function", _UNSTATED)
    name = "Identity" if stated is None else str(stated).rsplit(".", 1)[-1]
    faults = [
        f"{key} is {config[key]!r}; a late-interaction model's is {TOKENS}"
        for key in ("module_input_name", "module_output_name")
        if config.get(key) not in (None, TOKENS)
    ]
    if stated is not None and (not str(stated).startswith("torch.nn.") or name not in _ACTIVATIONS):
        faults.append(f"activation {stated}; known are torch.nn's {', '.join(_ACTIVATIONS)}")
    sizes = [config.get("in_features"), config.get("out_features")]
    if not all(type(size) is int and size > 0 for size in sizes):
        faults.append(f"in_features and out_features are {sizes[0]!r} and {sizes[1]!r}, not numbers of values")
    if unknown := [key for key, value in config.items() if value and key not in TABLES["Dense"].known]:
        faults.append(f"{', '.join(unknown)}: not known here")
    if faults:
        raise InputError(f"{path}: cannot be exported: {'; '.join(faults)}")
    return TokenLayer(
        weights=folder,
        inputs=sizes[0],  # type: ignore[arg-type]
        outputs=sizes[1],  # type: ignore[arg-type]
        activation=name,
        bias=config.get("bias", True) is not False,
        residual=bool(config.get("use_residual")),
    )


def load_layer(layer: TokenLayer) -> nn.Module:
    """The layer with its weights, float32. Raises InputError: one is missing, damaged or of another size."""
    from torch import nn

    from interlingua_exporter.graphs.token_layer import DenseOverTokens

    state = read_tensors(layer.weights)
    wanted = layer.shapes
    found = {name: tuple(state[name].shape) for name in wanted if name in state}
    if found != wanted:
        raise InputError(f"{layer.weights}: its weights are {_listed(found)}, and {_listed(wanted)} is asked for")
    weight, bias, residual = layer.names
    return DenseOverTokens(
        state[weight].float(),
        state[bias].float() if layer.bias else None,
        getattr(nn, layer.activation)(),
        residual=layer.residual,
        projection=state[residual].float() if residual in wanted else None,
    )


def read_tensors(place: Path) -> dict[str, Tensor]:
    """The tensors of a file, or of a folder's model*.safetensors, else of its pytorch_model*.bin.

    Raises:
        InputError: there are none, or they cannot be read.
    """
    patterns = ("model*.safetensors", "pytorch_model*.bin")
    found = (sorted(place.glob(pattern)) for pattern in patterns) if place.is_dir() else iter([[place]])
    paths = next((paths for paths in found if paths), [])
    if not all(path.is_file() for path in paths) or not paths:
        raise InputError(f"{place}: has no weights, neither model.safetensors nor pytorch_model.bin")
    return {name: value for path in paths for name, value in _read(path).items()}


def _read(path: Path) -> dict[str, Tensor]:
    import torch
    from safetensors.torch import load_file

    try:
        safe = path.suffix == ".safetensors"
        state: Any = load_file(path) if safe else torch.load(path, map_location="cpu", weights_only=True)
        return {str(name): value.detach() for name, value in state.items()}
    except Exception as error:  # safetensors' and pickle's errors share no base class
        reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
        raise InputError(f"{path}: the weights cannot be read: {reason}") from error


def _listed(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {list(shape)}" for name, shape in sorted(shapes.items())) or "none of them"
