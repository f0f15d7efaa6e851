"""What is asked, and what a search asks in turn: the steps that a client carries out (search_walk.py)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from interlingua.base.errors import InputError
from interlingua.served.text.normal_form import normal_form
from interlingua_client.search.search_options import DEFAULT_OPTIONS, SearchOptions

if TYPE_CHECKING:
    from interlingua_client.deadline import Deadline
    from interlingua_client.filtering.filter_tree import DocumentFilter
    from interlingua_client.index.passages.passage import StoredPassage


@dataclass(frozen=True)
class SearchRequest:
    """What is asked, how, and by when the result has to be there.

    Attributes:
        pinned: what documents have to meet, whatever the options ask for.
    """

    query: str
    options: SearchOptions = DEFAULT_OPTIONS
    deadline: Deadline | None = None
    pinned: DocumentFilter | None = None


class Embed(NamedTuple):
    """Step: the query's vector; the reply is an Embedded of one text."""

    query: str
    deadline: Deadline | None


class EmbedAndEncode(NamedTuple):
    """Step: the query's vector and its token vectors; the reply is QuerySides of one text."""

    query: str
    deadline: Deadline | None


class Rerank(NamedTuple):
    """Step: the documents' scores; the reply is a Reranked."""

    query: str
    passages: list[str]
    deadline: Deadline | None


SearchStep = Embed | EmbedAndEncode | Rerank


class ScoredPassage(NamedTuple):
    """A candidate: its label in the index, and its cosine in the first stage."""

    label: int
    passage: StoredPassage
    dense: float


def require_queries(queries: object) -> list[str]:
    """Several queries, each to be looked at by its search. Raises InputError: it is one text, or no list."""
    if isinstance(queries, str | bytes) or not isinstance(queries, Iterable):
        raise InputError(f"queries is {queries!r}, it must be a list of texts")
    return list(queries)


def faults_of_query(query: object) -> Iterator[str]:
    """What is wrong with it, a sentence each."""
    if not isinstance(query, str):
        yield f"the query is {query!r}, it must be a text"
        return
    if not normal_form(query).strip():
        yield "the query is empty"
    if "\0" in query:
        yield "the query holds a NUL character"
