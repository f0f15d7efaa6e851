"""What the gate may ask the libraries of a folder that was read.

Reading, ModelSpec --library_folder--> LibraryFolder
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua_exporter.graphs.checkpoint import LibraryFolder

if TYPE_CHECKING:
    from interlingua_exporter.models.spec import ModelSpec
    from interlingua_exporter.weights.folder_reading import Reading


def library_folder(reading: Reading, spec: ModelSpec) -> LibraryFolder:
    """The folder, and what the user's words and the entry's change of it."""
    layout, chosen = reading.layout, reading.chosen
    facts = layout.embedding
    document = chosen.document_prompt
    if document is None and not facts.document_named:
        document = spec.document_prompt  # of a name that the library says it takes, and does not
    return LibraryFolder(
        folder=reading.folder,
        transformer=layout.transformer,
        unasked=_unasked(reading, spec),
        query_prompt=chosen.query_prompt,
        document_prompt=document,
        cut=chosen.dimension,
        lowercase=layout.lowercase,
    )


def _unasked(reading: Reading, spec: ModelSpec) -> str:
    """Why sentence-transformers has no such answer, "" where it has one."""
    layout, entry = reading.layout, reading.entry
    if spec.role == "reranker":
        if entry and entry.pair_template:
            return "the catalogue's template counts, not the folder's"
        if spec.score_tokens and spec.score_tokens != reading.folders_words:
            return "the folder does not say which tokens make the score"
        return "code of its own" if spec.remote_code else ""
    if not layout.modules:
        return "the folder has no modules.json"
    if spec.pooling != layout.embedding.pooling:
        return "the pooling is not the folder's"
    if any(remark.topic == "modules" for remark in layout.remarks):
        return "classes that are not its own"
    return "the catalogue's template counts" if entry and (entry.query_template or entry.document_template) else ""
