"""The plan for N languages: what each costs, how it fares, and what to do.

corpus ----------------------------> TextFigures -------\\
queries, judgments --JudgedSystems--> LanguageQuality ---> LanguageRow ... --> LanguagePlan
                                       --> Verdict -----/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.display.progress import progress
from interlingua_client.corpus import tag_remarks
from interlingua_evaluation.datasets.dataset import group_of
from interlingua_evaluation.languages.quality import LanguageQuality, language_quality
from interlingua_evaluation.languages.text_counts import CountedText, PublishedTokens, count_documents, count_queries
from interlingua_evaluation.languages.text_figures import TextFigures, english_of, text_figures
from interlingua_evaluation.languages.verdict import Verdict, VerdictLimits, verdict

if TYPE_CHECKING:
    from interlingua.repository.service_tokens import ServiceTokens
    from interlingua_client.corpus import Corpus
    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.languages.judged_systems import JudgedSystems


@dataclass(frozen=True)
class LanguageRow:
    """One language.

    Attributes:
        texts: None where no document is in it.
        quality: None where nothing is judged.
    """

    language: str
    texts: TextFigures | None
    quality: LanguageQuality | None
    verdict: Verdict


@dataclass(frozen=True)
class CountedModel:
    """A published model, as far as its tokens go."""

    model_id: str
    precision: str
    digest: str
    max_tokens: int


@dataclass(frozen=True, kw_only=True)
class LanguagePlan:
    """What `interlingua languages` says.

    Attributes:
        digest: of the dataset; None for a corpus alone.
        half: whose queries were judged; "" where there are no halves, None without judgments.
        systems: that were judged, each with one thing more switched on; () without judgments.
        english: the tag that costs are against; None without English.
        notes: what was left out or guessed.
    """

    source: str
    digest: str | None
    half: str | None
    systems: tuple[str, ...]
    embedder: CountedModel
    reranker: CountedModel | None
    english: str | None
    languages: tuple[LanguageRow, ...]
    notes: tuple[str, ...] = ()
    limits: VerdictLimits = field(default_factory=VerdictLimits)


def dataset_plan(dataset: Dataset, judged: JudgedSystems, tokens: PublishedTokens) -> LanguagePlan:
    """The plan of a dataset with judgments."""
    texts = [CountedText(document.language, document.group, document.indexed.passage) for document in dataset.documents]
    queries = [CountedText(query.language, query.group, query.text) for query in dataset.queries]
    with progress("counting tokens", unit="documents", total=len(texts)) as bar:
        counts = count_documents(texts, tokens, bar)
    figures = text_figures(counts, count_queries(queries, tokens), tokens.reranking)
    languages = tuple(dict.fromkeys((*dataset.languages, *(query.language for query in dataset.queries))))
    quality = language_quality(judged, languages)
    return LanguagePlan(
        source=dataset.name,
        digest=dataset.digest,
        half=judged.half if dataset.is_split else "",
        systems=judged.names,
        embedder=_model(tokens.embedding),
        reranker=None if tokens.reranking is None else _model(tokens.reranking),
        english=english_of(figures),
        languages=_rows(languages, figures, quality),
    )


def corpus_plan(corpus: Corpus, tokens: PublishedTokens, languages: Sequence[str] = ()) -> LanguagePlan:
    """The plan of documents alone, read once.

    Args:
        languages: normalised tags; only these are counted. Without any, all.

    Raises:
        InputError: the corpus cannot be read, has a bad line, or nothing is left of it.
    """
    with progress("counting tokens", unit="documents", total=corpus.count_lines()) as bar:
        wanted = (document for document in corpus if not languages or document.language in languages)
        texts = (
            CountedText(document.language, group_of(document.id, document.language), document.passage)
            for document in wanted
        )
        counts = count_documents(texts, tokens, bar)
    if not counts:
        asked = f" in {', '.join(languages)}" if languages else ""
        raise InputError(f"{corpus.source} has no documents{asked}")
    figures = text_figures(counts, {}, tokens.reranking)
    return LanguagePlan(
        source=corpus.source,
        digest=None,
        half=None,
        systems=(),
        embedder=_model(tokens.embedding),
        reranker=None if tokens.reranking is None else _model(tokens.reranking),
        english=english_of(figures),
        languages=_rows(tuple(figures), figures, {}),
        notes=_notes(corpus),
    )


def _rows(
    languages: Sequence[str], texts: Mapping[str, TextFigures], quality: Mapping[str, LanguageQuality]
) -> tuple[LanguageRow, ...]:
    return tuple(
        LanguageRow(tag, texts.get(tag), quality.get(tag), verdict(tag, quality.get(tag))) for tag in languages
    )


def _notes(corpus: Corpus) -> tuple[str, ...]:
    notes = tag_remarks(corpus.detected, corpus.unregistered)
    if corpus.bad_lines:
        notes.append(f"bad lines left out: {len(corpus.bad_lines)}")
    return tuple(notes)


def _model(tokens: ServiceTokens) -> CountedModel:
    spec = tokens.spec
    return CountedModel(spec.model_id, spec.precision, spec.digest, spec.max_tokens)
