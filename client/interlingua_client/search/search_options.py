"""What a caller may choose about a search: one list for retrievers, command line, log and docs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypedDict

from interlingua.base.errors import InputError
from interlingua.base.options import faults, option, options

_IN_PLACE = ("k", "candidates", "languages")


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """How a search is made; everything may be left out."""

    k: int = option(10, "Hits wanted; fewer come where the index holds fewer.", low=1)
    candidates: int = option(50, "Passages of the first stage that the reranker sees; at least k are taken.", low=1)
    languages: Sequence[str] = option((), "Only documents in this language.", unset="all")
    query_language: str | None = option(None, "The question's language.", unset="detected")
    rerank: bool = option(True, "Whether the reranker has a say in the order, or the first stage alone.")
    rerank_weight: float | None = option(
        None,
        "The reranker's share in the score: 0 the first stage alone, 1 the reranker alone.",
        low=0,
        high=1,
        unset="what the reranker states",
    )
    balance: bool = option(
        True, "Take out the advantage that documents in the question's own language have when they are reranked."
    )
    quota: float = option(
        0.0, "Share of the candidates that is divided evenly among the languages searched.", low=0, high=1
    )
    min_similarity: float | None = option(
        None, "Least cosine that the first stage must give a passage; the others are left out.", low=-1, high=1
    )

    passages: bool = option(
        False, "Have every passage as a hit of its own, rather than each document once, with its best one."
    )
    words: Literal["codes", "off", "bm25", "fusion"] = option(
        "codes",
        "What the question's words do: codes adds what holds its names and codes to what is reranked, bm25 finds by "
        "words alone, fusion by both.",
    )
    explain: bool = option(False, "Say of every hit what offsets, words, reranking and balance did to its place.")
    filter: Mapping[str, Any] | None = option(
        None, "Only documents whose fields meet this (docs/filters.md).", json=True, metavar="JSON | FIELD=VALUE"
    )

    def changed(self, in_place: Sequence[Any], changes: SearchChanges) -> SearchOptions:
        """These with some replaced; the first of `in_place` are k, candidates and languages.

        A wrong value stays as it is, for the search to name all that are; of right ones 5.0 becomes 5.

        Raises:
            TypeError: a value is given twice, or there are more of them.
        """
        if len(in_place) > len(_IN_PLACE):
            raise TypeError(f"a search takes a query, {', '.join(_IN_PLACE)} by place, and no more: name the others")
        made = replace(self, **dict(zip(_IN_PLACE, in_place, strict=False)), **changes)
        given = ((entry, getattr(made, entry.name)) for entry in options(SearchOptions))
        kept = {entry.name: entry.kept(value) for entry, value in given if value is not None and not entry.fault(value)}
        return replace(made, **kept)


def faults_together(given: SearchOptions) -> Iterator[str]:
    """What is wrong with options beside each other, a sentence each."""
    if given.min_similarity is not None and given.words in ("bm25", "fusion"):
        yield (
            f"min_similarity is {given.min_similarity!r} and words is {given.words!r}: what words find has no cosine "
            "to reach; leave one of them out"
        )


class SearchChanges(TypedDict, total=False):
    """The fields of SearchOptions as keywords, for type checkers."""

    k: int
    candidates: int
    languages: Sequence[str]
    query_language: str | None
    rerank: bool
    rerank_weight: float | None
    balance: bool
    quota: float
    min_similarity: float | None
    passages: bool
    words: Literal["codes", "off", "bm25", "fusion"]
    explain: bool
    filter: Mapping[str, Any] | None


DEFAULT_OPTIONS = SearchOptions()


def require_weight(weight: float | None) -> None:
    """Raises InputError for a reranker's weight outside 0 to 1."""
    if wrong := faults(SearchOptions(rerank_weight=weight)):
        raise InputError("; ".join(wrong))


def require_options(options: object) -> SearchOptions:
    """Raises InputError for what are no options: a dict, say."""
    if not isinstance(options, SearchOptions):
        raise InputError(f"options is {options!r}, it must be SearchOptions(k=..., ...)")
    return options
