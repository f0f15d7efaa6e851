"""The space of deleted documents' token vectors, given back.

file, spans of what is alive --copied in the labels' order--> another file --named in one transaction--> old one removed
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua_client.index.token_store.token_file import make_token_file, write_rows

if TYPE_CHECKING:
    from interlingua_client.index.token_store.token_facts import TokenFacts
    from interlingua_client.index.token_store.token_file import TokenSpan
    from interlingua_client.index.token_store.token_tables import TokenTables

UNUSED_SHARE = 0.25  # of the file, beyond which what is alive is written anew
_COPIED_AT_ONCE = 1024


def reclaim(tables: TokenTables, facts: TokenFacts) -> tuple[TokenFacts, int]:
    """Write what is alive into another file, where that is worth it; the set then, and the bytes given back.

    Damaged rows are left behind: their documents have none then. The caller holds the writer's lock, and removes the
    file that is left.
    """
    unused = facts.tokens - tables.live_tokens(facts)
    if not facts.file or unused <= UNUSED_SHARE * facts.tokens:
        return facts, 0
    old = tables.open(facts)
    new = replace(facts, file=make_token_file(tables.directory, facts.width), tokens=0)
    spans: dict[int, TokenSpan] = {}
    labels = tables.labels(facts)
    for start in range(0, len(labels), _COPIED_AT_ONCE):
        found = tables.spans(facts, labels[start : start + _COPIED_AT_ONCE])
        rows, sound = old.read(list(found.values()))
        kept = [list(found)[place] for place in sound]
        places = write_rows(tables.directory / new.file, new.tokens, rows, [found[label].tokens for label in kept])
        spans.update(zip(kept, places, strict=True))
        new = replace(new, tokens=new.tokens + len(rows))
    tables.move(new, spans)
    return new, unused * facts.width
