"""What is published together: a network and the services on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.served.graph_names import EMBEDDING, SCORE, TOKEN_VECTORS
from interlingua.served.service import EMBED_DOCUMENT, EMBED_QUERY, ENCODE_DOCUMENT_TOKENS, ENCODE_QUERY_TOKENS, RERANK

if TYPE_CHECKING:
    from collections.abc import Container

    from interlingua.served.kinds import Role


@dataclass(frozen=True)
class Family:
    """A network and the services on it, which are published together.

    Attributes:
        output: the network's.
    """

    network: str
    output: str
    services: tuple[str, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """In the order of their appearance: a service never without its network."""
        return (self.network, *self.services)

    @property
    def document_service(self) -> str:
        """The one that long texts go through: documents, or pairs of a question and a document."""
        return self.services[-1]


_KINDS: dict[Role, tuple[Family, ...]] = {
    "embedder": (Family("embedder", EMBEDDING, (EMBED_QUERY, EMBED_DOCUMENT)),),
    "reranker": (
        Family("reranker", SCORE, (RERANK,)),
        Family("reranker", TOKEN_VECTORS, (RERANK, ENCODE_QUERY_TOKENS, ENCODE_DOCUMENT_TOKENS)),
    ),
}
ROLES: tuple[Role, ...] = tuple(_KINDS)


def family_of(role: Role, outputs: Container[str] = ()) -> Family:
    """The family of a network that has these outputs; without any, of the one that every network of the role has."""
    usual, *others = _KINDS[role]
    return next((family for family in others if family.output in outputs), usual)


def models_of(role: Role) -> tuple[str, ...]:
    """Every model that a family of the role may have, networks before their services."""
    return tuple(dict.fromkeys(model for family in _KINDS[role] for model in family.models))


def role_of(service: str) -> Role:
    """The role of the network that a service asks. Raises KeyError: there is no such service."""
    roles = {name: role for role in ROLES for name in models_of(role)}
    return roles[service]


def inputs_of(service: str) -> tuple[str, ...]:
    """What a service takes of texts."""
    return ("query", "document") if service == RERANK else ("text",)


def output_of(service: str) -> str:
    """What a service answers with; `token_vectors` are BYTES (served/token_vectors.py), others FP32."""
    if service == RERANK:
        return SCORE
    return TOKEN_VECTORS if service in (ENCODE_QUERY_TOKENS, ENCODE_DOCUMENT_TOKENS) else EMBEDDING
