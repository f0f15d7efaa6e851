"""How many of the candidates every language is sure of.

Without a quota a language whose offset was estimated badly, or that a query does not favour, may have no candidate at
all, and no reranker can bring back what it never sees.
"""

from __future__ import annotations


def reserved_per_language(candidates: int, languages: int, share: float) -> int:
    """Candidates that each of the languages is sure of, as far as it has documents.

    Args:
        share: of the candidates that is divided among the languages, 0 to 1; what is left goes to the nearest of any.
    """
    return int(share * candidates) // max(languages, 1)
