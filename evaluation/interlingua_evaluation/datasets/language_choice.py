"""A dataset --> the part of it that is in some of its languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_client.language_tag import covered, normalize_tag

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset


def in_languages(dataset: Dataset, languages: Sequence[str]) -> Dataset:
    """Documents and queries in these languages, and the judgments among them; all if no language is named.

    Raises:
        InputError: a language that no document is in, or no query is left.
    """
    if not languages:
        return dataset
    wanted = wanted_tags(languages)
    missing = [tag for tag in wanted if not covered(tag, dataset.languages)]
    if missing:
        raise InputError(
            f"dataset {dataset.name} has no documents in {', '.join(missing)}; it has {', '.join(dataset.languages)}"
        )
    there = {*dataset.languages, *(query.language for query in dataset.queries)}
    chosen = {tag for one in wanted for tag in covered(one, there)}
    documents = tuple(document for document in dataset.documents if document.language in chosen)
    queries = tuple(query for query in dataset.queries if query.language in chosen)
    ids = {document.id for document in documents}
    qrels = {
        query.id: {id_: grade for id_, grade in dataset.qrels.get(query.id, {}).items() if id_ in ids}
        for query in queries
    }
    own = {
        query.id: kept
        for query in queries
        if (kept := [id_ for id_ in dataset.left_out.get(query.id, ()) if id_ in ids])
    }
    facts = {
        **dataset.facts,
        "documents_in_other_languages": len(dataset.documents) - len(documents),
        "queries_in_other_languages": len(dataset.queries) - len(queries),
    }
    judged = {query: grades for query, grades in qrels.items() if grades}
    return replace(dataset, documents=documents, queries=queries, qrels=judged, facts=facts, left_out=own)


def wanted_tags(languages: Sequence[str]) -> list[str]:
    """The tags, normalised.

    Raises:
        InputError: one that is not shaped like a language tag.
    """
    try:
        return list(dict.fromkeys(normalize_tag(tag) for tag in languages))
    except ValueError as error:
        raise InputError(str(error)) from None
