"""What the index and the retriever ask of whatever turns text into vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from interlingua.base.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from interlingua.served.language_vectors import LanguageVectors
    from interlingua_client.deadline import Deadline

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

Role = Literal["query", "document"]


@dataclass(frozen=True)
class EmbedderIdentity:
    """Which vectors an embedder makes.

    Attributes:
        digest: equal digests, one vector space (interlingua/served/service.py).
        model_id: for people.
        dimension: length of a vector.
        precision: of the network; in anything but fp32 engines differ visibly (canary.py).
    """

    digest: str
    model_id: str
    dimension: int
    precision: str = "fp32"


class ServiceTimes(NamedTuple):
    """Where the time of one answer went, in seconds; None where the server does not report it.

    For an answer put together from several requests the stages are those of the slowest one.

    Attributes:
        network_s: what is left of `total_s`: transport and serialisation on both sides.
    """

    total_s: float
    queue_s: float | None = None
    tokenize_s: float | None = None
    compute_s: float | None = None
    network_s: float | None = None


class Embedded(NamedTuple):
    """Vectors of some texts.

    Attributes:
        vectors: float32 [texts, dimension], as the network gives them.
        tokens: int64 [texts], before truncation.
        truncated: bool [texts], whether the network saw only the text's beginning.
    """

    vectors: FloatArray
    tokens: IntArray
    truncated: npt.NDArray[np.bool_]
    times: ServiceTimes

    def row(self, number: int) -> Embedded:
        """One text's part; the times are those of all."""
        part = slice(number, number + 1)
        return Embedded(self.vectors[part], self.tokens[part], self.truncated[part], self.times)


class Reranked(NamedTuple):
    """Scores of some documents against one query.

    Attributes:
        scores: float32 [documents], raw logits.
        tokens: int64 [documents], of each pair before truncation; empty where nobody counted.
    """

    scores: FloatArray
    times: ServiceTimes
    tokens: IntArray = np.empty(0, np.int64)


class Embedder(Protocol):
    """Text to vectors, blocking."""

    @property
    def identity(self) -> EmbedderIdentity: ...

    @property
    def language_vectors(self) -> LanguageVectors | None:
        """Where it puts each language; None where nobody measured."""
        ...

    @property
    def max_tokens(self) -> int:
        """How many tokens of a document it reads, its prompt and special tokens included."""
        ...

    def embed(self, texts: Sequence[str], role: Role, deadline: Deadline | None = None) -> Embedded:
        """Vectors in the order of the texts."""
        ...

    def count_tokens(self, texts: list[str], role: Role) -> list[int]:
        """Tokens of each text alone, without what stands around it; of a document's beginning, if it is too long."""
        ...

    def embed_batches(self, batches: Iterable[Sequence[str]], role: Role) -> Iterator[Embedded]:
        """One answer a batch, in order; batches are drawn ahead of the answers, a bounded number of them."""
        ...


def are_finite(vectors: FloatArray) -> npt.NDArray[np.bool_]:
    """Which of the vectors [n, D] have finite numbers and a finite length, bool [n]."""
    with np.errstate(over="ignore", invalid="ignore"):
        finite: npt.NDArray[np.bool_] = np.isfinite(np.linalg.norm(vectors, axis=-1))
    return finite


def require_shape(vectors: FloatArray, count: int, dimension: int) -> None:
    """Raises ServerError: these are not `count` vectors of `dimension` numbers."""
    if vectors.shape != (count, dimension):
        raise ServerError(f"vectors of the shape {vectors.shape} came where ({count}, {dimension}) is expected")


def require_vectors(vectors: FloatArray, count: int, dimension: int, of: Callable[[int], str]) -> None:
    """Refuse what are not `count` finite vectors of `dimension` numbers: no cosine of them means anything.

    Args:
        of: what a row is the vector of.

    Raises:
        ServerError: of another shape, or the first that is not finite.
    """
    require_shape(vectors, count, dimension)
    if not (finite := are_finite(vectors)).all():
        raise ServerError(
            f"the vector of {of(int(np.argmin(finite)))} is not finite: the network overflows in its precision. Export "
            "it in fp32"
        )
