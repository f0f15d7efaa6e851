"""A data set of the `ir_datasets` package (MacAvaney et al., SIGIR 2021) as a Dataset.

    "neuclir/1/zh/trec-2022" --ir_datasets, which downloads it--> documents, queries, judgments --> Dataset

A record's language is what its field `lang` or `language` says, else what the package says of the whole collection,
else what its text shows. All documents are read into memory: a collection of some hundred thousand is the limit in
practice.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import ArchiveError, InputError
from interlingua.base.extras import load
from interlingua_client.language_tag import normalize_tag
from interlingua_evaluation.datasets.subsets import Subset, SubsetText, dataset_of
from interlingua_evaluation.datasets.text_languages import detected_languages, registered_tag

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset

_BODIES = ("text", "body", "abstract", "contents")
_LANGUAGE_FIELDS = ("lang", "language")
# CLIRMatrix calls languages by the names of their Wikipedias.
_WIKIPEDIAS = {"simple": "en-simple", "als": "gsw"}


def read_ir_datasets(dataset_id: str) -> Dataset:
    """The data set, named `ir_datasets:ID`.

    Raises:
        InputError: the package is not installed, it has no such data set, or the data set has no documents, queries
            or judgments.
        ArchiveError: its files could not be fetched or read.
    """
    package = load("benchmarks", "ir_datasets", "reading a data set of ir_datasets")
    try:
        source = _source(package, dataset_id)
        documents, detected_documents = _texts(list(source.docs_iter()), _said(source, "docs", dataset_id), _document)
        queries, detected_queries = _texts(list(source.queries_iter()), _said(source, "queries", dataset_id), _query)
        qrels = _qrels(source)
    except (OSError, EOFError, RuntimeError, ValueError) as error:
        # EOFError: some collections ask for a password or for consent on the terminal.
        raise ArchiveError(
            f"ir_datasets could not fetch or read {dataset_id} ({type(error).__name__}: {error}). It needs a network, "
            "and some collections a login or files of their own: https://ir-datasets.com says which."
        ) from error
    facts: dict[str, object] = {"source": f"ir_datasets:{dataset_id}"}
    facts |= {"detected_documents": detected_documents} if detected_documents else {}
    facts |= {"detected_queries": detected_queries} if detected_queries else {}
    return dataset_of(f"ir_datasets:{dataset_id}", [Subset(dataset_id, documents, queries, qrels)], facts)


def _source(package: Any, dataset_id: str) -> Any:
    try:
        source = package.load(dataset_id)
    except KeyError:
        near = difflib.get_close_matches(dataset_id, list(package.registry), n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "https://ir-datasets.com lists what there is"
        raise InputError(f"ir_datasets has no {dataset_id!r}; {hint}") from None
    missing = [
        what
        for what, there in (
            ("documents", source.has_docs()),
            ("queries", source.has_queries()),
            ("judgments", source.has_qrels()),
        )
        if not there
    ]
    if missing:
        raise InputError(
            f"ir_datasets' {dataset_id!r} has no {' and no '.join(missing)}: name one of its parts that has them, such "
            "as .../dev or .../test"
        )
    return source


def _texts(records: Sequence[Any], said: str, read: Any) -> tuple[list[SubsetText], dict[str, int]]:
    """The records as texts, and how often each language had to be detected."""
    contents = [read(record) for record in records]
    tags = [_said_by(record) or said for record in records]
    silent = [number for number, tag in enumerate(tags) if not tag]
    found = detected_languages(["\n".join(contents[number]) for number in silent])
    for number, tag in zip(silent, found, strict=True):
        tags[number] = tag
    texts = [
        SubsetText(str(record[0]), tag, title, text)
        for record, tag, (title, text) in zip(records, tags, contents, strict=True)
    ]
    return texts, dict(Counter(found).most_common())


def _document(record: Any) -> tuple[str, str]:
    """Title and text: the fields of those names, else all that the package takes for the text."""
    body = next((name for name in _BODIES if isinstance(getattr(record, name, None), str)), None)
    if body is not None:
        return str(getattr(record, "title", None) or ""), str(getattr(record, body))
    return "", _default_text(record)


def _query(record: Any) -> tuple[str, str]:
    return "", _default_text(record)


def _default_text(record: Any) -> str:
    if hasattr(record, "default_text"):
        return str(record.default_text())
    return " ".join(value for value in record[1:] if isinstance(value, str))


def _said(source: Any, what: str, dataset_id: str) -> str:
    """The language of the whole collection, or ""."""
    language = getattr(source, f"{what}_lang", lambda: None)()
    if language and dataset_id.startswith("clirmatrix/"):
        language = _WIKIPEDIAS.get(language, language)
    return _tag(language)


def _said_by(record: Any) -> str:
    return next((tag for name in _LANGUAGE_FIELDS if (tag := _tag(getattr(record, name, None)))), "")


def _tag(language: object) -> str:
    if not isinstance(language, str) or not language.strip():
        return ""
    try:
        return registered_tag(language)
    except ValueError:
        return _as_it_is(language)


def _as_it_is(language: str) -> str:
    """A tag that is not registered but shaped like one is kept: the checker names it."""
    try:
        return normalize_tag(language)
    except ValueError:
        return ""


def _qrels(source: Any) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    for judgment in source.qrels_iter():
        grades = qrels.setdefault(judgment.query_id, {})
        grade = int(judgment.relevance)
        if grade != judgment.relevance:
            of = f"{judgment.doc_id!r} for {judgment.query_id!r}"
            raise InputError(f"ir_datasets grades {of} with {judgment.relevance}, which is no whole number")
        # Judged for several subtopics: the best counts.
        grades[judgment.doc_id] = max(grade, grades.get(judgment.doc_id, grade))
    return qrels
