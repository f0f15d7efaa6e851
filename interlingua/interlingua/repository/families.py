"""What is published together: a network and the services on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.served.graph_names import EMBEDDING, SCORE
from interlingua.served.service import EMBED_DOCUMENT, EMBED_QUERY, RERANK

if TYPE_CHECKING:
    from interlingua.served.kinds import Role


@dataclass(frozen=True)
class Family:
    """A network and the services on it, which are published together."""

    network: str
    output: str
    services: tuple[str, ...]
    service_inputs: tuple[str, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """In the order of their appearance: a service never without its network."""
        return (self.network, *self.services)

    @property
    def document_service(self) -> str:
        """The one that long texts go through: documents, or pairs of a question and a document."""
        return self.services[-1]


FAMILIES: dict[Role, Family] = {
    "embedder": Family("embedder", EMBEDDING, (EMBED_QUERY, EMBED_DOCUMENT), ("text",)),
    "reranker": Family("reranker", SCORE, (RERANK,), ("query", "document")),
}


def role_of(service: str) -> Role:
    """The role of the network that a service asks. Raises KeyError: there is no such service."""
    roles = {name: role for role, family in FAMILIES.items() for name in family.services}
    return roles[service]
