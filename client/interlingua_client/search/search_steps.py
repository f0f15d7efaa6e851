"""One search from text to hits, without any network in it.

    query -> language -> (Embed) -> candidates -> documents -> (Rerank) ... -> hits and times

The two network calls are steps that are yielded; the blocking and the asyncio retriever carry them out and send
the answers back, or throw the server's error in.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from interlingua.base.errors import DeadlineExceededError, InputError, ServerError
from interlingua.base.options import faults
from interlingua.served.scripts import unknown_scripts
from interlingua.served.text.normal_form import normal_form
from interlingua_client.embedder import require_vectors
from interlingua_client.language_tag import base_language, is_registered, normalize_tag
from interlingua_client.search.query_language import LanguageDetector
from interlingua_client.search.rerank_pace import RerankPace
from interlingua_client.search.results import Hit, QueryLanguage, Reranking, SearchResult, StageTimes
from interlingua_client.search.score_mixing import mix_scores
from interlingua_client.search.search_options import DEFAULT_OPTIONS, SearchOptions

if TYPE_CHECKING:
    from interlingua_client.deadline import Deadline
    from interlingua_client.document import Document
    from interlingua_client.embedder import Embedded, Reranked
    from interlingua_client.index.search_index import Candidates, SearchIndex
    from interlingua_client.triton.services import Services

NO_RERANKER = "the server has no reranker"
NOT_ASKED = "reranking was switched off"
NOTHING_FOUND = "there was nothing to rerank"


@dataclass(frozen=True)
class SearchRequest:
    """What is asked, how, and by when the result has to be there."""

    query: str
    options: SearchOptions = DEFAULT_OPTIONS
    deadline: Deadline | None = None


class Embed(NamedTuple):
    """Step: the query's vector; the reply is an Embedded of one text."""

    query: str
    deadline: Deadline | None


class Rerank(NamedTuple):
    """Step: the documents' scores; the reply is a Reranked."""

    query: str
    passages: list[str]
    deadline: Deadline | None


SearchSteps = Generator[Embed | Rerank, Any, SearchResult]


class _Scored(NamedTuple):
    document: Document
    dense: float


