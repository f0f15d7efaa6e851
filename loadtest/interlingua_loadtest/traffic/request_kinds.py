"""The kinds of requests that a load test, a traffic file and the simulator know."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal["embed_query", "embed_document", "rerank", "search"]

KINDS: tuple[Kind, ...] = get_args(Kind)
SEARCH: Kind = "search"
