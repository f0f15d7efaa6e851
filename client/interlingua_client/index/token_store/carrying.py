"""Token vectors from one index into another of the same documents: an embedder's change does not touch them.

documents with the same id and content --rows as they are--> the other index's file --named in one transaction-->
"""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from interlingua_client.index.token_store.token_file import TokenFile, TokenSpan, make_token_file, write_rows
from interlingua_client.index.token_store.token_tables import TokenTables

if TYPE_CHECKING:
    from interlingua_client.index.document_store import DocumentStore

_AT_ONCE = 1024


def carry(source: DocumentStore, target: DocumentStore) -> int:
    """Copy what the target wants and lacks, and the source has in the same format of the same reranker; how many.

    The caller holds the target's lock.

    Raises:
        TokenFileError: the source's file cannot be read, or the target's not be written.
    """
    ours, tables = TokenTables(source), TokenTables(target)
    have, want = ours.facts(), tables.facts()
    if have is None or want is None or have.projection is None or want.projection is not None:
        return 0
    if (have.reranker, have.format) != (want.reranker, want.format):
        return 0
    file = TokenFile(source.directory / have.file, have.width, have.tokens)
    want = replace(have, file=make_token_file(target.directory, have.width), tokens=0)
    tables.begin(want)
    copied = 0
    there = source.labels_by_content()
    labels = {there[content]: label for content, label in target.labels_by_content().items() if content in there}
    old_labels = sorted(labels)
    for start in range(0, len(old_labels), _AT_ONCE):
        spans = ours.spans(old_labels[start : start + _AT_ONCE])
        write_rows(target.directory / want.file, want.tokens, file.read(list(spans.values())))
        starts = accumulate((span.tokens for span in spans.values()), initial=want.tokens)
        places = {labels[old]: TokenSpan(at, span.tokens) for (old, span), at in zip(spans.items(), starts)}  # noqa: B905
        want = tables.add(want, places)
        copied += len(places)
    return copied
