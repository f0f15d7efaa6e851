"""What a run asks, in which shares; and everything that is wrong with such a mix.

Mix + Source -> faults, or nothing -> request_stream.py
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from interlingua.base.errors import InputError
from interlingua_client.language_tag import normalize_tag
from interlingua_loadtest.traffic.request_kinds import KINDS, Kind

if TYPE_CHECKING:
    from interlingua_loadtest.traffic.traffic_source import Source, SourceText

Repeats = Literal["unique", "zipf"]

QUERIES_MEASURED: tuple[Kind, ...] = ("embed_query", "search")

DEFAULT_DEPTH = 20

_FAULTS_SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class Mix:
    """What is asked.

    Shares are positive numbers of any sum: {"de": 3, "sw": 1} is three quarters German.

    Attributes:
        kinds: share of each kind of request.
        languages: shares of the languages of what is asked, and of the documents that are reranked where these are
            there in one of them; None: as in the source.
        query_kinds: shares of the kinds of queries; None: as in the source.
        depth: documents a rerank has, candidates a search reranks (0: none); several are drawn evenly.
        lengths: least and most characters of what a request's time depends on: the query of embed_query and search,
            the documents of embed_document and rerank; None: any.
        repeats: "unique" varies a query, or a document to embed, that comes again, so that no answer can be cached
            (the documents of a rerank come again, with another query); "zipf" draws the r-th most popular text with a
            chance that falls with r ** -zipf_exponent.
    """

    kinds: Mapping[Kind, float]
    languages: Mapping[str, float] | None = None
    query_kinds: Mapping[str, float] | None = None
    depth: int | Sequence[int] = DEFAULT_DEPTH
    lengths: tuple[int, int] | None = None
    repeats: Repeats = "unique"
    zipf_exponent: float = 1.0

    @property
    def depths(self) -> tuple[int, ...]:
        """The depths as a sequence, in any case."""
        return (self.depth,) if isinstance(self.depth, int) else tuple(self.depth)

    @property
    def language_shares(self) -> dict[str, float] | None:
        """With normalised tags; raises ValueError for what is no tag."""
        if self.languages is None:
            return None
        shares: Counter[str] = Counter()
        for tag, share in self.languages.items():
            shares[normalize_tag(tag)] += share  # type: ignore[assignment]
        return dict(shares)

    def asks(self, *kinds: Kind) -> bool:
        """Whether any of these is asked."""
        return any(kind in self.kinds for kind in kinds)


def require_drawable(mix: Mix, source: Source, seed: int) -> None:
    """Raises InputError naming everything that is wrong with the mix, or that the source lacks for it."""
    faults = [*_faults_of_mix(mix), *([f"the seed is {seed}, it must be at least 0"] if seed < 0 else [])]
    if not faults:
        faults = list(dict.fromkeys(_faults_of_source(mix, source)))
    if faults:
        rest = len(faults) - _FAULTS_SHOWN
        more = [f"and {rest} more faults"] if rest > 0 else []
        raise InputError("this traffic cannot be made: " + "; ".join([*faults[:_FAULTS_SHOWN], *more]))


def of_lengths(texts: Sequence[SourceText], lengths: tuple[int, int] | None) -> list[SourceText]:
    """The texts of so many characters."""
    low, high = (1, math.inf) if lengths is None else lengths
    return [item for item in texts if low <= len(item.text) <= high]


def _faults_of_mix(mix: Mix) -> Iterator[str]:
    yield from _bad_shares("kinds", mix.kinds)
    yield from (f"{kind!r} is no kind of request: {', '.join(KINDS)}" for kind in mix.kinds if kind not in KINDS)
    for name, shares in (("languages", mix.languages), ("query_kinds", mix.query_kinds)):
        if shares is not None:
            yield from _bad_shares(name, shares)
    try:
        _ = mix.language_shares
    except ValueError as error:
        yield str(error)
    if not mix.depths or min(mix.depths) < 0:
        yield f"depth is {mix.depth}, it must be at least 0"
    elif mix.asks("rerank") and 0 in mix.depths:
        yield "a rerank of depth 0 asks nothing"
    if mix.lengths is not None and not 1 <= mix.lengths[0] <= mix.lengths[1]:
        yield f"lengths are {mix.lengths}, they must be the least and the most characters, from 1 on"
    if mix.repeats not in get_args(Repeats):
        yield f"repeats is {mix.repeats!r}, it must be one of {', '.join(get_args(Repeats))}"
    if not 0 < mix.zipf_exponent < math.inf:
        yield f"zipf_exponent is {mix.zipf_exponent}, it must be above 0"


def _bad_shares(name: str, shares: Mapping[Any, float]) -> Iterator[str]:
    if not shares:
        yield f"{name} names nothing"
    for key, share in shares.items():
        if not 0 < share < math.inf:
            yield f"the share of {key} in {name} is {share}, it must be above 0"


def _faults_of_source(mix: Mix, source: Source) -> Iterator[str]:
    """`lengths` are of queries or of documents: see Mix."""
    if mix.asks(*QUERIES_MEASURED):
        yield from _lacking_queries(mix, source, mix.lengths)
    if mix.asks("rerank"):
        yield from _lacking_queries(mix, source, None)
        yield from _too_few_documents(mix, source)
    if mix.asks("embed_document"):
        yield from _lacking(mix, source, "document", source.documents, mix.lengths)


def _lacking_queries(mix: Mix, source: Source, lengths: tuple[int, int] | None) -> Iterator[str]:
    yield from _lacking(mix, source, "query", source.queries, lengths)
    known = {query.kind for query in source.queries}
    missing = [kind for kind in mix.query_kinds or () if kind not in known]
    yield from (f"{source.name} has no queries of kind {kind!r} ({_listed(known)} there are)" for kind in missing)
    there = {(query.language, query.kind) for query in of_lengths(source.queries, lengths)}
    languages = {query.language for query in source.queries}
    for kind in (mix.query_kinds or {}) if mix.languages is not None else ():
        for tag in mix.language_shares or ():
            if kind in known and tag in languages and (tag, kind) not in there:
                yield f"{source.name} has no query of kind {kind!r} in {tag}{_of_length(lengths)}"


def _lacking(
    mix: Mix, source: Source, what: str, texts: Sequence[SourceText], lengths: tuple[int, int] | None
) -> Iterator[str]:
    plural = "queries" if what == "query" else "documents"
    if not texts:
        yield f"{source.name} has no {plural}"
        return
    there = {item.language: 0 for item in texts}
    for item in of_lengths(texts, lengths):
        there[item.language] += 1
    wanted = list(there) if mix.languages is None else list(mix.language_shares or ())
    missing = [tag for tag in wanted if tag not in there]
    yield from (f"{source.name} has no {plural} in {tag} ({_listed(there)} there are)" for tag in missing)
    if mix.languages is None and not any(there.values()):
        yield f"{source.name} has no {what}{_of_length(lengths)} ({_range(texts)} there are)"
    for tag in mix.language_shares or ():
        if there.get(tag) == 0:
            own = [item for item in texts if item.language == tag]
            yield f"{source.name} has no {what} in {tag}{_of_length(lengths)} ({_range(own)} there are)"


def _too_few_documents(mix: Mix, source: Source) -> Iterator[str]:
    documents = rerank_documents(mix, source)
    if not source.documents:
        yield f"{source.name} has no documents"
    elif len(documents) < max(mix.depths):
        yield (
            f"a rerank of depth {max(mix.depths)} needs as many documents{_of_length(mix.lengths)}, "
            f"{source.name} has {len(documents)}"
        )


def rerank_documents(mix: Mix, source: Source) -> list[SourceText]:
    """What is reranked: documents in the languages of the mix, or in any where there are none in those."""
    documents = of_lengths(list({item.text: item for item in source.documents}.values()), mix.lengths)
    wanted = mix.language_shares
    own = [item for item in documents if wanted is None or item.language in wanted]
    return own or documents


def _of_length(lengths: tuple[int, int] | None) -> str:
    return "" if lengths is None else f" of {lengths[0]} to {lengths[1]} characters"


def _range(texts: Sequence[SourceText]) -> str:
    sizes = [len(item.text) for item in texts]
    return f"{min(sizes)} to {max(sizes)}"


def _listed(names: Mapping[str, int] | set[str]) -> str:
    return ", ".join(sorted(names))
