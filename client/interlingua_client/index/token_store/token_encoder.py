"""What the index asks of whatever turns documents into token vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from interlingua.served.token_vectors import TokenVectors


@dataclass(frozen=True)
class EncoderIdentity:
    """Whose token vectors these are.

    Attributes:
        digest: of the service that encodes documents.
        model_id: for people.
        dimension: of a token's vector.
    """

    digest: str
    model_id: str
    dimension: int


class TokenEncoder(Protocol):
    """Text to token vectors, blocking."""

    @property
    def encoder(self) -> EncoderIdentity | None:
        """None where the server has no late-interaction reranker."""
        ...

    def encode_documents(self, batches: Iterable[Sequence[str]]) -> Iterator[list[TokenVectors]]:
        """One answer a batch, in order; batches are drawn ahead of the answers, a bounded number of them."""
        ...
