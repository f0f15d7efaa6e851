"""Where a model puts each language: its mean document and query vector, measured on texts that say the same in each.

    parallel texts --exporter--> LanguageVectors --to_text--> a parameter of `embed_document`
        --Triton, from_text--> the client --> index

Most of the gap between languages is a constant for each. An index can estimate it from its own documents alone only as
far as each language writes about the same: the model's own vectors say what is language and what is topic.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

Rows = npt.NDArray[np.float32]

_LEVELS = 127  # of int8: a row is known to 1/127 of its largest value, a hundredth of its length


@dataclass(frozen=True)
class RoleVectors:
    """Means of unit vectors of one role.

    Attributes:
        overall: float32 [D], over all languages, each the same.
        from_overall: float32 [D] each, a language's mean less `overall`.
    """

    overall: Rows
    from_overall: Mapping[str, Rows]

    @classmethod
    def of_means(cls, means: Mapping[str, Rows]) -> RoleVectors:
        """From a mean a language, float32 [D] each."""
        overall = np.stack(list(means.values())).astype(np.float64).mean(axis=0)
        return cls(
            overall.astype(np.float32),
            {language: (mean - overall).astype(np.float32) for language, mean in means.items()},
        )


@dataclass(frozen=True)
class LanguageVectors:
    """Both roles, of the same languages.

    Attributes:
        digest: of the network and its texts' treatment that they were measured with (`ServiceSpec.digest`).
    """

    digest: str
    documents: RoleVectors
    queries: RoleVectors

    @property
    def languages(self) -> tuple[str, ...]:
        """BCP 47 tags."""
        return tuple(self.documents.from_overall)

    def to_text(self) -> str:
        """What a parameter of config.pbtxt holds: JSON, rows in int8 with a scale each, some 2.7 D bytes a language."""
        packed: dict[str, object] = {"digest": self.digest, "languages": self.languages}
        for name, role in (("documents", self.documents), ("queries", self.queries)):
            packed[name] = _packed(np.stack([role.overall, *(role.from_overall[tag] for tag in self.languages)]))
        return json.dumps(packed, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> LanguageVectors:
        """Read `to_text` back. Raises ValueError: it is something else."""
        try:
            stated = json.loads(text)
            tags = [str(tag) for tag in stated["languages"]]
            roles = [_role(tags, _unpacked(stated[name], 1 + len(tags))) for name in ("documents", "queries")]
            return cls(str(stated["digest"]), *roles)
        except (KeyError, TypeError, binascii.Error, ValueError) as error:
            raise ValueError(f"no language vectors: {error!r}") from error

    def fit(self, digest: str, dimension: int) -> bool:
        """Whether they are of this model, and of finite numbers."""
        rows = [row for role in (self.documents, self.queries) for row in (role.overall, *role.from_overall.values())]
        return self.digest == digest and all(row.shape == (dimension,) and np.isfinite(row).all() for row in rows)


def _role(tags: list[str], rows: Rows) -> RoleVectors:
    return RoleVectors(rows[0], dict(zip(tags, rows[1:], strict=True)))


def _packed(rows: Rows) -> dict[str, object]:
    scales = np.maximum(np.abs(rows).max(axis=1), np.finfo(np.float32).tiny) / _LEVELS
    levels = np.round(rows / scales[:, None]).astype(np.int8)
    return {"scales": [float(f"{scale:.6g}") for scale in scales], "rows": base64.b64encode(levels.tobytes()).decode()}


def _unpacked(stated: Mapping[str, object], count: int) -> Rows:
    scales = np.array(stated["scales"], dtype=np.float32)
    levels = np.frombuffer(base64.b64decode(str(stated["rows"]), validate=True), dtype=np.int8)
    if scales.shape != (count,):
        raise ValueError(f"{scales.shape} scales for {count} rows")
    return levels.reshape(count, -1).astype(np.float32) * scales[:, None]
