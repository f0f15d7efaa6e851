"""What a set of an index's token vectors is, as the store keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interlingua_client.index.token_store.projection import TokenProjection
from interlingua_client.index.token_store.quantization import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua_client.index.token_store.quantization import TokenFormat


@dataclass(frozen=True, kw_only=True)
class TokenFacts:
    """What a set of token vectors is.

    Attributes:
        number: of the set; 0 before the store has it.
        reranker: digest of the service that encodes documents (interlingua/served/service.py).
        dimension: of a token's vector as the network gives it.
        file: name of the file; "" before there is one.
        tokens: rows of the file that were written; those of deleted documents count.
        projection: None before there is one.
    """

    number: int = 0
    reranker: str
    model_id: str
    dimension: int
    format: TokenFormat
    file: str = ""
    tokens: int = 0
    projection: TokenProjection | None = None

    @property
    def width(self) -> int:
        """Bytes of a stored token. Raises ValueError: there is no projection yet."""
        if self.projection is None:
            raise ValueError("the token vectors have no projection yet")
        return self.format.width(self.projection.dimension)

    def to_row(self) -> tuple[Any, ...]:
        """The columns of token_sets (token_tables.py)."""
        projection = self.projection.to_bytes() if self.projection else None
        known = (self.number, self.reranker, self.model_id, self.dimension, self.format.name)
        return (*known, self.file, self.tokens, projection)

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> TokenFacts:
        """Read them back. Raises KeyError, ValueError: they cannot be."""
        return cls(
            number=row[0],
            reranker=row[1],
            model_id=row[2],
            dimension=row[3],
            format=FORMATS[row[4]],
            file=row[5],
            tokens=row[6],
            projection=None if row[7] is None else TokenProjection.from_bytes(row[7], row[3]),
        )
