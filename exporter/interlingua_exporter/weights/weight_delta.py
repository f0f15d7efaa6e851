"""What training changed in a network, small enough to commit: low-rank differences of its matrices.

    base, tuned {name: tensor} --extract--> {name.left, name.right: fp16}   W = base + left @ right
                                            {name: fp16 or fp32}            changed vectors, and what is new
    base, delta                --apply--> tuned, up to the rank and fp16

The factors are the truncated SVD of the difference, which no other matrix of that rank comes closer to (Eckart and
Young 1936); both get the square root of the singular values, so that neither leaves fp16's range.
A delta file comes from outside: everything in it is checked against the base before it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from interlingua.base.errors import InputError
from interlingua.base.whole_file import whole

if TYPE_CHECKING:
    from pathlib import Path

State = Mapping[str, Tensor]

_LEFT, _RIGHT = ".left", ".right"
_WORDS = "word_embeddings.weight"  # 96 of 118 million values of the default embedder


class _Factors(NamedTuple):
    """A difference of matrices, left [out, r] @ right [r, in]."""

    left: Tensor
    right: Tensor


def extract(base_state: State, tuned_state: State, *, rank: int) -> dict[str, Tensor]:
    """The delta from one state to another; what is equal in both is left out.

    Args:
        rank: r of every changed matrix; one with fewer rows or columns keeps its own.

    Raises:
        InputError: the states are not of one architecture, the word embeddings differ, or a value cannot be stored.
    """
    if rank < 1:
        raise InputError(f"a weight delta has a rank of at least 1, not {rank}")
    if missing := sorted(base_state.keys() - tuned_state.keys()):
        raise InputError(f"the tuned network lacks {len(missing)} tensors of its base, {missing[0]} for one")
    delta: dict[str, Tensor] = {}
    for name, tensor in tuned_state.items():
        delta |= _changes(name, base_state.get(name), tensor.detach().cpu().float(), rank)
    for name, tensor in delta.items():
        if not bool(tensor.isfinite().all()):
            raise InputError(f"tensor {name} of the weight delta has values beyond {tensor.dtype}")
    return delta


def apply(base_state: State, delta: State) -> dict[str, Tensor]:
    """The tuned state, float32; tensors that the delta does not name are the base's own, not copied.

    Raises:
        InputError: the delta does not belong to this base; the message names the tensor and the shapes.
    """
    tuned = dict(base_state)
    for name, tensor in delta.items():
        stem, dot, side = name.rpartition(".")
        if dot + side == _RIGHT and stem + _LEFT in delta:
            continue  # handled with its other half
        if dot + side in (_LEFT, _RIGHT):
            tuned[stem] = _changed(stem, base_state, delta)
            continue
        base = base_state.get(name)
        if base is not None and base.shape != tensor.shape:
            raise InputError(f"weight delta: {name} is {list(tensor.shape)}, the base has {list(base.shape)}")
        tuned[name] = tensor.float()
    return tuned


def read(path: Path) -> dict[str, Tensor]:
    """A delta file's tensors. Raises InputError: it is not one, or holds values that are not finite numbers."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        delta: dict[str, Tensor] = load_file(path)
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"{path}: not a readable weight delta: {error}") from error
    for name, tensor in delta.items():
        if not tensor.is_floating_point() or not bool(tensor.isfinite().all()):
            raise InputError(f"{path}: tensor {name} ({tensor.dtype}) is not all finite floating-point numbers")
    return delta


def write(delta: State, path: Path) -> None:
    """The delta as safetensors, the same bytes for the same tensors; written beside `path` and renamed."""
    from safetensors.torch import save

    with whole(path) as partial:
        partial.write_bytes(save({name: tensor.contiguous() for name, tensor in delta.items()}))


def _changes(name: str, base: Tensor | None, tuned: Tensor, rank: int) -> dict[str, Tensor]:
    if not bool(tuned.isfinite().all()):
        raise InputError(f"{name} has values that are not finite in the tuned network")
    if base is None:
        return {name: _stored(tuned)}
    if base.shape != tuned.shape:
        raise InputError(f"{name} is {list(tuned.shape)} in the tuned network, {list(base.shape)} in its base")
    if torch.equal(base.float(), tuned):
        return {}
    if name.endswith(_WORDS):
        raise InputError(f"{name} differs from the base: a delta leaves the word embeddings as they are; freeze them")
    if tuned.dim() != 2:
        return {name: _stored(tuned)}
    factors = _truncated(tuned - base.float(), rank)
    return {name + _LEFT: factors.left, name + _RIGHT: factors.right}


def _stored(tensor: Tensor) -> Tensor:
    return tensor.half() if tensor.dim() > 1 else tensor.clone()


def _truncated(difference: Tensor, rank: int) -> _Factors:
    left, strengths, right = torch.linalg.svd(difference, full_matrices=False)
    roots = strengths[:rank].sqrt()
    return _Factors((left[:, :rank] * roots).half(), (roots.unsqueeze(1) * right[:rank]).half())


def _changed(name: str, base_state: State, delta: State) -> Tensor:
    """The base's matrix plus the product of its two factors."""
    if not {name + _LEFT, name + _RIGHT} <= delta.keys() or name in delta:
        raise InputError(f"weight delta: {name} needs both {name + _LEFT} and {name + _RIGHT}, and nothing else")
    if name not in base_state:
        raise InputError(f"weight delta: {name} has factors, but the base has no tensor of that name")
    base, (left, right) = base_state[name], _Factors(delta[name + _LEFT], delta[name + _RIGHT])
    flat = left.dim() == right.dim() == 2
    if not flat or left.shape[1] != right.shape[0] or (left.shape[0], right.shape[1]) != base.shape:
        raise InputError(
            f"weight delta: {name} is {list(base.shape)} in the base, which {list(left.shape)} times "
            f"{list(right.shape)} does not give"
        )
    return base.float() + left.float() @ right.float()
