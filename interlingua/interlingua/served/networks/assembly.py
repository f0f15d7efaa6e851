"""How a network and its parts are put together: what the exporter decides, what the backend repeats.

Assembly + transformers network, dense layers --assemble--> EmbedderGraph, RerankerGraph or LastTokenReranker
Assembly <--to_json, from_json--> an object in network.json
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, TypedDict, cast

from torch import nn

from interlingua.served.networks.decoder_states import DecoderStates
from interlingua.served.networks.graph import EmbedderGraph, LastTokenReranker, RerankerGraph
from interlingua.served.networks.head_rows import head_of, score_layer

if TYPE_CHECKING:
    from collections.abc import Sequence

EMBEDDER = "embedder"
CLASSIFIER = "classifier"
LAST_TOKEN = "last-token"  # noqa: S105
KINDS = (EMBEDDER, CLASSIFIER, LAST_TOKEN)
CAUSAL = "AutoModelForCausalLM"
AUTO_CLASSES = ("AutoModel", CAUSAL, "AutoModelForSequenceClassification")


class DenseJson(TypedDict):
    """A `DenseShape` as network.json has it."""

    inputs: int
    outputs: int
    activation: str
    bias: bool


class AssemblyJson(TypedDict, total=False):
    """An `Assembly` as network.json has it; what is not named here is as it is there."""

    kind: str
    auto_class: str
    dense: list[DenseJson]
    rows: list[int]


@dataclass(frozen=True)
class DenseShape:
    """A layer between pooling and normalization; the activation is `identity` or `tanh`."""

    inputs: int
    outputs: int
    activation: str
    bias: bool

    def layer(self) -> nn.Module:
        """The layer with weights that are still to be loaded."""
        return with_activation(nn.Linear(self.inputs, self.outputs, bias=self.bias), self.activation)


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """What the graph's classes are given; see there.

    Attributes:
        kind: one of KINDS.
        auto_class: of transformers, which loads the network.
        decoder: whether an embedder's states come through `DecoderStates`.
        rows: of the head of a last-token reranker.
    """

    kind: str
    auto_class: str
    decoder: bool = False
    pooling: str = "none"
    normalize: bool = False
    token_types: bool = False
    dense: tuple[DenseShape, ...] = ()
    dimension: int | None = None
    cut_last: bool = False
    rows: tuple[int, ...] = ()
    difference: bool = False
    counted: bool = False
    square_mask: bool = False

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: AssemblyJson) -> Assembly:
        """Raises ValueError: it is none, or one of a later release."""
        unknown = value.keys() - {field.name for field in fields(cls)}
        if unknown or value.get("kind") not in KINDS or value.get("auto_class") not in AUTO_CLASSES:
            wrong = ", ".join(sorted(unknown)) or f"{value.get('kind')!r} of {value.get('auto_class')!r}"
            raise ValueError(f"the network is put together in a way that is not known here ({wrong})")
        dense = tuple(DenseShape(**row) for row in value.get("dense", []))
        rows = tuple(int(row) for row in value.get("rows", []))
        return cls(**{**value, "dense": dense, "rows": rows})  # type: ignore[arg-type]


def assemble(network: nn.Module, assembly: Assembly, dense: Sequence[nn.Module] = ()) -> nn.Module:
    """The graph, in evaluation mode.

    Raises:
        ValueError: the network's head is not where it is looked for.
    """
    if assembly.kind == EMBEDDER:
        graph: nn.Module = EmbedderGraph(
            DecoderStates(network) if assembly.decoder else network,
            pooling=assembly.pooling,
            normalize=assembly.normalize,
            token_types=assembly.token_types,
            dense=dense,
            dimension=assembly.dimension,
            cut_last=assembly.cut_last,
        )
    elif assembly.kind == CLASSIFIER:
        graph = RerankerGraph(
            network, difference=assembly.difference, counted=assembly.counted, square_mask=assembly.square_mask
        )
    else:
        weight, bias = head_of(network, causal=assembly.auto_class == CAUSAL)
        base = cast("nn.Module", network.base_model)
        graph = LastTokenReranker(DecoderStates(base), score_layer(weight, bias, assembly.rows))
    return graph.eval()


def with_activation(layer: nn.Linear, activation: str) -> nn.Module:
    """A dense layer as the graph has it."""
    return nn.Sequential(layer, nn.Tanh()) if activation == "tanh" else layer
