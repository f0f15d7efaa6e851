"""The queries that the best system answers worst: what was wanted, and what came instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.display.figures import number
from interlingua.display.grid import Cell, Grid, row
from interlingua.display.page import Html, joined, table, tag, text_of

if TYPE_CHECKING:
    from interlingua_evaluation.report.model import Shown, WorstQueries, WorstQuery

_NOT_FOUND = "not within 100"


def worst_queries(found: WorstQueries) -> Html:
    """One fold a query."""
    return joined(_query(query) for query in found.queries)


def _query(query: WorstQuery) -> Html:
    facts = f"{query.language} > {query.pool}, {query.kind}, nDCG@10 {number(query.ndcg)}: "
    summary = tag("summary", facts, text_of(query.text, query.language))
    name = tag("p", f"Query {query.id}", class_="note")
    return tag("details", summary, name, _documents("What came", query.came), _documents("Wanted", query.wanted))


def _documents(title: str, documents: tuple[Shown, ...]) -> Html:
    if not documents:
        return tag("p", f"{title}: nothing.")
    rows = tuple(
        row(
            str(document.rank) if document.rank is not None else _NOT_FOUND,
            "not relevant" if document.grade == 0 else f"grade {document.grade}",
            document.language,
            Cell(document.text, language=document.language),
            document.id,
        )
        for document in documents
    )
    return table(Grid(title, ("rank", "judged", "language", "document", "id"), rows), class_="prose")
