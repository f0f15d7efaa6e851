"""Loads a catalogue entry whose model is a folder: on the Hub, or the user's own.

ModelSpec --require_exportable--> folder (fetched at the pinned commit) --require_agreement--> checkpoint_folder.load
          --> Checkpoint with the entry's prompts, pooling and limits
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_exporter.models.catalog_check import require_agreement
from interlingua_exporter.models.exportable import require_exportable
from interlingua_exporter.models.spec import FolderSource, HubSource
from interlingua_exporter.weights.checkpoint_folder import Overrides
from interlingua_exporter.weights.own_code import require_pinned, require_trust

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.models.spec import ModelSpec, Pooling


def load(spec: ModelSpec, overrides: Overrides | None = None) -> Checkpoint:
    """The model of an entry.

    Args:
        overrides: what the user says; it goes before the entry, and the entry before the folder.

    Raises:
        ExportError: the entry has parts that cannot be exported.
        InputError: the folder cannot be had, is not the entry's model, or cannot be read.
    """
    from interlingua_exporter.weights import checkpoint_folder

    require_exportable(spec)
    chosen = overrides or Overrides()
    if chosen.revision:
        spec = replace(spec, revision=chosen.revision)
    require_trust(spec, trusted=chosen.trust_remote_code)
    if spec.remote_code and isinstance(spec.source, HubSource):
        require_pinned(spec.id, spec.revision)
    folder, revision = _folder(spec, with_code=chosen.trust_remote_code)
    require_agreement(spec, folder)
    asked = _entry_first(spec, chosen)
    loaded = checkpoint_folder.load(folder, model_id=spec.id, revision=revision, overrides=asked, entry=spec)
    if loaded.spec.role != spec.role:
        raise InputError(f"{folder} holds a {loaded.spec.role}, and the catalogue calls {spec.id} a {spec.role}")
    return replace(loaded, spec=_merged(spec, loaded.spec), notes=loaded.notes + _notes(spec, loaded.spec))


def _folder(spec: ModelSpec, *, with_code: bool) -> tuple[Path, str]:
    from interlingua_exporter.weights import hub

    match spec.source:
        case HubSource():
            snapshot = hub.fetch(spec.source.id or spec.id, revision=spec.revision or None, with_code=with_code)
            return snapshot.folder, snapshot.revision
        case FolderSource():
            return spec.source.path, spec.revision
        case _:
            raise InputError(f"{spec.id}: its source is not a folder")


def _entry_first(spec: ModelSpec, chosen: Overrides) -> Overrides:
    pooling: Pooling | None = None if spec.role == "reranker" else spec.pooling
    return replace(
        chosen,
        pooling=chosen.pooling or pooling,
        query_prompt=spec.query_prompt if chosen.query_prompt is None else chosen.query_prompt,
        document_prompt=spec.document_prompt if chosen.document_prompt is None else chosen.document_prompt,
        max_tokens=chosen.max_tokens or spec.max_tokens,
    )


def _merged(entry: ModelSpec, loaded: ModelSpec) -> ModelSpec:
    """The entry, with what the graph and the tokenizer were really built from."""
    return replace(
        entry,
        source=loaded.source,
        revision=loaded.revision,
        pooling=loaded.pooling,
        normalize=loaded.normalize,
        query_prompt=loaded.query_prompt,
        document_prompt=loaded.document_prompt,
        max_tokens=loaded.max_tokens,
        padding_side=loaded.padding_side,
        head=loaded.head,
        dense=loaded.dense,
        score_tokens=loaded.score_tokens,
        pair_template=entry.pair_template or loaded.pair_template,
        remote_code=loaded.remote_code,
        licence=entry.licence or loaded.licence,
    )


def _notes(entry: ModelSpec, loaded: ModelSpec) -> tuple[str, ...]:
    """Where the folder was followed and not the entry."""
    return tuple(
        f"{name} is {getattr(loaded, name)!r}, as the folder says; the catalogue has {getattr(entry, name)!r}"
        for name in ("normalize", "padding_side")
        if getattr(loaded, name) != getattr(entry, name)
    )
