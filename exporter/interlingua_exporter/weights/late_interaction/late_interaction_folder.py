"""A late-interaction reranker as a folder: what training writes and the exporter reads.

config.json        the encoder's transformers config (BERT)
model.safetensors  float32: encoder.*, projection.*, importance.*, scale
tokenizer.json
interlingua.json   LateInteractionSettings

folder --load--> Checkpoint;   network, settings, tokenizer.json --save--> folder
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.base.whole_file import whole
from interlingua.served.graph_names import ATTENTION_MASK, INPUT_IDS
from interlingua.served.late_interaction.sides import LateInteraction, Part, SideRules
from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.models.spec import FolderSource, ModelSpec
from interlingua_exporter.weights.late_interaction.late_interaction_settings import (
    SETTINGS_FILE,
    LateInteractionSettings,
    read_settings,
    write_settings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor, nn
    from transformers import BertConfig

    from interlingua_exporter.graphs.late_interaction import LateInteractionReranker

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
TOKENIZER_FILE = "tokenizer.json"

_SHOWN = 3  # tensors that a message names


def load(folder: Path, *, max_tokens: int | None = None) -> Checkpoint:
    """The reranker in a folder.

    Args:
        max_tokens: less than the folder's own limit.

    Raises:
        InputError: a file is missing or damaged, or the files do not fit each other; the message says which.
    """
    settings = read_settings(folder)
    limit = settings.max_tokens if max_tokens is None else max_tokens
    if limit > settings.max_tokens:
        raise InputError(f"{settings.model_id}: --max-tokens {limit} is beyond the model's own {settings.max_tokens}")
    network = assemble(_read_encoder(folder), settings, _read_weights(folder / WEIGHTS_FILE))
    spec = ModelSpec(
        id=settings.model_id,
        role="reranker",
        source=FolderSource(folder.resolve()),
        pooling="none",
        normalize=False,
        max_tokens=limit,
        head="late-interaction",
        licence=settings.licence,
        rerank_weight=settings.rerank_weight,
    )
    return checkpoint(spec, network, settings, _read_tokenizer(folder))


def save(
    network: LateInteractionReranker, settings: LateInteractionSettings, folder: Path, *, tokenizer_json: bytes
) -> None:
    """Write a folder that `load` reads; interlingua.json comes last, and without it a folder is not a reranker."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / SETTINGS_FILE).unlink(missing_ok=True)
    state = {name: tensor.detach().cpu().float().contiguous() for name, tensor in network.state_dict().items()}
    with whole(folder / WEIGHTS_FILE) as partial:  # the weights may be mapped from the very file that they replace
        save_file(state, partial, metadata={"format": "pt"})
    encoder_config: BertConfig = network.encoder.config  # type: ignore[assignment]
    encoder_config.to_json_file(folder / CONFIG_FILE)
    (folder / TOKENIZER_FILE).write_bytes(tokenizer_json)
    write_settings(settings, folder)


def assemble(
    encoder: nn.Module, settings: LateInteractionSettings, state: Mapping[str, Tensor]
) -> LateInteractionReranker:
    """The network that holds these weights, in evaluation mode; the tensors are assigned, not copied.

    Raises:
        InputError: the weights are those of another architecture; the message names tensors and shapes.
    """
    from interlingua_exporter.graphs.late_interaction import LateInteractionReranker

    network = LateInteractionReranker(
        encoder,
        dimension=settings.dimension,
        separator_id=settings.separator_id,
        special_ids=settings.special_ids,
    )
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in state.items()}
    if faults := _misfits(expected, found):
        raise InputError(
            f"{settings.model_id}: the weights are not those of the network that {CONFIG_FILE} and {SETTINGS_FILE} "
            f"describe: {'; '.join(faults)}"
        )
    network.load_state_dict(dict(state), strict=True, assign=True)
    network.requires_grad_(False)
    return network.eval()


def checkpoint(
    spec: ModelSpec, network: LateInteractionReranker, settings: LateInteractionSettings, tokenizer_json: bytes
) -> Checkpoint:
    """Everything an export needs of a network. Raises InputError: tokenizer and settings do not fit it."""
    from tokenizers import Tokenizer

    config: BertConfig = network.encoder.config  # type: ignore[assignment]
    try:
        tokenizer = Tokenizer.from_str(tokenizer_json.decode("utf-8"))
    except Exception as error:  # the library raises bare Exception
        raise InputError(f"{spec.id}: {TOKENIZER_FILE} cannot be read: {error}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    settings.check_fits(vocabulary=config.vocab_size, positions=config.max_position_embeddings, tokenizer=tokenizer)
    return Checkpoint(
        spec=spec,
        graph=network,
        inputs=(INPUT_IDS, ATTENTION_MASK),
        dimension=settings.dimension + 1,
        vocabulary=config.vocab_size,
        tokenizer_json=tokenizer_json,
        pad_token_id=settings.pad_token_id,
        interaction=LateInteraction(
            query=_rules(spec, settings, "query"),
            document=_rules(spec, settings, "document"),
            weighting="importance",
            scale=float(network.scale),
        ),
    )


def _rules(spec: ModelSpec, settings: LateInteractionSettings, part: Part) -> SideRules:
    return SideRules(
        max_tokens=spec.max_tokens, part=part, separator_id=settings.separator_id, skipped_ids=settings.special_ids
    )


def _misfits(expected: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]]) -> list[str]:
    faults = [
        f"{len(names)} {what}, {', '.join(names[:_SHOWN])} for example"
        for what, names in (
            ("tensors are missing", sorted(expected.keys() - found.keys())),
            ("tensors are unknown", sorted(found.keys() - expected.keys())),
        )
        if names
    ]
    shapes = [name for name in expected.keys() & found.keys() if expected[name] != found[name]]
    faults += [f"{name} is {list(found[name])} instead of {list(expected[name])}" for name in sorted(shapes)[:_SHOWN]]
    return faults


def _read_encoder(folder: Path) -> nn.Module:
    """The network that config.json describes, without weights."""
    from transformers import BertConfig

    from interlingua_exporter.graphs.bert_network import empty_bert

    path = folder / CONFIG_FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        kind = values.get("model_type")
        encoder = empty_bert(BertConfig.from_dict(values)) if kind == "bert" else None
    except Exception as error:  # OSError, ValueError, AttributeError, and transformers' own validation
        raise InputError(f"{path}: not a readable encoder configuration: {error}") from error
    if encoder is None:  # other encoders count positions from their padding id, and the network restarts them at 0
        raise InputError(f"{path}: model_type is {kind!r}; a late-interaction encoder is 'bert'")
    return encoder


def _read_weights(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights: dict[str, Tensor] = load_file(path)
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"{path}: the weights cannot be read: {error}") from error
    return {name: tensor.float() for name, tensor in weights.items()}


def _read_tokenizer(folder: Path) -> bytes:
    try:
        return (folder / TOKENIZER_FILE).read_bytes()
    except OSError as error:
        raise InputError(f"{folder / TOKENIZER_FILE}: cannot be read: {error}") from error
