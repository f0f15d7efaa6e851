"""A network on its way: where training starts, and the folder it ends in.

"neutral" | "random" | a checkpoint folder --> Trainee --> training, scoring --> folder
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from interlingua.base.errors import InputError
from interlingua_adaptation.training.start import remove_language_directions
from interlingua_exporter.graphs.late_interaction import LateInteractionReranker
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.weights import sources
from interlingua_exporter.weights.checkpoint_folder import Overrides
from interlingua_exporter.weights.late_interaction import late_interaction_folder
from interlingua_exporter.weights.late_interaction.late_interaction_rows import SideRows
from interlingua_exporter.weights.late_interaction.late_interaction_settings import (
    LateInteractionSettings,
    is_late_interaction,
    read_settings,
)

if TYPE_CHECKING:
    from interlingua_adaptation.lists import TrainingList
    from interlingua_exporter.graphs.checkpoint import Checkpoint

DEFAULT_BASE = "intfloat/multilingual-e5-small"
NEUTRAL, RANDOM = "neutral", "random"

_SAMPLE = 100  # texts a language and role, from which the language directions are estimated
_SCALE = 20.0  # similarities of these networks spread by some 0.1: a document apart by that is 7 times as likely


class Trainee(NamedTuple):
    """A network with what is needed to feed it and to write it down."""

    network: LateInteractionReranker
    rows: SideRows
    settings: LateInteractionSettings
    tokenizer_json: bytes


def begin(start: str, lists: Sequence[TrainingList], *, base: str = DEFAULT_BASE, seed: int = 0) -> Trainee:
    """The network that training starts from.

    Args:
        start: "neutral": the base with the language directions projected out; "random": with a random projection;
            or the folder of a late-interaction checkpoint.
        lists: what the language directions are estimated on.
        base: a catalogue embedder or a folder, BERT with mean pooling; not used for a folder start.

    Raises:
        InputError: the start or the base is none of these.
    """
    if start not in (NEUTRAL, RANDOM):
        return read(Path(start))
    model = resolve(base)
    trainee = _untrained(sources.load(model, Overrides()), is_catalogued=model.entry is not None)
    if start == NEUTRAL:
        queries, documents = _sample(lists, seed)
        remove_language_directions(trainee.network, trainee.rows, queries, documents)
    else:
        torch.manual_seed(seed)
        torch.nn.init.normal_(trainee.network.projection.weight, std=trainee.network.projection.in_features**-0.5)
    return trainee


def read(folder: Path) -> Trainee:
    """A checkpoint folder. Raises InputError: it is not one, or not of late interaction."""
    if not folder.is_dir() or not is_late_interaction(folder):
        raise InputError(
            f"{folder} is not the folder of a late-interaction checkpoint ({NEUTRAL} and {RANDOM} are starts)"
        )
    checkpoint = late_interaction_folder.load(folder)
    network = checkpoint.graph
    if not isinstance(network, LateInteractionReranker):
        raise InputError(f"{folder} holds a {type(network).__name__}, not a late-interaction network")
    return _trainee(network, read_settings(folder), checkpoint.tokenizer_json)


def write(trainee: Trainee, folder: Path) -> None:
    """A checkpoint folder that the exporter reads."""
    late_interaction_folder.save(trainee.network, trainee.settings, folder, tokenizer_json=trainee.tokenizer_json)


def _untrained(checkpoint: Checkpoint, *, is_catalogued: bool) -> Trainee:
    spec = checkpoint.spec
    encoder = getattr(checkpoint.graph, "encoder", None)
    if spec.role != "embedder" or encoder is None or encoder.config.model_type != "bert":
        raise InputError(f"{spec.id} cannot be trained from: a BERT embedder is needed, such as {DEFAULT_BASE}")
    encoder.pooler = None  # mean pooling reads past it, and so does late interaction
    template = checkpoint.text_encoder().encode([("", "")])[0].ids
    settings = LateInteractionSettings(
        model_id=f"{spec.id.rsplit('/', 1)[-1]}-reranker",
        dimension=encoder.config.hidden_size,
        separator_id=template[-1],
        special_ids=tuple(sorted({*template, checkpoint.pad_token_id})),
        max_tokens=spec.max_tokens,
        pad_token_id=checkpoint.pad_token_id,
        rerank_weight=1.0,
        licence=spec.licence,
        base=spec.id if is_catalogued else "",
    )
    network = LateInteractionReranker(
        encoder,
        dimension=settings.dimension,
        separator_id=settings.separator_id,
        special_ids=settings.special_ids,
    )
    torch.nn.init.constant_(network.scale, _SCALE)
    return _trainee(network, settings, checkpoint.tokenizer_json)


def _trainee(network: LateInteractionReranker, settings: LateInteractionSettings, tokenizer_json: bytes) -> Trainee:
    from tokenizers import Tokenizer

    network.encoder.set_attn_implementation("sdpa")  # type: ignore[operator]
    rows = SideRows(
        Tokenizer.from_str(tokenizer_json.decode("utf-8")),
        separator_id=settings.separator_id,
        pad_token_id=settings.pad_token_id,
        max_tokens=settings.max_tokens,
    )
    return Trainee(network.eval(), rows, settings, tokenizer_json)


def _sample(lists: Sequence[TrainingList], seed: int) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Queries and documents by language, of languages that have both."""
    order = random.Random(seed).sample(range(len(lists)), len(lists))
    queries: dict[str, list[str]] = {}
    documents: dict[str, list[str]] = {}
    for place in order:
        for language, text in lists[place].queries.items():
            if language in lists[place].documents[0] and len(queries.setdefault(language, [])) < _SAMPLE:
                queries[language].append(text)
                documents.setdefault(language, []).append(lists[place].documents[0][language])
    return {tag: texts for tag, texts in queries.items() if texts}, documents
