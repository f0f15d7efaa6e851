"""What of a dataset is not searched: queries without an answer, and a query's own document.

ArguAna, Quora and their kin ask with texts of the collection: the document with the query's id is the query itself, and
BEIR, MTEB and trec_eval's users take it out of the results.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset


def judged_only(dataset: Dataset) -> Dataset:
    """With the queries that have a relevant document; the others are in no figure, and would only be embedded.

    Raises:
        InputError: no query has one.
    """
    judged = tuple(query for query in dataset.queries if dataset.qrels.get(query.id))
    if not judged:
        raise InputError(f"{dataset.name}: none of {len(dataset.queries)} queries has a relevant document")
    return dataset if len(judged) == len(dataset.queries) else replace(dataset, queries=judged)


def without_identical_ids(dataset: Dataset) -> Dataset:
    """No query finds the document that has its own id."""
    documents = {document.id for document in dataset.documents}
    shared = {query.id: (query.id,) for query in dataset.queries if query.id in documents}
    return replace(
        dataset, left_out=shared, facts={**dataset.facts, "queries_that_do_not_find_their_own_id": len(shared)}
    )
