"""Stored token vectors that are not as they were written, found and taken off before an index is brought up to date.

    every span of a set --read, checksum compared--> what differs: its documents have none; the file gone: none has

Comparing takes 0.3 s of CPU time a GB, besides the reading.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua_client.index.token_store.token_file import TokenFileError
from interlingua_client.index.token_store.token_tables import TokenTables

if TYPE_CHECKING:
    from interlingua_client.index.document_store import DocumentStore
    from interlingua_client.index.token_store.token_facts import TokenFacts

_AT_ONCE = 1024


def without_damaged(tables: TokenTables, facts: TokenFacts) -> TokenFacts:
    """Take the rows off that are damaged; the facts then. The caller holds the writer's lock."""
    if not facts.file:
        return facts
    try:
        file = tables.open(facts)
    except TokenFileError:
        facts = replace(facts, projection=None, file="", tokens=0)
        tables.move(facts, {})
        return facts
    labels = tables.labels(facts)
    for start in range(0, len(labels), _AT_ONCE):
        spans = tables.spans(facts, labels[start : start + _AT_ONCE])
        _, sound = file.read(list(spans.values()))
        if len(sound) < len(spans):
            order = list(spans)
            tables.forget(facts, set(order).difference(order[place] for place in sound))
    return facts


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
