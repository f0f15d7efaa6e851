"""One search from text to hits, without any network in it.

    query -> language -> (Embed) -> candidates -> documents -> (Rerank) ... -> hits and times
    query -> language -> (EmbedAndEncode) -> candidates, documents -> compared with stored token vectors -> hits

The network calls are steps that are yielded; the blocking and the asyncio retriever carry them out and send
the answers back, or throw the server's error in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import replace
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.errors import InputError
from interlingua.base.options import faults
from interlingua.served.scripts import unknown_scripts
from interlingua_client.embedder import require_vectors
from interlingua_client.filtering.evaluation import Described, still_passing
from interlingua_client.filtering.filter_parsing import parse
from interlingua_client.language_tag import UNDETERMINED, base_language, is_registered, normalize_tag
from interlingua_client.search.explanation import Cosines, places
from interlingua_client.search.grouping import RankedPassage, document_hits, passage_hits, wide_enough
from interlingua_client.search.query_language import LanguageDetector
from interlingua_client.search.results import QueryLanguage, SearchResult, StageTimes
from interlingua_client.search.score_mixing import mix_scores
from interlingua_client.search.search_options import faults_together
from interlingua_client.search.search_request import Embed, EmbedAndEncode, ScoredPassage, SearchStep, faults_of_query
from interlingua_client.search.second_stage import SecondStage
from interlingua_client.search.snippets import QuestionWords, snippet
from interlingua_client.search.word_candidates import BM25, CODES, FUSION, with_words
from interlingua_client.token_encoder import EncodedTexts

if TYPE_CHECKING:
    from interlingua.base.errors import ServerError
    from interlingua_client.embedder import Embedded, FloatArray
    from interlingua_client.filtering.filter_tree import DocumentFilter
    from interlingua_client.index.scope.search_scope import SearchScope
    from interlingua_client.index.search_index import Candidates, SearchIndex
    from interlingua_client.search.explanation import HitPlaces
    from interlingua_client.search.search_options import SearchOptions
    from interlingua_client.search.search_request import SearchRequest
    from interlingua_client.search.word_candidates import Worded
    from interlingua_client.token_encoder import EncoderIdentity
    from interlingua_client.triton.services import Services

SearchSteps = Generator[SearchStep, Any, SearchResult]


class Searcher:
    """Everything about searching that does not depend on how the network is reached."""

    def __init__(
        self,
        index: SearchIndex,
        *,
        has_reranker: bool,
        rerank_weight: float = 1.0,
        scripts: Sequence[str] = (),
        encoder: EncoderIdentity | None = None,
    ) -> None:
        """What stays the same from search to search.

        Args:
            rerank_weight: for the searches that name none.
            scripts: those that the embedder knows.
            encoder: the reranker, where it can be asked for a query's side alone.
        """
        self.index = index
        self._scripts = scripts
        self._second_stage = SecondStage(exists=has_reranker, weight=rerank_weight, encoder=encoder)
        self._detector = LanguageDetector(index.languages)

    @classmethod
    def of(cls, index: SearchIndex, services: Services, rerank_weight: float | None) -> Searcher:
        """For what a server offers; without a weight of the caller's, the rerank service states it."""
        reranker, stated = services.rerank, services.embed_query.spec.scripts
        scripts = stated.split(",") if stated else ()
        if reranker is None:
            return cls(index, has_reranker=False, scripts=scripts)
        weight = reranker.spec.rerank_weight if rerank_weight is None else rerank_weight
        return cls(index, has_reranker=True, rerank_weight=weight, scripts=scripts, encoder=services.encoder)

    def load_detector(self) -> None:
        """Have the language detector ready before the first query, if one is needed at all."""
        if self.index.has_offsets or self._second_stage.exists:
            self._detector.load()

    def with_index(self, index: SearchIndex) -> Searcher:
        """The same reranker's pace, another generation of the index."""
        searcher = Searcher(index, has_reranker=self._second_stage.exists, scripts=self._scripts)
        searcher._second_stage = self._second_stage
        return searcher

    def steps(self, request: SearchRequest) -> SearchSteps:
        """One search.

        Raises:
            InputError: an empty query, an option out of its bounds, an unknown language or field.
            ServerError: from embedding; reranking falls back to the dense order instead.
        """
        started = time.monotonic()
        scope, languages = self._check(request)
        checked = time.monotonic()
        language = self.language_of(request)
        detected = time.monotonic()
        pairs_reason = self._second_stage.why_pairs(request, self.index.tokens)
        embedded: Embedded
        encoded: EncodedTexts | ServerError | None = None
        if pairs_reason == "":
            embedded, encoded = yield EmbedAndEncode(request.query, request.deadline)
        else:
            embedded = yield Embed(request.query, request.deadline)
        require_vectors(embedded.vectors, 1, self.index.manifest.embedder.dimension, lambda _: "the query")
        sent = time.monotonic()
        candidates = self._candidates(embedded.vectors[0], language.tag, scope, languages, request.options)
        worded = self._worded(request, embedded.vectors[0], language, candidates, scope, languages)
        candidates = worded.candidates
        found = time.monotonic()
        scored = self._documents(request, candidates)
        read = time.monotonic()
        stored = self._second_stage.compared(request, scored, self.index.tokens, encoded)
        logits, reranking = yield from self._second_stage.rerank(request, scored, stored, pairs_reason)
        reranked = time.monotonic()
        own = self._own(request, language, scored[: len(logits)])
        weight = self._second_stage.weight(request)
        steps: list[HitPlaces] = []
        if request.options.explain:
            cosines = self._cosines(request.options, embedded.vectors[0], language.tag, scored)
            steps = places(scored, cosines, worded.added, logits, weight, own)
        ranked = _coded_first(_ranked(scored, logits, weight, own, steps), worded.coded)
        grouped = passage_hits if request.options.passages else document_hits
        hits = grouped(ranked, request.options.k)
        asked = QuestionWords.of(request.query, language.tag or UNDETERMINED)
        hits = [replace(hit, snippet=snippet(hit.text, asked)) for hit in hits]
        done = time.monotonic()
        times = StageTimes(
            language_s=detected - checked,
            queue_s=embedded.times.queue_s,
            tokenize_s=embedded.times.tokenize_s,
            compute_s=embedded.times.compute_s,
            network_s=embedded.times.network_s,
            embed_s=embedded.times.total_s,
            encode_s=encoded.times.total_s if isinstance(encoded, EncodedTexts) else None,
            ann_s=found - sent + checked - started,
            documents_s=read - found,
            rerank_s=reranked - read,
            total_s=done - started,
        )
        return SearchResult(
            query=request.query,
            hits=hits,
            times=times,
            reranking=reranking,
            language=language,
            exact=candidates.exact,
            offsets=self.index.has_offsets,
            query_tokens=int(embedded.tokens[0]),
            query_truncated=bool(embedded.truncated[0]),
            vanished=len(candidates.labels) - len(scored),
            words=worded.use,
            unknown_scripts=unknown_scripts(request.query, self._scripts),
        )

    def _check(self, request: SearchRequest) -> tuple[SearchScope, list[str]]:
        """Where to search, and in which of its languages; every mistake is named at once."""
        wrong = [*faults_of_query(request.query), *faults(request.options), *faults_together(request.options)]
        wanted = None
        try:
            wanted = _filter_of(request)
        except InputError as error:
            wrong.append(str(error))
        if wrong:
            raise InputError("; ".join(wrong))
        scope = self.index.scope(wanted, request.pinned)
        languages = request.options.languages
        # Whether a language is there is asked of what the caller may know of, not of what this filter leaves of it.
        known = self.index.scope(None, request.pinned)
        return scope, self.index.resolve_languages(languages, known) if languages else []

    def language_of(self, request: SearchRequest) -> QueryLanguage:
        """Given, detected, or not needed."""
        if request.options.query_language:
            try:
                given = normalize_tag(request.options.query_language)
            except ValueError as error:
                raise InputError(f"query language: {error}") from None
            known = self.index.scope(None, request.pinned).languages
            if not is_registered(given) and given not in known:
                raise InputError(f"query language: {given!r} is no registered language (IANA), and none of the index's")
            return QueryLanguage(given, "given", 1.0)
        if not (self.index.has_offsets or self._second_stage.is_balanced(request)):
            return QueryLanguage(None, "unused", 0.0)
        tag, confidence = self._detector.detect(request.query)
        return QueryLanguage(tag, "detected" if tag else "unsure", confidence)

    def _candidates(
        self, vector: FloatArray, tag: str | None, scope: SearchScope, languages: list[str], options: SearchOptions
    ) -> Candidates:
        """What the first stage finds."""

        def look(depth: int) -> Candidates:
            found = self.index.nearest(vector, tag, depth, languages, quota=options.quota, scope=scope)
            return _near_enough(found, options.min_similarity)

        return self._wide(look, options)

    def _wide(self, look: Callable[[int], Candidates], options: SearchOptions) -> Candidates:
        """Find as many passages as are asked for, of k documents or more, where there are so many."""
        depth = max(options.k, options.candidates)
        if options.passages or not self.index.is_split:
            return look(depth)
        return wide_enough(look, self.index.documents_of, depth, options.k)

    def _worded(
        self,
        request: SearchRequest,
        vector: FloatArray,
        language: QueryLanguage,
        candidates: Candidates,
        scope: SearchScope,
        languages: list[str],
    ) -> Worded:
        """The candidates after the question's words, in the order in which they are reranked."""
        options = request.options
        worded = with_words(
            self.index,
            request.query,
            vector,
            language.tag,
            candidates,
            mode=options.words,
            wide=lambda look: self._wide(look, options),
            least=options.min_similarity,
            languages=languages,
            scope=scope,
            known=self.index.scope(None, request.pinned),
        )
        if options.words != CODES:
            return worded
        return worded._replace(candidates=_added_early(worded.candidates, worded.added, options.k))

    def _documents(self, request: SearchRequest, candidates: Candidates) -> list[ScoredPassage]:
        """The candidates that are still there, and still meet what documents have to meet."""
        passages = self.index.found(candidates.labels)
        scored = [
            ScoredPassage(label, passages[label], score)
            for label, score in zip(candidates.labels.tolist(), candidates.scores.tolist(), strict=True)
            if label in passages
        ]
        is_filtered = request.options.filter is not None or request.pinned is not None
        is_unsure = is_filtered and not self.index.is_current()
        wanted = _both(_filter_of(request), request.pinned) if is_unsure else None
        if wanted is None:
            return scored
        described = [Described(one.passage.id, one.passage.language, one.passage.fields) for one in scored]
        return list(compress(scored, still_passing(wanted, described)))

    def _cosines(
        self, options: SearchOptions, vector: FloatArray, tag: str | None, scored: list[ScoredPassage]
    ) -> Cosines:
        """Give the cosines of the candidates, whatever words scored them by."""
        labels = [candidate.label for candidate in scored]
        searched: list[float] = [candidate.dense for candidate in scored]
        if options.words in (BM25, FUSION):
            searched = self.index.similarities(vector, tag, np.array(labels, np.int64)).tolist()
        return Cosines(self.index.raw_similarities(vector, labels), searched)

    def _own(self, request: SearchRequest, language: QueryLanguage, scored: list[ScoredPassage]) -> list[bool]:
        """Which candidates are in the query's language; [] where that is unknown, or of no interest."""
        if language.tag is None or not self._second_stage.is_balanced(request):
            return []
        own = base_language(language.tag)
        return [base_language(candidate.passage.language) == own for candidate in scored]


