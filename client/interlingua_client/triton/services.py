"""What a server offers, as found when connecting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.base.errors import ServerError
from interlingua.served.language_vectors import LanguageVectors
from interlingua.served.promotion import Promotion
from interlingua.served.service import ServiceSpec, not_as_exported, published_versions
from interlingua_client.embedder import EmbedderIdentity, Role
from interlingua_client.token_encoder import EncoderIdentity

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ModelConfig:
    """The part of a Triton model's configuration that a client needs.

    Attributes:
        parameters: string values by key.
        max_batch: texts (pairs) that one request may carry.
        outputs: names.
    """

    name: str
    parameters: Mapping[str, str]
    max_batch: int
    outputs: frozenset[str]

    @property
    def current(self) -> int | None:
        """The version that was promoted; None where none ever was."""
        return Promotion.from_parameters(self.parameters).current

    def specs(self) -> dict[int, ServiceSpec]:
        """The published versions.

        Raises:
            ServerError: a version's parameters are incomplete or malformed.
        """
        try:
            return {
                version: ServiceSpec.from_parameters(self.parameters, version)
                for version in published_versions(self.parameters)
            }
        except (KeyError, ValueError) as error:
            raise ServerError(not_as_exported(f"the configuration of {self.name}", error)) from error


@dataclass(frozen=True)
class PinnedService:
    """One version of one service.

    Attributes:
        max_batch: texts (pairs) that one request may carry.
        outputs: names of what it can answer.
    """

    name: str
    version: int
    spec: ServiceSpec
    max_batch: int
    outputs: frozenset[str]

    @classmethod
    def of(cls, config: ModelConfig, version: int) -> PinnedService:
        """One of the configuration's versions."""
        return cls(config.name, version, config.specs()[version], max(config.max_batch, 1), config.outputs)


@dataclass(frozen=True)
class Services:
    """The services of one server, their versions pinned; there may be no reranker.

    Attributes:
        encode_query, encode_document: of the reranker's version, where it is a late-interaction model.
    """

    embed_query: PinnedService
    embed_document: PinnedService
    rerank: PinnedService | None
    encode_query: PinnedService | None = None
    encode_document: PinnedService | None = None

    @property
    def identity(self) -> EmbedderIdentity:
        """The embedder that both embedding services share."""
        spec = self.embed_query.spec
        return EmbedderIdentity(spec.digest, spec.model_id, spec.dimension, spec.precision)

    @property
    def language_vectors(self) -> LanguageVectors | None:
        """Where the embedder puts each language; None where that was not published with it."""
        spec = self.embed_document.spec
        if not spec.language_vectors:
            return None
        try:
            found = LanguageVectors.from_text(spec.language_vectors)
        except ValueError as error:
            raise ServerError(not_as_exported(f"the configuration of {self.embed_document.name}", error)) from error
        if not found.fit(spec.digest, spec.dimension):
            stray = ValueError("language_vectors are of another model")
            raise ServerError(not_as_exported(f"the configuration of {self.embed_document.name}", stray))
        return found

    @property
    def encoder(self) -> EncoderIdentity | None:
        """The reranker whose sides can be encoded apart; None where there is none."""
        if self.encode_query is None or self.encode_document is None:
            return None
        spec = self.encode_query.spec
        return EncoderIdentity(spec.digest, spec.model_id, spec.dimension, spec.empty_similarity)

    def encode(self, role: Role) -> PinnedService | None:
        """The service that gives the token vectors of queries or documents."""
        return self.encode_query if role == "query" else self.encode_document

    def embed(self, role: Role) -> PinnedService:
        """The service that embeds queries or documents."""
        return self.embed_query if role == "query" else self.embed_document
