"""A folder in BEIR's layout (Thakur et al. 2021), with languages, as a Dataset.

    corpus.jsonl    {"_id", "language"?, "title", "text", "group"?}      interlingua_client/corpus.py reads it
    queries.jsonl   {"_id", "language"?, "text", "kind"?, "group"?}
    qrels/test.tsv  query-id, corpus-id, score; without it, the only other file there is in qrels/

The language may also stand in `metadata.language`. Where there is none it is detected (of a query among the corpus's
languages), and counted in `facts`.

Translations share a group: `password-reset.en` and `password-reset.de` are of the group `password-reset`. A document
whose id does not end in its language is a group of its own. A query is of the group of its best answer. All queries
are of the test half.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from interlingua_client.corpus import Corpus
from interlingua_client.language_tag import normalize_tag
from interlingua_client.search.query_language import LanguageDetector
from interlingua_evaluation.datasets.beir_qrels import (
    Faults,
    Judgments,
    Qrels,
    lines,
    qrels_file,
    read_judgments,
    read_qrels,
)
from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query, group_of

__all__ = ["Qrels", "read_beir_folder", "read_qrels"]

_PLAIN = "plain"


def read_beir_folder(folder: Path) -> Dataset:
    """The dataset; its name is the folder's.

    Raises:
        InputError: a file is missing, a line is wrong, or the judgments name what is not there; the message names file
            and line, of ten mistakes at most.
    """
    faults = Faults(str(folder))
    corpus = Corpus(folder / "corpus.jsonl", LanguageDetector().tag_of, skip_bad=True)
    documents = tuple(_documents(folder / "corpus.jsonl", corpus, faults))
    queries = _Queries(tuple(dict.fromkeys(document.language for document in documents)))
    rows = list(queries.read(folder / "queries.jsonl", faults))
    if not faults.found and not (documents and rows):
        faults.found.append(f"{folder / ('queries.jsonl' if documents else 'corpus.jsonl')} is empty")
    judged = qrels_file(folder / "qrels")
    judgments = read_judgments(judged, faults)
    if not faults.found:
        _check_names(judged, judgments, {document.id for document in documents}, {row.id for row in rows}, faults)
    faults.raise_any()
    return Dataset(
        folder.name,
        documents,
        tuple(_grouped(rows, judgments.relevant, {document.id: document.group for document in documents})),
        judgments.relevant,
        {
            "source": folder.name,
            "judgments": str(judged.relative_to(folder)),
            "judged_not_relevant": judgments.not_relevant,
            **({"detected_documents": dict(corpus.detected.most_common())} if corpus.detected else {}),
            **({"detected_queries": dict(queries.detected.most_common())} if queries.detected else {}),
        },
    )


def _documents(file: Path, corpus: Corpus, faults: Faults) -> Iterator[JudgedDocument]:
    documents = list(corpus)
    faults.found += [f"{file}, line {bad.number}: {bad.reason}" for bad in corpus.bad_lines]
    groups = _named_groups(file) if documents else {}
    for document in documents:
        group = groups.get(corpus.lines_by_id[document.id]) or group_of(document.id, document.language)
        yield JudgedDocument(document.id, document.language, document.title, document.text, group)


def _named_groups(file: Path) -> dict[int, str]:
    """The field `group` by line; the corpus's reader gives documents alone."""
    fields = ((number, json.loads(line)) for number, line in lines(file) if '"group"' in line)
    return {number: str(row["group"]) for number, row in fields if row.get("group") is not None}


@dataclass
class _Queries:
    """Reads queries, and counts those whose language was detected."""

    languages: tuple[str, ...]
    detected: Counter[str] = field(default_factory=Counter)
    _detector: LanguageDetector | None = None

    def read(self, file: Path, faults: Faults) -> Iterator[Query]:
        """The queries without a group, unless they name it."""
        for number, line in lines(file):
            try:
                yield self._query(line)
            except (KeyError, TypeError, ValueError) as error:
                faults.found.append(f"{file}, line {number}: {_reason(error)}")

    def _query(self, line: str) -> Query:
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError("a JSON object is expected")
        id_, text = str(row["_id"]), str(row["text"])
        if not text.strip():
            raise ValueError(f"the query {id_!r} is empty")
        language = normalize_tag(said) if (said := _said_language(row)) else self._detect(text)
        return Query(id_, language, text, str(row.get("kind", _PLAIN)), str(row.get("group") or ""), "test")

    def _detect(self, text: str) -> str:
        self._detector = self._detector or LanguageDetector(self.languages)
        language = self._detector.tag_of(text)
        self.detected[language] += 1
        return language


def _said_language(row: Mapping[str, object]) -> str:
    metadata = row.get("metadata")
    said = row.get("language") or (metadata.get("language") if isinstance(metadata, dict) else None)
    return str(said) if said else ""


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"no query with _id and text (there is no {error.args[0]})"
    return f"no query with _id and text ({error})" if isinstance(error, json.JSONDecodeError) else str(error)


def _grouped(rows: list[Query], qrels: Qrels, groups: Mapping[str, str]) -> Iterator[Query]:
    for row in rows:
        grades = qrels.get(row.id, {})
        best = min(grades, key=lambda document: (-grades[document], document), default="")
        yield row._replace(group=row.group or groups.get(best, row.id))


def _check_names(file: Path, judgments: Judgments, documents: set[str], queries: set[str], faults: Faults) -> None:
    for kind, named, there in (
        ("query", judgments.relevant.keys(), queries),
        ("document", {document for grades in judgments.relevant.values() for document in grades}, documents),
    ):
        faults.found += [f"{file} names the {kind} {id_!r}, which is not there" for id_ in sorted(named - there)]
