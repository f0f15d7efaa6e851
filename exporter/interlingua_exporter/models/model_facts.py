"""What a model card says beyond pooling and prompts: the network's shape, its layers, limits and languages.

catalogue row --base.plain.build--> NetworkShape, DenseLayer, Task, ... --ModelSpec--> memory, checks, pages
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from interlingua.base.errors import InputError
from interlingua.served.kinds import PRECISIONS, Device, Precision

Verdict = Literal["safe", "guarded", "unproven", "forbidden"]
Activation = Literal["identity", "tanh"]
Weights = Literal["own", "dummy"]


@dataclass(frozen=True, kw_only=True)
class NetworkShape:
    """The sizes that config.json states.

    Attributes:
        architecture: the class that config.json names first; "" where it is not known.
        hidden: width of a token's state.
        heads, key_value_heads: of attention; heads is 0 where it is not known, key_value_heads where it equals heads.
        head_width: of one head; 0 for hidden / heads.
        feed_forward: inner width of the feed-forward layer; 0 where it is not known.
        gated: whether the feed-forward layer has a gate (SwiGLU, GeGLU): a second matrix of that width.
        vocabulary: rows of the embedding table.
        parameters: of the network as its class has them, tied tables once, dense layers and adapters apart.
        active_parameters: of a mixture of experts, those that one token meets; 0 where that is all of them.
        stored_as: the format of the published weights.
    """

    architecture: str
    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    parameters: int
    key_value_heads: int = 0
    head_width: int = 0
    gated: bool = False
    active_parameters: int = 0
    stored_as: Precision = "fp32"

    def __post_init__(self) -> None:
        """Raises InputError naming every size that cannot be."""
        faults = [
            f"{name} is {value!r}, not a whole number of at least {least}"
            for name, least in _LEAST.items()
            if type(value := getattr(self, name)) is not int or value < least
        ]
        faults += _choices(self, {"stored_as": PRECISIONS})
        refuse("network", faults)


_LEAST = dict.fromkeys(("hidden", "layers", "vocabulary", "parameters"), 1) | dict.fromkeys(
    ("heads", "feed_forward", "key_value_heads", "head_width", "active_parameters"), 0
)


@dataclass(frozen=True)
class DenseLayer:
    """A linear layer between pooling and normalization."""

    inputs: int
    outputs: int
    activation: Activation = "identity"
    bias: bool = True

    def __post_init__(self) -> None:
        """Raises InputError naming every field that cannot be."""
        faults = [
            f"{name} is {value!r}, not a whole number of at least 1"
            for name in ("inputs", "outputs")
            if type(value := getattr(self, name)) is not int or value < 1
        ]
        refuse("dense", faults + _choices(self, {"activation": get_args(Activation)}))

    @property
    def parameters(self) -> int:
        return self.inputs * self.outputs + self.outputs * self.bias


@dataclass(frozen=True)
class Task:
    """Prompts of a named task, instead of the entry's own."""

    name: str
    query_prompt: str = ""
    document_prompt: str = ""


@dataclass(frozen=True)
class Specials:
    """Ids the tokenizer puts around a text, and the one that fills up a batch; None where there is none."""

    start: int | None = None
    end: int | None = None
    pad: int | None = None


@dataclass(frozen=True)
class PrecisionLimit:
    """Whether the model may run in a format, and why.

    Attributes:
        verdict: `safe`; `guarded`: with LayerNorm, softmax, pooling and head in fp32; `unproven`; `forbidden`.
    """

    precision: Precision
    verdict: Verdict
    why: str

    def __post_init__(self) -> None:
        """Raises InputError naming every field that cannot be."""
        choices = _choices(self, {"precision": PRECISIONS, "verdict": get_args(Verdict)})
        refuse("precision_limits", choices)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One way in which the very model of an entry was run with this code.

    Attributes:
        weights: `own`, or `dummy`: random ones in the true shape (docs/models.md).
        precisions: that were exported and passed the parity gate.
        how: what else there is to know, as where the weights came from.
        on: what the gate and the speed measurement ran on.
        served: whether Triton answered with it.
        at: where its figures stand, relative to the project's root.
    """

    weights: Weights
    precisions: tuple[Precision, ...]
    how: str = ""
    on: Device = "cpu"
    served: bool = False
    at: str = ""

    def __post_init__(self) -> None:
        """Raises InputError naming every field that cannot be."""
        faults = _choices(self, {"weights": get_args(Weights), "on": get_args(Device)})
        faults += [
            f"precisions has {name!r}, known are {', '.join(PRECISIONS)}"
            for name in self.precisions
            if name not in PRECISIONS
        ]
        refuse("ran", faults + ["precisions is empty"] * (not self.precisions))


@dataclass(frozen=True)
class Languages:
    """Attributes:
    count: as the card states it; 0 where it states none.
    tags: BCP 47, where the card or its training data list them.
    at: where the list stands.
    """

    count: int = 0
    tags: tuple[str, ...] = ()
    at: str = ""


def _choices(record: object, allowed: dict[str, tuple[str, ...]]) -> list[str]:
    return [
        f"{name} is {value!r}, not one of {', '.join(known)}"
        for name, known in allowed.items()
        if (value := getattr(record, name)) not in known
    ]


def refuse(what: str, faults: list[str]) -> None:
    """Raises InputError with the faults of a record, if there are any."""
    if faults:
        raise InputError(f"{what}: {'; '.join(faults)}")
