"""What an index says about itself; kept in its SQLite file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_client.embedder import EmbedderIdentity, are_finite
from interlingua_client.index.canary import Canary
from interlingua_client.index.passages.passage_plan import PassagePlan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA_VERSION = 2


@dataclass(frozen=True)
class HnswParameters:
    """How the HNSW graph is built and searched (Malkov and Yashunin 2016, arXiv 1603.09320).

    Attributes:
        m: links of a node; more is better recall, more memory.
        ef_construction: candidates looked at while inserting.
        ef_search: candidates looked at while searching; at least the number asked for is used.
    """

    m: int = 16
    ef_construction: int = 200
    ef_search: int = 128

    def __post_init__(self) -> None:
        wrong = [
            f"{name} is {value!r}, it must be from {low} to {high}"
            for name, value, low, high in (
                ("M", self.m, 2, 128),
                ("ef_construction", self.ef_construction, 1, 10_000),
                ("ef_search", self.ef_search, 1, 100_000),
            )
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high
        ]
        if wrong:
            raise InputError("HNSW parameters: " + "; ".join(wrong))


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The facts an index was made with.

    Attributes:
        store_id: random, made with the index: tells a derived file of another index apart.
        generation: counts the commits.
        canary: what the embedder answered when the index was made; None in fp32, and in indexes that are older.
        offsets: whether language offsets are wanted.
        offsets_version: counts the estimates that were put to use; 0 before the first.
        passages: how long documents are split; None where every document is one passage.
        words: by which rules the table of words was made (words/word_table.py); "" where it is not up to date.
    """

    store_id: str
    embedder: EmbedderIdentity
    hnsw: HnswParameters = field(default_factory=HnswParameters)
    offsets: bool = True
    offsets_version: int = 0
    generation: int = 0
    schema_version: int = SCHEMA_VERSION
    canary: Canary | None = None
    passages: PassagePlan | None = None
    words: str = ""

    @property
    def plan_name(self) -> str:
        """Name of the plan that documents are split by, "" where they are not."""
        return name_of_plan(self.passages)

    @property
    def space(self) -> str:
        """Name of the space that the derived vectors live in: raw, or with one estimate of offsets removed."""
        return f"offsets-{self.offsets_version}" if self.offsets and self.offsets_version else "raw"

    def require_embedder(self, identity: EmbedderIdentity, directory: Path) -> None:
        """Refuse vectors of another model.

        Raises:
            InputError: naming both digests and what to do.
        """
        if identity.digest == self.embedder.digest:
            return
        raise InputError(
            f"{directory} was built with another embedder than the server's:\n"
            f"  index:  {self.embedder.digest} ({self.embedder.model_id})\n"
            f"  server: {identity.digest} ({identity.model_id})\n"
            "Their vectors cannot be mixed. Point --server at a server with the index's embedder, or index the "
            "documents again into a new directory (--index)."
        )

    def to_rows(self) -> dict[str, str]:
        """The manifest as its table's keys and values."""
        return {
            "schema_version": str(self.schema_version),
            "store_id": self.store_id,
            "generation": str(self.generation),
            "embedder_digest": self.embedder.digest,
            "embedder_model_id": self.embedder.model_id,
            "dimension": str(self.embedder.dimension),
            "hnsw_m": str(self.hnsw.m),
            "hnsw_ef_construction": str(self.hnsw.ef_construction),
            "hnsw_ef_search": str(self.hnsw.ef_search),
            "offsets": "on" if self.offsets else "off",
            "offsets_version": str(self.offsets_version),
            "precision": self.embedder.precision,
            "words": self.words,
            "canary": self.canary.to_text() if self.canary else "",
            "passage_tokens": str(self.passages.size) if self.passages else "",
            "passage_overlap": repr(self.passages.overlap) if self.passages else "",
        }

    @classmethod
    def from_rows(cls, rows: Mapping[str, str]) -> Manifest:
        """Read it back; raises KeyError or ValueError where a row is missing or wrong."""
        dimension, canary = int(rows["dimension"]), rows.get("canary")
        digest, model_id, precision = rows["embedder_digest"], rows["embedder_model_id"], rows.get("precision", "fp32")
        return cls(
            schema_version=int(rows["schema_version"]),
            store_id=rows["store_id"],
            generation=int(rows["generation"]),
            embedder=EmbedderIdentity(digest, model_id, dimension, precision),
            hnsw=HnswParameters(int(rows["hnsw_m"]), int(rows["hnsw_ef_construction"]), int(rows["hnsw_ef_search"])),
            offsets=rows["offsets"] == "on",
            offsets_version=int(rows["offsets_version"]),
            words=rows.get("words", ""),
            canary=_sound(Canary.from_text(canary, dimension)) if canary else None,
            passages=_plan(rows.get("passage_tokens", ""), rows.get("passage_overlap", "")),
        )


def name_of_plan(plan: PassagePlan | None) -> str:
    """Name of a plan, as `Manifest.plan_name` gives the index's."""
    return f"{plan.size} {plan.overlap!r}" if plan else ""


def _plan(size: str, overlap: str) -> PassagePlan | None:
    return PassagePlan(size=int(size), overlap=float(overlap)) if size else None


def _sound(canary: Canary) -> Canary | None:
    """None for one that an older version stored though it is not finite: the next run of `index` makes another."""
    return canary if are_finite(canary.vectors).all() else None
