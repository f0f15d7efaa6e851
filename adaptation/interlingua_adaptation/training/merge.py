"""Merges checkpoints of one architecture by spherical interpolation, tensor by tensor, in float32.

    slerp(a, b, t) = sin((1 - t) w) / sin w * a + sin(t w) / sin w * b,   cos w = <a, b> / (|a| |b|)

(Shoemake 1985, "Animating Rotation with Quaternion Curves", on flattened tensors.) Where a and b point the same way
to within cos w > 0.9995, w is too small to divide by its sine, and the line between them is as good. More than two
are folded in one after another, each with its share of the whole.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from interlingua.base.errors import InputError
from interlingua_adaptation.training import trainee
from interlingua_exporter.weights.late_interaction.late_interaction_settings import is_late_interaction

State = Mapping[str, Tensor]

_PARALLEL = 0.9995


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """The tensor at share `t` of the way from a to b, float32, of a's shape."""
    x, y = a.float(), b.float()
    lengths = x.norm() * y.norm()
    cosine = float((x.flatten() @ y.flatten()) / lengths) if lengths > 0 else 1.0
    if abs(cosine) > _PARALLEL:
        return torch.lerp(x, y, t)
    angle = math.acos(cosine)
    return (math.sin((1 - t) * angle) * x + math.sin(t * angle) * y) / math.sin(angle)


def merge(states: Sequence[State], weights: Sequence[float]) -> dict[str, Tensor]:
    """One state from several; the weights say each one's share.

    Raises:
        InputError: fewer than two states, weights that are not positive or not one a state, or states whose
            tensors differ in name or shape.
    """
    if len(states) < 2:
        raise InputError(f"a merge takes two checkpoints or more, not {len(states)}")
    if len(weights) != len(states) or min(weights) <= 0:
        raise InputError(f"a merge of {len(states)} checkpoints takes as many positive weights, not {list(weights)}")
    for number, state in enumerate(states[1:], start=2):
        _check_alike(states[0], state, number)
    merged = {name: tensor.float() for name, tensor in states[0].items()}
    total = weights[0]
    for state, weight in zip(states[1:], weights[1:], strict=True):
        total += weight
        merged = {name: slerp(tensor, state[name], weight / total) for name, tensor in merged.items()}
    return merged


def merge_folders(folders: Sequence[Path], weights: Sequence[float], target: Path, *, replace: bool = False) -> None:
    """Merge checkpoint folders into a new one, with the settings of the first.

    Args:
        replace: give up a checkpoint that is in the target.

    Raises:
        InputError: a folder is no checkpoint, they do not match, or the target holds one already or is one of them.
    """
    if is_late_interaction(target) and not replace:
        raise InputError(f"{target} is there already: choose another --name, or --replace it")
    if target.resolve() in {folder.resolve() for folder in folders}:
        raise InputError(f"{target} is one of the checkpoints to merge: choose another --name")
    read = [trainee.read(folder) for folder in folders]
    for folder, other in zip(folders[1:], read[1:], strict=True):
        if other.tokenizer_json != read[0].tokenizer_json:
            raise InputError(f"{folder} has another tokenizer than {folders[0]}: their weights do not mean the same")
    state = merge([each.network.state_dict() for each in read], weights)
    read[0].network.load_state_dict(state)
    shutil.rmtree(target, ignore_errors=True)
    trainee.write(read[0], target)


def _check_alike(first: State, other: State, number: int) -> None:
    if missing := sorted(first.keys() ^ other.keys()):
        raise InputError(
            f"checkpoint {number} does not match the first: {len(missing)} tensors are in only one of them, "
            f"{missing[0]} for one; only checkpoints of one architecture can be merged"
        )
    for name, tensor in first.items():
        if tensor.shape != other[name].shape:
            raise InputError(
                f"checkpoint {number} does not match the first: {name} is {list(other[name].shape)}, "
                f"not {list(tensor.shape)}; only checkpoints of one architecture can be merged"
            )
