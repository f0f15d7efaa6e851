"""The space of deleted documents' token vectors, given back.

file, spans of what is alive --copied in the labels' order--> another file --named in one transaction--> old one removed
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua_client.index.token_store.token_file import (
    TokenFile,
    TokenSpan,
    make_token_file,
    remove_token_files,
    write_rows,
)

if TYPE_CHECKING:
    from interlingua_client.index.token_store.token_tables import TokenFacts, TokenTables

UNUSED_SHARE = 0.25  # of the file, beyond which what is alive is written anew
_COPIED_AT_ONCE = 1024


def reclaim(tables: TokenTables, facts: TokenFacts) -> int:
    """Write what is alive into another file, where that is worth it; the bytes given back. Holds the writer's lock."""
    unused = facts.tokens - tables.live_tokens()
    if not facts.file or unused <= UNUSED_SHARE * facts.tokens:
        return 0
    old = TokenFile(tables.directory / facts.file, facts.width, facts.tokens)
    new = replace(facts, file=make_token_file(tables.directory, facts.width), tokens=0)
    spans: dict[int, TokenSpan] = {}
    labels = tables.labels()
    for start in range(0, len(labels), _COPIED_AT_ONCE):
        found = tables.spans(labels[start : start + _COPIED_AT_ONCE])
        write_rows(tables.directory / new.file, new.tokens, old.read(list(found.values())))
        for label, span in found.items():
            spans[label] = TokenSpan(new.tokens, span.tokens)
            new = replace(new, tokens=new.tokens + span.tokens)
    tables.move(new, spans)
    remove_token_files(tables.directory, new.file)
    return unused * facts.width