def _added_early(candidates: Candidates, added: Collection[int], k: int) -> Candidates:
    """With what words added behind the first k: a deadline that leaves some out leaves the last ones out."""
    is_added = np.isin(candidates.labels, list(added))
    nearest, brought = np.flatnonzero(~is_added), np.flatnonzero(is_added)
    order = np.concatenate([nearest[:k], brought, nearest[k:]])
    return replace(candidates, labels=candidates.labels[order], scores=candidates.scores[order])


def _coded_first(ranked: list[RankedPassage], coded: Collection[int]) -> list[RankedPassage]:
    """What holds the question's codes, then the others; both in their order."""
    return sorted(ranked, key=lambda found: found.scored.label not in coded)


def _filter_of(request: SearchRequest) -> DocumentFilter | None:
    """What the caller asks documents to meet. Raises InputError: it is no filter."""
    given = request.options.filter
    return None if given is None else parse(given)


def _both(one: DocumentFilter | None, other: DocumentFilter | None) -> DocumentFilter | None:
    return other if one is None else one.also(other)


def _near_enough(candidates: Candidates, least: float | None) -> Candidates:
    """The candidates that reach a cosine; neither the reranker nor the caller sees the others."""
    if least is None:
        return candidates
    kept = candidates.scores >= least
    return replace(candidates, labels=candidates.labels[kept], scores=candidates.scores[kept])


def _ranked(
    scored: list[ScoredPassage], logits: list[float], weight: float, own: list[bool], steps: list[HitPlaces]
) -> list[RankedPassage]:
    """The reranked ones by their mixed scores, equal ones in the dense order, then the others in the dense order.

    Args:
        steps: of every candidate, where they were asked for.
    """
    depth = len(logits)
    mixed = mix_scores([candidate.dense for candidate in scored[:depth]], logits, weight, own)
    scores = mixed + [candidate.dense for candidate in scored[depth:]]
    by_dense = sorted(range(len(scored)), key=lambda row: -scored[row].dense)
    dense_places = {row: place for place, row in enumerate(by_dense)}
    reranked = sorted((row for row in by_dense if row < depth), key=lambda row: -mixed[row])
    return [
        RankedPassage(
            scored[row],
            dense_places[row],
            scores[row],
            logits[row] if row < depth else None,
            steps[row] if steps else None,
        )
        for row in [*reranked, *(row for row in by_dense if row >= depth)]
    ]
