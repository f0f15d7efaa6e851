"""Lists as TREC runs, which trec_eval, ir_measures and other tools read.

    CandidateLists --> ROOT/SYSTEM/POOL.trec.gz    query-id Q0 document-id rank score SYSTEM
                   --> ROOT/qrels/POOL.qrels       query-id 0 document-id grade
    ROOT/SYSTEM    --> CandidateLists

One file a pool, since a query has a list in each of several pools. A query without a line had an empty list; averages
are over the qrels' queries (trec_eval's -c), so that it counts as 0.

trec_eval orders by score alone, compared in 32 bits, and of equal scores takes the greater id first. So that it sees
the order that was measured, scores fall strictly in the file: one that is not below the one before it is written as
the next smaller 32-bit number. Nothing else about a score changes.

Whitespace and "%" in an id are percent-encoded in UTF-8 (RFC 3986) and decoded again, since fields are separated by
whitespace; so are control characters. Files of equal lists are equal, byte by byte.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from interlingua.base.errors import InputError
from interlingua.base.whole_file import whole
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, CandidateLists, candidate_lists, numbers_of

if TYPE_CHECKING:
    from interlingua_client.embedder import FloatArray, IntArray
    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.systems.first_stage import PoolScores

QRELS = "qrels"
RUN_SUFFIX = ".trec.gz"
QRELS_SUFFIX = ".qrels"

_ENCODED = re.compile(r"[\s%\x00-\x1f\x7f]")
_NOT_IN_A_NAME = re.compile(r"[^\w.+@-]+")


def write_run(lists: CandidateLists, root: Path, system: str) -> Path:
    """Write a run; files that are there are replaced, each at once.

    Args:
        system: its name; what no file's name should hold becomes "-", as in "dense-+-offsets".

    Returns:
        The system's folder.

    Raises:
        InputError: the name is empty or that of the qrels' folder, an id is empty, or a file cannot be written.
    """
    tag = _NOT_IN_A_NAME.sub("-", system).strip(".-")
    if tag in ("", QRELS):
        raise InputError(f"{system!r} cannot name the folder of a run: give the system another name")
    queries, documents = _encoded_ids(lists.dataset)
    scores = _strictly_falling(lists.scores)
    for pool, rows in _rows_by_pool(lists).items():
        lines = (
            f"{queries[lists.queries[row]]} Q0 {documents[number]} {rank} {score:.9g} {tag}\n"
            for row in rows
            for rank, (number, score) in enumerate(zip(lists.documents[row], scores[row], strict=True), 1)
            if number != NOTHING
        )
        # 9 digits give every 32-bit number back. No time of writing: equal runs are equal files.
        _write(root / tag / f"{pool}{RUN_SUFFIX}", gzip.compress("".join(lines).encode(), 6, mtime=0))
    return root / tag


def write_qrels(lists: CandidateLists, root: Path) -> Path:
    """Write the judgments of every pool, of all queries that have a list there; gives their folder.

    Raises:
        InputError: an id is empty, or a file cannot be written.
    """
    queries, documents = _encoded_ids(lists.dataset)
    for pool, rows in _rows_by_pool(lists).items():
        lines = (
            f"{queries[lists.queries[row]]} 0 {documents[number]} {grade}\n"
            for row in rows
            for number, grade in lists.grades[row].items()
        )
        _write(root / QRELS / f"{pool}{QRELS_SUFFIX}", "".join(lines).encode())
    return root / QRELS


def read_run(folder: Path, dataset: Dataset, depth: int | None = None) -> CandidateLists:
    """The lists of a run, in the rows that every system has.

    Ordered by score; of equal scores the earlier line comes first, and the ranks are not looked at. A score that is no
    number leaves its document out and is counted. Queries that have no answer in a pool are passed over, and so is what
    the dataset leaves out. Ids may also stand as they are, not encoded.

    Args:
        folder: a system's.
        depth: of the lists; None takes that of the longest.

    Raises:
        InputError: a file is missing or cannot be read, or a line is no run's or names what the pool does not have.
    """
    rows = candidate_lists(dataset, _Nothing(), 1)
    left_out = numbers_of(dataset, dataset.left_out)
    found: list[dict[int, float]] = [{} for _ in rows.pools]
    for pool, of_pool in _rows_by_pool(rows).items():
        lists = {int(rows.queries[row]): found[row] for row in of_pool}
        for query, document, score in _PoolNames.of(dataset, pool).entries(folder / f"{pool}{RUN_SUFFIX}"):
            if query in lists and document not in left_out.get(query, ()):
                lists[query][document] = score
    return _as_lists(rows, found, depth)


class _Nothing:
    """A first stage that finds nothing: what is left are the rows."""

    def pool(self, documents: IntArray) -> PoolScores:
        return lambda queries: np.full((len(queries), len(documents)), -np.inf, dtype=np.float32)


@dataclass(frozen=True)
class _PoolNames:
    """What the lines of one pool's file may name, by id: encoded, or as it is."""

    queries: Mapping[str, int]
    documents: Mapping[str, int]

    @classmethod
    def of(cls, dataset: Dataset, pool: str) -> _PoolNames:
        documents = enumerate(dataset.documents)
        return cls(
            _numbers((number, query.id) for number, query in enumerate(dataset.queries)),
            _numbers((number, document.id) for number, document in documents if pool in (MIXED, document.language)),
        )

    def entries(self, file: Path) -> Iterator[tuple[int, int, float]]:
        """Query, document and score of every line."""
        seen: set[tuple[int, int]] = set()
        for place, line in _lines(file):
            try:
                query_id, _, document_id, _, written, _ = line.split()
                query, document, score = self.queries[query_id], self.documents[document_id], float(written)
            except KeyError as error:
                raise InputError(f"{place}: the pool has no query or document {error}: is it this dataset's?") from None
            except ValueError:
                raise InputError(f"{place}: expected query Q0 document rank score tag, got {line!r}") from None
            if (query, document) in seen:
                raise InputError(f"{place}: the query {query_id!r} has the document {document_id!r} already")
            seen.add((query, document))
            yield query, document, score