class Searcher:
    """Everything about searching that does not depend on how the network is reached."""

    def __init__(
        self, index: SearchIndex, *, has_reranker: bool, rerank_weight: float = 1.0, scripts: Sequence[str] = ()
    ) -> None:
        """`rerank_weight` is for the searches that name none; `scripts` are those that the embedder knows."""
        self.index = index
        self._has_reranker = has_reranker
        self._rerank_weight = rerank_weight
        self._scripts = scripts
        self._pace = RerankPace()
        self._detector = LanguageDetector(index.languages)

    @classmethod
    def of(cls, index: SearchIndex, services: Services, rerank_weight: float | None) -> Searcher:
        """For what a server offers; without a weight of the caller's, the rerank service states it."""
        reranker, stated = services.rerank, services.embed_query.spec.scripts
        scripts = stated.split(",") if stated else ()
        if reranker is None:
            return cls(index, has_reranker=False, scripts=scripts)
        weight = reranker.spec.rerank_weight if rerank_weight is None else rerank_weight
        return cls(index, has_reranker=True, rerank_weight=weight, scripts=scripts)

    def load_detector(self) -> None:
        """Have the language detector ready before the first query, if one is needed at all."""
        if self.index.has_offsets or self._has_reranker:
            self._detector.load()

    def with_index(self, index: SearchIndex) -> Searcher:
        """The same reranker's pace, another generation of the index."""
        searcher = Searcher(
            index, has_reranker=self._has_reranker, rerank_weight=self._rerank_weight, scripts=self._scripts
        )
        searcher._pace = self._pace
        return searcher

    def steps(self, request: SearchRequest) -> SearchSteps:
        """One search.

        Raises:
            InputError: an empty query, an option out of its bounds, an unknown language.
            ServerError: from embedding; reranking falls back to the dense order instead.
        """
        started = time.monotonic()
        languages = self._check(request)
        language = self.language_of(request)
        detected = time.monotonic()
        embedded: Embedded = yield Embed(request.query, request.deadline)
        require_vectors(embedded.vectors, 1, self.index.manifest.embedder.dimension, lambda _: "the query")
        sent = time.monotonic()
        depth = max(request.options.k, request.options.candidates)
        candidates = self.index.nearest(
            embedded.vectors[0], language.tag, depth, languages, quota=request.options.quota
        )
        candidates = _near_enough(candidates, request.options.min_similarity)
        found = time.monotonic()
        scored = self._documents(candidates)
        read = time.monotonic()
        logits, reranking = yield from self._rerank(request, scored)
        own = self._own(request, language, scored[: len(logits)])
        hits = _ranked(scored, logits, self._weight(request), own)
        done = time.monotonic()
        times = StageTimes(
            language_s=detected - started,
            queue_s=embedded.times.queue_s,
            tokenize_s=embedded.times.tokenize_s,
            compute_s=embedded.times.compute_s,
            network_s=embedded.times.network_s,
            embed_s=embedded.times.total_s,
            ann_s=found - sent,
            documents_s=read - found,
            rerank_s=done - read,
            total_s=done - started,
        )
        return SearchResult(
            query=request.query,
            hits=hits[: request.options.k],
            times=times,
            reranking=reranking,
            language=language,
            exact=candidates.exact,
            offsets=self.index.has_offsets,
            query_tokens=int(embedded.tokens[0]),
            query_truncated=bool(embedded.truncated[0]),
            vanished=len(candidates.labels) - len(scored),
            unknown_scripts=unknown_scripts(request.query, self._scripts),
        )

    def _check(self, request: SearchRequest) -> list[str]:
        """The index's tags of the languages asked for; every mistake is named at once."""
        wrong = [*_faults_of_query(request.query), *faults(request.options)]
        if wrong:
            raise InputError("; ".join(wrong))
        languages = request.options.languages
        return self.index.resolve_languages(languages) if languages else []

    def language_of(self, request: SearchRequest) -> QueryLanguage:
        """Given, detected, or not needed."""
        if request.options.query_language:
            try:
                given = normalize_tag(request.options.query_language)
            except ValueError as error:
                raise InputError(f"query language: {error}") from None
            if not is_registered(given) and given not in self.index.languages:
                raise InputError(f"query language: {given!r} is no registered language (IANA), and none of the index's")
            return QueryLanguage(given, "given", 1.0)
        if not (self.index.has_offsets or self._is_balanced(request)):
            return QueryLanguage(None, "unused", 0.0)
        tag, confidence = self._detector.detect(request.query)
        return QueryLanguage(tag, "detected" if tag else "unsure", confidence)

    def _documents(self, candidates: Candidates) -> list[_Scored]:
        documents = self.index.documents(candidates.labels)
        return [
            _Scored(documents[label], score)
            for label, score in zip(candidates.labels.tolist(), candidates.scores.tolist(), strict=True)
            if label in documents
        ]

    def _rerank(
        self, request: SearchRequest, scored: list[_Scored]
    ) -> Generator[Rerank, Any, tuple[list[float], Reranking]]:
        """Logits of the first candidates, as many as there is time for, and what became of the rest."""
        reason = self._why_not(request, scored)
        passages = [candidate.document.passage for candidate in scored]
        logits: list[float] = []
        while not reason and len(logits) < len(passages):
            depth = self._pace.depth(len(passages) - len(logits), request.deadline)
            if depth == 0:
                reason = f"the deadline left time for {len(logits)} of {len(passages)} candidates"
                break
            part = passages[len(logits) : len(logits) + depth]
            try:
                answer: Reranked = yield Rerank(request.query, part, request.deadline)
            except DeadlineExceededError as error:
                reason = f"reranking came too late ({error})"
                break
            except ServerError as error:
                reason = f"reranking failed: {error}"
                break
            self._pace.record(depth, answer.times.total_s)
            if answer.scores.shape != (depth,):
                reason = (
                    f"reranking failed: the reranker gave scores of the shape {answer.scores.shape} for {depth} texts"
                )
                break
            if not np.isfinite(answer.scores).all():
                reason = "reranking failed: the reranker gave a score that is not a finite number"
                break
            logits += answer.scores.tolist()
        weight = self._weight(request) if logits else None
        return logits, Reranking(len(logits), len(passages), reason, weight)

    def _is_balanced(self, request: SearchRequest) -> bool:
        return request.options.balance and request.options.rerank and self._has_reranker

    def _own(self, request: SearchRequest, language: QueryLanguage, scored: list[_Scored]) -> list[bool]:
        """Which candidates are in the query's language; [] where that is unknown, or of no interest."""
        if language.tag is None or not self._is_balanced(request):
            return []
        own = base_language(language.tag)
        return [base_language(candidate.document.language) == own for candidate in scored]

    def _weight(self, request: SearchRequest) -> float:
        return self._rerank_weight if request.options.rerank_weight is None else request.options.rerank_weight

    def _why_not(self, request: SearchRequest, scored: list[_Scored]) -> str:
        if not request.options.rerank:
            return NOT_ASKED
        if not self._has_reranker:
            return NO_RERANKER
        return "" if scored else NOTHING_FOUND


def require_queries(queries: object) -> list[str]:
    """Several queries, each to be looked at by its search. Raises InputError: it is one text, or no list."""
    if isinstance(queries, str | bytes) or not isinstance(queries, Iterable):
        raise InputError(f"queries is {queries!r}, it must be a list of texts")
    return list(queries)


def _faults_of_query(query: object) -> Iterator[str]:
    if not isinstance(query, str):
        yield f"the query is {query!r}, it must be a text"
        return
    if not normal_form(query).strip():
        yield "the query is empty"
    if "\0" in query:
        yield "the query holds a NUL character"


def _near_enough(candidates: Candidates, least: float | None) -> Candidates:
    """The candidates that reach a cosine; neither the reranker nor the caller sees the others."""
    if least is None:
        return candidates
    kept = candidates.scores >= least
    return replace(candidates, labels=candidates.labels[kept], scores=candidates.scores[kept])


def _ranked(scored: list[_Scored], logits: list[float], weight: float, own: list[bool]) -> list[Hit]:
    """The reranked ones by their mixed scores, equal ones in the dense order, then the others in the dense order."""
    depth = len(logits)
    mixed = mix_scores([candidate.dense for candidate in scored[:depth]], logits, weight, own)
    scores = mixed + [candidate.dense for candidate in scored[depth:]]
    order = [*sorted(range(depth), key=lambda row: (-mixed[row], row)), *range(depth, len(scored))]
    return [
        _hit(rank, scored[row], scores[row], row + 1, logits[row] if row < depth else None)
        for rank, row in enumerate(order, start=1)
    ]


def _hit(rank: int, scored: _Scored, score: float, dense_rank: int, logit: float | None) -> Hit:
    document = scored.document
    return Hit(
        rank=rank,
        id=document.id,
        score=score,
        dense_score=scored.dense,
        dense_rank=dense_rank,
        rerank_score=logit,
        language=document.language,
        title=document.title,
        text=document.text,
    )
