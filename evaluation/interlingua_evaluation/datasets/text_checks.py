"""What the texts of a dataset show: repetitions, empty ones, and queries that the answers hold word for word.

texts --plain_text.py--> compared --> findings
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from interlingua.served.text.normal_form import normal_form
from interlingua_evaluation.datasets.finding import DatasetFinding, findings_of
from interlingua_evaluation.datasets.plain_text import plain_text, says

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset


class _Plain(NamedTuple):
    """A document as it is compared."""

    title: str
    passage: str


def check_texts(dataset: Dataset) -> Iterator[DatasetFinding]:
    """Duplicates, empty texts and leaks."""
    documents = {
        document.id: _Plain(plain_text(document.title), plain_text(document.indexed.passage))
        for document in dataset.documents
    }
    queries = {query.id: plain_text(query.text) for query in dataset.queries}
    yield from _empty(dataset)
    yield from findings_of(
        "duplicate-documents",
        "warning",
        _again((document.id, document.language, documents[document.id].passage) for document in dataset.documents),
        "a document says the same as an earlier one in its language: unless both are judged, one counts as wrong",
    )
    yield from findings_of(
        "duplicate-queries",
        "warning",
        _again((query.id, query.language, queries[query.id]) for query in dataset.queries),
        "a query asks the same as an earlier one in its language: what it asks counts twice",
    )
    yield from _leaks(dataset, documents, queries)


def _empty(dataset: Dataset) -> Iterator[DatasetFinding]:
    yield from findings_of(
        "empty-documents",
        "error",
        (document.id for document in dataset.documents if not document.indexed.passage.strip()),
        "a document has neither title nor text: it cannot be indexed",
    )
    yield from findings_of(
        "title-only-documents",
        "warning",
        (document.id for document in dataset.documents if document.title.strip() and not document.text.strip()),
        "a document has a title and no text",
    )
    yield from findings_of(
        "empty-queries",
        "error",
        (query.id for query in dataset.queries if not normal_form(query.text).strip()),
        "a query has no text: it cannot be asked",
    )


def _again(texts: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    first: dict[tuple[str, str], str] = {}
    for id_, language, text in texts:
        if text and (earlier := first.setdefault((language, text), id_)) != id_:
            yield f"{id_} is {earlier}"


def _leaks(dataset: Dataset, documents: Mapping[str, _Plain], queries: Mapping[str, str]) -> Iterator[DatasetFinding]:
    titles, held = [], []
    for query in dataset.queries:
        asked = queries[query.id]
        relevant = sorted(dataset.qrels.get(query.id, ()))
        if title := next((id_ for id_ in relevant if asked and documents[id_].title == asked), None):
            titles.append(f"{query.id} is the title of {title}: {query.text}")
        elif holder := next((id_ for id_ in relevant if says(documents[id_].passage, asked)), None):
            held.append(f"{query.id} stands in {holder}: {query.text}")
    yield from findings_of(
        "query-is-title",
        "warning",
        titles,
        "a query is the title of a document that answers it: finding it takes no understanding",
    )
    yield from findings_of(
        "query-in-document",
        "warning",
        held,
        "a query of three words or more stands word for word in a document that answers it: finding it takes no "
        "understanding",
    )
