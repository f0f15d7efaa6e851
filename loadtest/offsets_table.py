"""What language offsets do to helpdesk12, as a table: `make offsets-table`.

nDCG@10 with gains 2^grade - 1 over all questions: per language pair (averaged over same-language and over ordered
cross-language pairs), and with all twelve languages in one pool; and the share of the question's own language among
the first ten of that pool.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from client import Retriever

CORPUS = Path(__file__).resolve().parent.parent / "evaluation" / "data" / "helpdesk12"
DEPTH = 10


class Row(NamedTuple):
    """Averages over the questions."""

    same: float
    across: float
    mixed: float
    own_share: float


@click.command()
@click.option("--index", type=click.Path(path_type=Path), default=Path("var/demo-index"), show_default=True)
@click.option("--server", default="127.0.0.1:8001", show_default=True)
def main(index: Path, server: str) -> None:
    """Search every question with and without offsets, exactly, at full depth."""
    table = Table("", "same language", "across", "mixed pool", "own-language share")
    for label, use_offsets in (("as is", False), ("offsets removed", True)):
        with Retriever.open(index, server=server, use_offsets=use_offsets) as retriever:
            table.add_row(label, *(f"{value:.3f}" for value in measure(retriever)))
    Console().print(table)


def measure(retriever: Retriever) -> Row:
    lines = (CORPUS / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    queries = [json.loads(line) for line in lines]
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (CORPUS / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        grades[query][document] = int(grade)
    everything = len(retriever.index)
    results = retriever.search_many(
        [query["text"] for query in queries], k=everything, candidates=everything, rerank=False
    )
    pairs: dict[tuple[str, str], list[float]] = defaultdict(list)
    mixed, own = [], []
    for query, result in zip(queries, results, strict=True):
        judged = grades[query["_id"]]
        mixed.append(ndcg([hit.id for hit in result.hits], judged))
        own.append(float(np.mean([hit.language == query["language"] for hit in result.hits[:DEPTH]])))
        for language in retriever.index.languages:
            found = [hit.id for hit in result.hits if hit.language == language]
            wanted = {document: grade for document, grade in judged.items() if document in set(found)}
            pairs[query["language"], language].append(ndcg(found, wanted))
    means = {pair: float(np.mean(values)) for pair, values in pairs.items()}
    same = [value for (ours, theirs), value in means.items() if ours == theirs]
    across = [value for (ours, theirs), value in means.items() if ours != theirs]
    return Row(float(np.mean(same)), float(np.mean(across)), float(np.mean(mixed)), float(np.mean(own)))


def ndcg(ranked: list[str], grades: dict[str, int]) -> float:
    """nDCG@10 of one question (Jarvelin and Kekalainen 2002, gains 2^grade - 1)."""
    discounts = 1 / np.log2(np.arange(2, DEPTH + 2))
    gains = np.array([2.0 ** grades.get(document, 0) - 1 for document in ranked[:DEPTH]])
    ideal = np.array(sorted((2.0**grade - 1 for grade in grades.values()), reverse=True)[:DEPTH])
    return float(gains @ discounts[: len(gains)] / (ideal @ discounts[: len(ideal)]))


if __name__ == "__main__":
    main()
