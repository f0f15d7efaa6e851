"""Token vectors from one index into another of the same documents: an embedder's change does not touch them.

documents with the same id and content --rows as they are--> the other index's file --named in one transaction-->
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua_client.index.token_store.token_file import make_token_file, write_rows
from interlingua_client.index.token_store.token_tables import TokenTables

if TYPE_CHECKING:
    from interlingua_client.index.document_store import DocumentStore

_AT_ONCE = 1024


def carry(source: DocumentStore, target: DocumentStore) -> int:
    """Copy what the target wants and lacks, and the source has whole in the same form of the same reranker; how many.

    The caller holds the target's lock.

    Raises:
        TokenFileError: the source's file cannot be read, or the target's not be written.
    """
    ours, tables = TokenTables(source), TokenTables(target)
    wanted = next(reversed(tables.sets()), None)
    if wanted is None or wanted.projection is not None:
        return 0
    kind = (wanted.reranker, wanted.format)
    have = next((facts for facts in ours.sets() if facts.projection and (facts.reranker, facts.format) == kind), None)
    if have is None:
        return 0
    file = ours.open(have)
    new = tables.begin(replace(have, file=make_token_file(target.directory, have.width), tokens=0))
    there = source.labels_by_content()
    labels = {there[content]: label for content, label in target.labels_by_content().items() if content in there}
    old_labels, copied = sorted(labels), 0
    for start in range(0, len(old_labels), _AT_ONCE):
        spans = ours.spans(have, old_labels[start : start + _AT_ONCE])
        rows, sound = file.read(list(spans.values()))
        olds = [list(spans)[place] for place in sound]
        places = write_rows(target.directory / new.file, new.tokens, rows, [spans[old].tokens for old in olds])
        new = tables.add(new, {labels[old]: place for old, place in zip(olds, places, strict=True)})
        copied += len(places)
    return copied