def _as_lists(rows: CandidateLists, found: Sequence[Mapping[int, float]], depth: int | None) -> CandidateLists:
    ranked = [
        sorted((-score, place, document) for place, (document, score) in enumerate(scores.items()) if score > -math.inf)
        for scores in found
    ]
    depth = depth or max(1, *map(len, ranked))
    documents = np.full((len(found), depth), NOTHING, dtype=np.int64)
    scores = np.zeros(documents.shape, dtype=np.float32)
    for row, entries in enumerate(ranked):
        kept = entries[:depth]
        documents[row, : len(kept)] = [document for _, _, document in kept]
        scores[row, : len(kept)] = [-negative for negative, _, _ in kept]
    invalid = [sum(map(math.isnan, scores.values())) for scores in found]
    return CandidateLists(
        dataset=rows.dataset,
        queries=rows.queries,
        pools=rows.pools,
        documents=documents,
        scores=scores,
        not_a_number=np.array(invalid),
    )


def _strictly_falling(scores: FloatArray) -> FloatArray:
    """Each at most the next 32-bit number below the one before it."""
    falling = scores.astype(np.float32)
    for rank in range(1, falling.shape[1]):
        below = np.nextafter(falling[:, rank - 1], np.float32(-np.inf))
        falling[:, rank] = np.minimum(falling[:, rank], below)
    return falling


def _rows_by_pool(lists: CandidateLists) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, pool in enumerate(lists.pools):
        rows.setdefault(pool, []).append(row)
    return rows


def _numbers(ids: Iterable[tuple[int, str]]) -> dict[str, int]:
    by_id = {id_: number for number, id_ in ids}
    return by_id | {_encoded(id_): number for id_, number in by_id.items()}


def _encoded_ids(dataset: Dataset) -> tuple[list[str], list[str]]:
    """The encoded ids of the queries and of the documents."""
    return [_encoded(query.id) for query in dataset.queries], [_encoded(item.id) for item in dataset.documents]


def _encoded(id_: str) -> str:
    if not id_:
        raise InputError("an empty id cannot stand in a TREC file: give every query and document an id")
    return _ENCODED.sub(lambda character: quote(character[0], safe=""), id_)


def _lines(file: Path) -> Iterator[tuple[str, str]]:
    """File and line number, line; empty ones are passed over."""
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            yield from ((f"{file}, line {number}", line) for number, line in enumerate(lines, 1) if line.strip())
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise InputError(f"cannot read the run {file}: {error}") from error


def _write(file: Path, content: bytes) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole(file) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise InputError(f"cannot write {file}: {error}") from error
