"""What the judgments of a dataset leave unmeasured: queries, language pairs, translations.

judgments, by query and by language pair --> findings
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from interlingua_evaluation.datasets.finding import DatasetFinding, findings_of

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset


def check_judgments(dataset: Dataset) -> Iterator[DatasetFinding]:
    """Unjudged queries, queries and pairs without a cross-lingual answer, gaps among translations."""
    languages = {document.id: document.language for document in dataset.documents}
    answers = {
        query.id: {languages[id_] for id_ in dataset.qrels[query.id]}
        for query in dataset.queries
        if dataset.qrels.get(query.id)
    }
    yield from _missing(dataset)
    yield from findings_of(
        "unjudged-queries",
        "warning",
        (query.id for query in dataset.queries if query.id not in answers),
        "a query has no relevant document: it is left out of every figure",
    )
    yield from findings_of(
        "same-language-only",
        "note",
        (query.id for query in dataset.queries if answers.get(query.id) == {query.language}),
        "a query is answered in its own language alone: it says nothing across languages",
    )
    yield from _shared_ids(dataset)
    yield from _pairs(dataset, answers)
    yield from _translations(dataset)


def _missing(dataset: Dataset) -> Iterator[DatasetFinding]:
    """What was left out on reading; the judgments of a Dataset itself name only what is there."""
    count = dataset.facts.get("judgments_of_missing_texts")
    if isinstance(count, int) and count:
        message = "a judgment names a document or query that is empty or not there: it was left out"
        yield DatasetFinding("missing-documents", "warning", count, (), message)


def _shared_ids(dataset: Dataset) -> Iterator[DatasetFinding]:
    """Where texts of the collection ask, each finds itself first."""
    documents = {document.id for document in dataset.documents}
    shared = [query.id for query in dataset.queries if query.id in documents]
    yield from findings_of(
        "shared-ids",
        "warning",
        (id_ for id_ in shared if id_ not in dataset.qrels.get(id_, ()) and id_ not in dataset.left_out.get(id_, ())),
        "a query has the id of a document that is not relevant to it: where it is the query's own text it comes first; "
        "--ignore-identical-ids leaves it out of the results, as BEIR and MTEB do for ArguAna and Quora",
    )


def _pairs(dataset: Dataset, answers: Mapping[str, set[str]]) -> Iterator[DatasetFinding]:
    asked = dict.fromkeys([query.language for query in dataset.queries])
    measured = {
        (query.language, answer) for query in dataset.queries if query.id in answers for answer in answers[query.id]
    }
    yield from findings_of(
        "languages-without-queries",
        "note",
        (tag for tag in dataset.languages if tag not in asked),
        "a language of the documents has no queries",
    )
    yield from findings_of(
        "pairs-without-queries",
        "warning",
        (f"{query}>{answer}" for query in asked for answer in dataset.languages if (query, answer) not in measured),
        "a language pair (query>document) has no judged query: there is no figure for it",
    )


def _translations(dataset: Dataset) -> Iterator[DatasetFinding]:
    groups: dict[str, list[str]] = {}
    for document in dataset.documents:
        groups.setdefault(document.group, []).append(document.language)
    together = {name: set(tags) for name, tags in groups.items() if len(set(tags)) > 1}
    lacking = {name: [tag for tag in dataset.languages if tag not in tags] for name, tags in together.items()}
    counts = Counter(tag for tags in lacking.values() for tag in tags)
    by_language = ", ".join(f"{tag} {count}" for tag, count in counts.most_common())
    yield from findings_of(
        "incomplete-translations",
        "note",
        (f"{name} lacks {', '.join(tags)}" for name, tags in lacking.items() if tags),
        f"a group of translations, of {len(together)}, lacks a language ({by_language})",
    )
