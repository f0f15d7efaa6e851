"""What a search answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from interlingua_client.search.snippets import Snippet
from interlingua_client.search.word_candidates import OFF, WordUse

if TYPE_CHECKING:
    from interlingua.base.json_value import JsonValue
    from interlingua_client.search.explanation import HitPlaces


@dataclass(frozen=True, kw_only=True)
class HitPassage:
    """A further passage that was found of a hit's document; scores and places are as the hit's own."""

    score: float
    dense_score: float
    rerank_score: float | None
    start: int
    end: int
    heading: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One document found, with the passage that answers best; or, where asked for, one passage.

    Attributes:
        rank: from 1.
        score: what it is ranked by: both stages' scores mixed (score_mixing.py) where it was reranked, else the
            dense score. The documents beyond the rerank depth follow those within it, so scores of the two kinds
            do not compare.
        dense_score: cosine of the passage in the first stage, offsets removed if the index has them; where words find,
            their score (word_candidates.py).
        dense_rank: where it stood before reranking, from 1.
        rerank_score: the reranker's raw logit; None for passages that were not reranked.
        text: the passage's; all of a document that is one passage.
        metadata: the document's further fields, by name.
        start, end: where the passage is in the document's text, in code points.
        heading: that it stands under; "" for none.
        passages: the others that were found of the document, best first.
        snippet: the part of `text` around what the question's words hit, and where in it they stand.
        places: what each step did to its place, where that was asked for.
    """

    rank: int
    id: str
    score: float
    dense_score: float
    dense_rank: int
    rerank_score: float | None
    language: str
    title: str
    text: str
    metadata: Mapping[str, JsonValue] = field(default_factory=dict)
    start: int = 0
    end: int = 0
    heading: str = ""
    passages: tuple[HitPassage, ...] = ()
    snippet: Snippet = field(default_factory=lambda: Snippet(""))
    places: HitPlaces | None = None


@dataclass(frozen=True, kw_only=True)
class StageTimes:
    """Where the time went, in seconds; None for what the server did not report.

    Attributes:
        language_s: detecting the query's language.
        queue_s, tokenize_s, compute_s: of the embedding service, as it reports them.
        network_s: what is left of `embed_s`.
        embed_s: from sending the query's text to having its vector.
        encode_s: from sending it to having its token vectors, beside `embed_s`; None where none were asked for.
        ann_s: finding the candidates, those that words bring included.
        documents_s: reading them from the store.
        rerank_s: comparing token vectors, and from sending pairs to having their scores, tries that failed included.
        total_s: all of it.
    """

    language_s: float
    queue_s: float | None
    tokenize_s: float | None
    compute_s: float | None
    network_s: float | None
    embed_s: float
    encode_s: float | None = None
    ann_s: float
    documents_s: float
    rerank_s: float
    total_s: float


@dataclass(frozen=True)
class Reranking:
    """What became of the second stage.

    Attributes:
        depth: how many of the first candidates were reranked.
        wanted: how many there were to rerank.
        reason: why it was fewer; "" when it was not.
        weight: the reranker's share in the score, 0 to 1; None when nothing was reranked.
        stored: how many of `depth` were scored by the index's token vectors; the others went to the reranker as pairs.
        pairs_reason: why pairs were sent although the reranker could have compared stored token vectors; else "".
    """

    depth: int
    wanted: int
    reason: str
    weight: float | None = None
    _: KW_ONLY
    stored: int = 0
    pairs_reason: str = ""

    @property
    def degraded(self) -> bool:
        """Some candidates were reranked, and not all."""
        return 0 < self.depth < self.wanted


@dataclass(frozen=True)
class QueryLanguage:
    """The language whose offset was taken off the query.

    Attributes:
        tag: None when unknown: then the mean of all languages was taken off, if any.
        source: "given", "detected", "unsure" (detected with too little confidence), or "unused" (no offsets).
        confidence: of the detection; 1 when given, 0 when unused.
    """

    tag: str | None
    source: str
    confidence: float


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """Hits, how they came about, and how long each stage took.

    Attributes:
        exact: every allowed document was compared in the first stage.
        offsets: language offsets were removed.
        query_tokens: before truncation.
        query_truncated: the network saw only the query's beginning.
        vanished: candidates left out since they were deleted, or meet the filters no more, since the index was opened.
        words: what the search made of the question's words.
        unknown_scripts: of the query, where the embedder's tokenizer knows none of it: the hits mean nothing then.
    """

    query: str
    hits: list[Hit]
    times: StageTimes
    reranking: Reranking
    language: QueryLanguage
    exact: bool
    offsets: bool
    query_tokens: int
    query_truncated: bool
    vanished: int
    words: WordUse = field(default_factory=lambda: WordUse(OFF))
    unknown_scripts: tuple[str, ...] = ()

    @property
    def reranked(self) -> bool:
        """Whether the reranker had a say in the order."""
        return self.reranking.depth > 0

    @property
    def explained(self) -> bool:
        """Whether the hits say what each step did to their places."""
        return any(hit.places for hit in self.hits)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the same facts, plus `reranked`."""
        return {**asdict(self), "reranked": self.reranked}
