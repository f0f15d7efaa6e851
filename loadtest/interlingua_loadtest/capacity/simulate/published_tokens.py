"""How many tokens the traffic's texts have for the services that it needs.

Published, service --> ServiceTokens;  texts by language --> counts by language
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.repository.families import role_of
from interlingua.served.service import RERANK

if TYPE_CHECKING:
    from interlingua.repository.published import Published
    from interlingua.repository.service_tokens import ServiceTokens
    from interlingua_loadtest.capacity.simulate.workload import IntArray

Texts = Mapping[str, Sequence[str]] | Mapping[str, Sequence[tuple[str, str]]]


def published_tokens(published: Published, service: str) -> ServiceTokens:
    """The tokens of a service's newest version. Raises InputError: it is not published."""
    from interlingua.repository.service_tokens import ServiceTokens

    found = published.newest(role_of(service))
    if found is None or service not in found.specs:
        raise InputError(
            f"the traffic needs {service}, but {published.root} has no such service: run `interlingua export`"
        )
    return ServiceTokens.of(found, service)


def published_counts(published: Published, service: str, texts: Texts) -> dict[str, IntArray]:
    """By language, tokens of every text, or of what a pair of query and document adds, as the service tokenizes it.

    Raises:
        InputError: the service is not published, or its tokenizer cannot be read.
    """
    if not texts:
        return {}
    tokens = published_tokens(published, service)
    counts = tokens.computed if service == RERANK else tokens.counts
    return {language: counts(some) for language, some in texts.items()}
