"""The transformers class and configuration of a catalogue entry's network, without weights.

ModelSpec.network --network_kind--> (class, config), whose parameters are as many as the entry states

What the catalogue does not state (the base of rotary positions, sliding windows, which way Gemma 3 looks) is
transformers' default. None of it has parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua_exporter.models.exportable import TESTED_CLASSES

if TYPE_CHECKING:
    from interlingua_exporter.models.model_facts import NetworkShape
    from interlingua_exporter.models.spec import ModelSpec

_CLASSIFIER = "ForSequenceClassification"
_LEAST_POSITIONS = 512  # rows of a table of absolute positions, although MiniLM and LaBSE cut texts before
_BEHIND_PADDING = 2  # rows that XLM-R leaves unused: positions start after the padding id, which is 1
_LABELS = {"class-difference": 2}


def network_kind(spec: ModelSpec) -> tuple[Any, Any]:
    """The class that an export of the entry loads, and a configuration of the entry's sizes.

    Whether a language model's head is a table of its own follows from the number of parameters.

    Raises:
        InputError: the entry is of a kind that has no such class, or its sizes do not make its number of parameters.
    """
    import transformers

    shape = _require_shape(spec)
    name = _class_name(spec, shape)
    kind: Any = getattr(transformers, name)
    counted = []
    for tied in (True, False) if name.endswith("ForCausalLM") else (True,):
        config = kind.config_class(**_values(spec, shape, name), tie_word_embeddings=tied)
        counted.append(_parameters(kind, config))
        if counted[-1] == shape.parameters:
            return kind, config
    raise InputError(
        f"{spec.id}: a {name} of the entry's sizes has {' or '.join(f'{count:_}' for count in counted)} parameters, "
        f"and the entry says {shape.parameters:_}: one of its `network` fields is wrong (docs/models.md)"
    )


def _require_shape(spec: ModelSpec) -> NetworkShape:
    shape, faults = spec.network, []
    if spec.remote_code:
        faults.append("its network is code of its own, no class of transformers")
    if spec.head == "late-interaction":
        faults.append("late interaction is no class of transformers")
    if shape is None:
        faults.append("its entry does not state the network")
    else:
        faults += _shape_faults(spec, shape)
    if faults or shape is None:
        raise InputError(f"{spec.id} cannot be made with random weights: {'; '.join(faults)}")
    return shape


def _shape_faults(spec: ModelSpec, shape: NetworkShape) -> list[str]:
    faults = ["it is a mixture of experts"] if shape.active_parameters else []
    if not spec.remote_code and shape.architecture not in TESTED_CLASSES:
        faults.append(f"its class is {shape.architecture or 'not stated'}; known are {', '.join(TESTED_CLASSES)}")
    faults += [f"its entry does not state {name}" for name in ("heads", "feed_forward") if not getattr(shape, name)]
    faults += [
        f"the {name} token's id is {number}, and the vocabulary has {shape.vocabulary}"
        for name in ("start", "end", "pad")
        if (number := getattr(spec.specials, name)) is not None and not 0 <= number < shape.vocabulary
    ]
    return faults


def _class_name(spec: ModelSpec, shape: NetworkShape) -> str:
    """An embedder is loaded without the head that its folder's class may have."""
    name = shape.architecture
    if spec.role == "embedder":
        for ending in ("ForCausalLM", "ForMaskedLM"):
            name = f"{name.removesuffix(ending)}Model" if name.endswith(ending) else name
    return name


def _values(spec: ModelSpec, shape: NetworkShape, name: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.feed_forward,
        "max_position_embeddings": spec.max_tokens,
    }
    ids = {"bos_token_id": spec.specials.start, "eos_token_id": spec.specials.end, "pad_token_id": spec.specials.pad}
    values |= {key: number for key, number in ids.items() if number is not None}
    if name.startswith(("Bert", "XLMRoberta")):
        values["max_position_embeddings"] = max(spec.max_tokens, _LEAST_POSITIONS)
    else:
        values["num_key_value_heads"] = shape.key_value_heads or shape.heads
        values["head_dim"] = shape.head_width or shape.hidden // shape.heads
    if name.startswith("XLMRoberta"):
        values["max_position_embeddings"] += _BEHIND_PADDING
        values["type_vocab_size"] = 1
    if name.endswith(_CLASSIFIER):
        values["num_labels"] = _LABELS.get(spec.head, 1)
    return values


def _parameters(kind: Any, config: Any) -> int:
    """Tied tables once; counted on torch's meta device, where nothing takes memory."""
    import torch

    with torch.device("meta"):
        network = kind(config)
    return sum(parameter.numel() for parameter in network.parameters())
