"""What a late-interaction model makes of its two sides, as its exporter states it and its services read it.

A model's folder --exporter--> LateInteraction --to_text--> a service's parameters --from_text--> LateInteraction
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal, TypedDict

Part = Literal["alone", "query", "document"]
Weighting = Literal["importance", "sum", "mean"]


@dataclass(frozen=True)
class Expansion:
    """Tokens that fill a short text up; they are computed, and their vectors count (ColBERT's query augmentation).

    Attributes:
        length: tokens that a row has at least, specials included.
        attended: whether the other tokens see them.
    """

    token_id: int
    length: int
    attended: bool


@dataclass(frozen=True)
class TokenPooling:
    """A document's vectors clustered (token_pooling.py).

    Attributes:
        factor: tokens of a cluster, on average; at least 1.
        protected: so many vectors, from the first one on, stay by themselves.
        normalize: whether every vector has length 1 afterwards.
    """

    factor: float
    protected: int
    normalize: bool


@dataclass(frozen=True, kw_only=True)
class SideRules:
    """One side's rows.

    Attributes:
        max_tokens: longer texts are cut to so many, specials, prompt and marker included.
        part: what is tokenized: the text alone, or what the tokenizer's template of a pair makes of a query or of a
            document, the first separator ending the query.
        separator_id: that separator; None for a text alone.
        prompt: in front of every text.
        marker_id: put in as the second token of every row; None for none.
        skipped_ids: tokens that are computed, and whose vectors do not count.
        expansion: None for none.
    """

    max_tokens: int
    part: Part = "alone"
    separator_id: int | None = None
    prompt: str = ""
    marker_id: int | None = None
    skipped_ids: tuple[int, ...] = ()
    expansion: Expansion | None = None


@dataclass(frozen=True, kw_only=True)
class LateInteraction:
    """Both sides, and what a query's rows weigh in the score `sum_i weight_i max_j (q_i . d_j)`.

    Attributes:
        weighting: `importance`: the network's weights over their sum; `sum`: 1 each; `mean`: 1 over their number.
        scale: what the weights are multiplied with.
        pooling: of documents; None for none.
    """

    query: SideRules
    document: SideRules
    weighting: Weighting = "sum"
    scale: float = 1.0
    pooling: TokenPooling | None = None

    def to_text(self) -> str:
        """All of it on one line; pooling only where there is one."""
        values = asdict(self)
        return json.dumps({name: value for name, value in values.items() if value is not None}, ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> LateInteraction:
        """What `to_text` wrote. Raises ValueError, TypeError, KeyError: it is not such a text."""
        values = json.loads(text)
        sides = {name: _side(values[name]) for name in ("query", "document")}
        pooling = TokenPooling(**values["pooling"]) if "pooling" in values else None
        return cls(**values | sides | {"pooling": pooling})


class _SideJson(TypedDict):
    """A `SideRules` as `to_text` has it; what is not named here is as it is there."""

    expansion: _ExpansionJson | None
    skipped_ids: list[int]


class _ExpansionJson(TypedDict):
    token_id: int
    length: int
    attended: bool


def _side(values: _SideJson) -> SideRules:
    expansion = Expansion(**values["expansion"]) if values["expansion"] else None
    return SideRules(**{**values, "skipped_ids": tuple(values["skipped_ids"]), "expansion": expansion})  # type: ignore[arg-type]
