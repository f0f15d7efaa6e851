"""A folder in BEIR's layout (Thakur et al. 2021), with languages, as a Dataset.

    corpus.jsonl    {"_id", "language"?, "title", "text", "group"?}      interlingua_client/corpus.py reads it
    queries.jsonl   {"_id", "language"?, "text", "kind"?, "group"?}
    qrels/test.tsv  query-id, corpus-id, score; without it, the only other file there is in qrels/

Each may be gzipped, with `.gz` after its name. The language may also stand in `metadata.language`. Where there is none
it is detected (of documents by the whole collection where their own texts do not tell, of a query among the corpus's
languages), and counted in `facts`.

Translations share a group: `password-reset.en` and `password-reset.de` are of the group `password-reset`. A document
whose id does not end in its language is a group of its own. A query is of the group of its best answer. All queries
are of the test half.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from interlingua.base.errors import InputError
from interlingua_client.corpus import GroupedCorpus
from interlingua_evaluation.datasets.beir.beir_qrels import Judgments, Qrels, qrels_file, read_judgments
from interlingua_evaluation.datasets.beir.beir_queries import Queries
from interlingua_evaluation.datasets.beir.input_faults import Faults
from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query, group_of
from interlingua_evaluation.datasets.text_languages import filled_languages
from interlingua_evaluation.measures.gains import DEFAULT, Gains


def read_beir_folder(folder: Path, gains: Gains = DEFAULT) -> Dataset:
    """The dataset; its name is the folder's.

    Args:
        gains: that its grades will have in nDCG; the bound of grades depends on them.

    Raises:
        InputError: a file is missing, a line is wrong, or the judgments name what is not there; the message names file
            and line, of ten mistakes at most.
    """
    faults = Faults(str(folder))
    corpus_file, queries_file = _file(folder, "corpus.jsonl"), _file(folder, "queries.jsonl")
    corpus = GroupedCorpus(corpus_file, lambda _: "", skip_bad=True)
    documents, detected = _documents(corpus, faults)
    queries = Queries(tuple(dict.fromkeys(document.language for document in documents)))
    rows = queries.read(queries_file, faults)
    if not faults.found and not (documents and rows):
        faults.found.append(f"{queries_file if documents else corpus_file} is empty")
    judged = qrels_file(folder / "qrels")
    judgments = read_judgments(judged, faults, gains)
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
            **({"judgment_columns_not_read": list(judgments.unread)} if judgments.unread else {}),
            **({"detected_documents": dict(detected.most_common())} if detected else {}),
            **({"detected_queries": dict(queries.detected.most_common())} if queries.detected else {}),
        },
    )


def _file(folder: Path, name: str) -> Path:
    """The file, plain or gzipped. Raises InputError: there are both."""
    there = [file for file in (folder / name, folder / f"{name}.gz") if file.is_file()]
    if len(there) > 1:
        raise InputError(f"{folder} has both {name} and {name}.gz: leave one of them")
    return there[0] if there else folder / name


def _documents(corpus: GroupedCorpus, faults: Faults) -> tuple[tuple[JudgedDocument, ...], Counter[str]]:
    """The documents, and how many of each language did not say it."""
    read = list(corpus)
    faults.found += [f"{corpus.source}, line {bad.number}: {bad.reason}" for bad in corpus.bad_lines]
    tags = filled_languages([document.language for document in read], [document.passage for document in read])
    detected = Counter(tag for document, tag in zip(read, tags, strict=True) if not document.language)
    documents = (
        JudgedDocument(
            document.id, tag, document.title, document.text, corpus.groups.get(document.id, group_of(document.id, tag))
        )
        for document, tag in zip(read, tags, strict=True)
    )
    return tuple(documents), detected


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
