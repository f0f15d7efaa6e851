"""A benchmark's subsets --> one Dataset.

    eng-deu: English documents, German queries --\\
    deu-deu: German documents, German queries  ---+--> one German query, judged in English and in German
    ...                                          /

A text that several subsets hold in one language is one document (or one query), whatever ids they give it; only where
a subset itself repeats a text do the repetitions stay apart. An id that stands for several texts gets its language in
front (`de:C0`), or its subset where that is not enough.

What cannot be searched or judged is left out and counted in `facts`: empty texts, judgments of documents or queries
that are not there, queries without a relevant document, and judgments that say "not relevant".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from interlingua.base.errors import InputError
from interlingua.served.text.normal_form import normal_form
from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query
from interlingua_evaluation.datasets.translation_links import linked_groups

_KIND = "plain"


class SubsetText(NamedTuple):
    """A document or, with an empty title, a query; the id is the subset's own."""

    id: str
    language: str
    title: str
    text: str


class Subset(NamedTuple):
    """What is loaded at once.

    Attributes:
        qrels: query id -> document id -> grade; 0 and less is not relevant.
    """

    name: str
    documents: Sequence[SubsetText]
    queries: Sequence[SubsetText]
    qrels: Mapping[str, Mapping[str, int]]


def dataset_of(
    name: str, subsets: Iterable[Subset], facts: Mapping[str, object], *, ignore_identical_ids: bool = False
) -> Dataset:
    """The subsets as one dataset; its queries are of the test half.

    Args:
        ignore_identical_ids: no query finds the document that has its own id in its subset.

    Raises:
        InputError: no judged query is left.
    """
    documents, queries = _Texts(), _Texts()
    grades: dict[int, dict[int, int]] = {}
    same: dict[int, set[int]] = {}
    missing = 0
    for subset in subsets:
        document_numbers = documents.add(subset.name, subset.documents)
        query_numbers = queries.add(subset.name, subset.queries)
        for query, judged in subset.qrels.items():
            known = {document_numbers[id_]: grade for id_, grade in judged.items() if id_ in document_numbers}
            missing += len(judged) - (len(known) if query in query_numbers else 0)
            if query in query_numbers:
                _keep_best(grades.setdefault(query_numbers[query], {}), known)
        for id_ in query_numbers.keys() & document_numbers.keys() if ignore_identical_ids else ():
            same.setdefault(query_numbers[id_], set()).add(document_numbers[id_])
    left_out = {
        "judgments_of_missing_texts": missing,
        "judged_not_relevant": sum(grade <= 0 for judged in grades.values() for grade in judged.values()),
        "empty_documents": documents.empty,
        "empty_queries": queries.empty,
        "repeated_ids": documents.repeated + queries.repeated,
    }
    return _dataset(name, documents, queries, grades, same, {**facts, **left_out})


def _dataset(
    name: str,
    documents: _Texts,
    queries: _Texts,
    grades: Mapping[int, Mapping[int, int]],
    same: Mapping[int, Collection[int]],
    facts: Mapping[str, object],
) -> Dataset:
    relevant = {
        query: {document: grade for document, grade in judged.items() if grade > 0} for query, judged in grades.items()
    }
    asked = [number for number in range(len(queries.kept)) if relevant.get(number)]
    if not asked:
        raise InputError(f"{name}: no query has a relevant document among the {len(documents.kept)} documents")
    document_ids, query_ids = documents.ids(), queries.ids()
    qrels = {
        query_ids[number]: {document_ids[document]: grade for document, grade in relevant[number].items()}
        for number in asked
    }
    languages = {id_: text.language for id_, (_, text) in zip(document_ids, documents.kept, strict=True)}
    groups = linked_groups(languages, qrels.values())
    return Dataset(
        name=name,
        documents=tuple(
            JudgedDocument(id_, text.language, text.title, text.text, groups[id_])
            for id_, (_, text) in zip(document_ids, documents.kept, strict=True)
        ),
        queries=tuple(_query(query_ids[number], queries.kept[number][1], qrels, groups) for number in asked),
        qrels=qrels,
        facts={**facts, "queries_without_answer": len(queries.kept) - len(asked)},
        left_out={
            query_ids[number]: sorted(document_ids[own] for own in same[number]) for number in asked if number in same
        },
    )


def _query(id_: str, text: SubsetText, qrels: Mapping[str, Mapping[str, int]], groups: Mapping[str, str]) -> Query:
    best = min(qrels[id_], key=lambda document: (-qrels[id_][document], document))
    return Query(id_, text.language, text.text, _KIND, groups[best], "test")


@dataclass
class _Texts:
    """Texts of all subsets, each once.

    Attributes:
        kept: the name of the subset that it came with first, and the text.
        empty: texts left out.
        repeated: rows left out because their subset has the id already.
    """

    kept: list[tuple[str, SubsetText]] = field(default_factory=list)
    empty: int = 0
    repeated: int = 0
    _numbers: dict[tuple[str, str, str, int], int] = field(default_factory=dict)

    def add(self, subset: str, texts: Iterable[SubsetText]) -> dict[str, int]:
        """The numbers in `kept` of a subset's ids."""
        numbers: dict[str, int] = {}
        times: Counter[tuple[str, str, str]] = Counter()
        for text in texts:
            if not normal_form(text.title + text.text).strip():
                self.empty += 1
            elif text.id in numbers:
                self.repeated += 1
            else:
                content = (text.language, text.title, text.text)
                times[content] += 1
                number = self._numbers.setdefault((*content, times[content]), len(self.kept))
                if number == len(self.kept):
                    self.kept.append((subset, text))
                numbers[text.id] = number
        return numbers

    def ids(self) -> list[str]:
        """A unique id for each text kept."""
        by_id: dict[str, list[int]] = {}
        for number, (_, text) in enumerate(self.kept):
            by_id.setdefault(text.id, []).append(number)
        ids = [text.id for _, text in self.kept]
        for id_, numbers in by_id.items():
            for number, prefix in zip(numbers, self._prefixes(numbers), strict=True):
                ids[number] = f"{prefix}{id_}"
        return ids

    def _prefixes(self, numbers: list[int]) -> Iterator[str]:
        if len(numbers) == 1:
            return iter([""])
        languages = [self.kept[number][1].language for number in numbers]
        subsets = [self.kept[number][0] for number in numbers]
        return (f"{name}:" for name in (languages if len(set(languages)) == len(languages) else subsets))


def _keep_best(grades: dict[int, int], more: Mapping[int, int]) -> None:
    for document, grade in more.items():
        grades[document] = max(grade, grades.get(document, grade))
