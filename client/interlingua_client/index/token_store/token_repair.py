"""Stored token vectors that are not as they were written, found and taken off before an index is brought up to date.

    any run     the file gone, or another: no document has any; the file cut: those behind its end have none
    --verify    every span of the set --read, checksum compared--> what differs: its documents have none

Comparing takes 0.3 s of CPU time a GB, besides the reading: what an ordinary run does not touch it does not read. A
search compares the checksums of what it reads, so damage that nobody looked for is never ranked by.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from interlingua_client.index.token_store.token_file import TokenFileError
from interlingua_client.index.token_store.token_tables import TokenTables

if TYPE_CHECKING:
    from interlingua_client.index.document_store import DocumentStore
    from interlingua_client.index.token_store.token_facts import TokenFacts
    from interlingua_client.index.token_store.token_file import TokenFile

_AT_ONCE = 1024


class Checked(NamedTuple):
    """A set without its damaged rows.

    Attributes:
        verified: documents whose rows were read, and their checksums compared.
        damaged: documents whose rows were taken off.
    """

    facts: TokenFacts
    verified: int = 0
    damaged: int = 0


def without_damaged(tables: TokenTables, facts: TokenFacts, *, verify: bool) -> Checked:
    """Take the rows off that are damaged. The caller holds the writer's lock.

    Args:
        verify: read all of them; else what the file's name, header and size tell.
    """
    if not facts.file:
        return Checked(facts)
    labels = tables.labels(facts)
    try:
        file = tables.open(facts)
    except TokenFileError:
        facts = replace(facts, projection=None, file="", tokens=0)
        tables.move(facts, {})
        return Checked(facts, damaged=len(labels))
    damaged = _damaged(tables, facts, file, labels) if verify else tables.labels_behind(facts, file.rows())
    if damaged:
        tables.forget(facts, damaged)
    return Checked(facts, len(labels) if verify else 0, len(damaged))


def _damaged(tables: TokenTables, facts: TokenFacts, file: TokenFile, labels: list[int]) -> set[int]:
    found: set[int] = set()
    for start in range(0, len(labels), _AT_ONCE):
        spans = tables.spans(facts, labels[start : start + _AT_ONCE])
        _, sound = file.read(list(spans.values()))
        order = list(spans)
        found.update(set(order).difference(order[place] for place in sound))
    return found


def what_is_lost(store: DocumentStore) -> str:
    """Which file of token vectors is not there, and what to do; "" where none is missing."""
    tables = TokenTables(store)
    for facts in tables.sets():
        if facts.file:
            try:
                tables.open(facts)
            except TokenFileError as error:
                return str(error)
    return ""
