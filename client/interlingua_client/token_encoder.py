"""What the index and the retriever ask of whatever turns texts into token vectors (served/token_vectors.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from interlingua.base.errors import ServerError
    from interlingua.served.token_vectors import TokenVectors
    from interlingua_client.embedder import Embedded, ServiceTimes


@dataclass(frozen=True)
class EncoderIdentity:
    """Whose token vectors these are.

    Attributes:
        digest: of the services that encode queries and documents.
        model_id: for people.
        dimension: of a token's vector.
        empty: similarity of a query's row to a document without rows.
    """

    digest: str
    model_id: str
    dimension: int
    empty: float = -1.0


class EncodedTexts(NamedTuple):
    """Token vectors of some texts, in their order."""

    texts: list[TokenVectors]
    times: ServiceTimes


class QuerySides(NamedTuple):
    """A query for both stages.

    Attributes:
        encoded: its token vectors, or why there are none.
    """

    embedded: Embedded
    encoded: EncodedTexts | ServerError


class TokenEncoder(Protocol):
    """Text to token vectors, blocking."""

    @property
    def encoder(self) -> EncoderIdentity | None:
        """None where the server has no late-interaction reranker."""
        ...

    def encode_documents(self, batches: Iterable[Sequence[str]]) -> Iterator[list[TokenVectors]]:
        """One answer a batch, in order; batches are drawn ahead of the answers, a bounded number of them."""
        ...
