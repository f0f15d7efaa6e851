"""What every evaluation set becomes: documents, queries, and which document answers which query how well.

    a folder in BEIR's layout, a help collection, ... --> Dataset --> first stage, rerankers, measures

A *group* is what translations of one text share (a help page, a topic). Queries of one group rise and fall together,
so it is groups that are resampled (bootstrap.py) and split into halves, never single queries.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal, NamedTuple

from interlingua.base.errors import InputError
from interlingua_client.document import Document
from interlingua_client.language_tag import normalize_tag

Half = Literal["development", "test"]


class JudgedDocument(NamedTuple):
    """A document of the collection.

    Attributes:
        id: unique.
        language: a normalised BCP 47 tag.
        title: "" where the title is what is asked.
        group: shared by its translations.
    """

    id: str
    language: str
    title: str
    text: str
    group: str

    @property
    def indexed(self) -> Document:
        """The document as the retriever stores and reads it."""
        return Document(self.id, self.language, self.title, self.text)


class Query(NamedTuple):
    """Something asked.

    Attributes:
        id: unique.
        language: a normalised BCP 47 tag.
        kind: what is special about it, such as "title" or "jargon".
        group: of the documents that answer it.
        half: where figures choose anything, only those of "development" do.
    """

    id: str
    language: str
    text: str
    kind: str
    group: str
    half: Half


@dataclass(frozen=True)
class Dataset:
    """An evaluation set.

    Attributes:
        qrels: query id -> document id -> grade, 1 or more; what is not there is not relevant.
        facts: for the report: where it comes from, its licence, what was left out.
        left_out: query id -> documents that it must not find, such as itself.
    """

    name: str
    documents: tuple[JudgedDocument, ...]
    queries: tuple[Query, ...]
    qrels: Mapping[str, Mapping[str, int]]
    facts: Mapping[str, object]
    _: KW_ONLY
    left_out: Mapping[str, Collection[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults = [*_twice("document", self.documents), *_twice("query", self.queries), *self._dangling()]
        if not self.documents or not self.queries:
            faults.append("there are no documents or no queries")
        if faults:
            raise InputError(f"dataset {self.name}: " + "; ".join(faults[:10]))

    @property
    def languages(self) -> tuple[str, ...]:
        """The documents' languages, in the order of their first appearance."""
        return tuple(dict.fromkeys(document.language for document in self.documents))

    @property
    def is_split(self) -> bool:
        """Whether there are queries of both halves."""
        return len({query.half for query in self.queries}) > 1

    @property
    def digest(self) -> str:
        """SHA-256 over everything that decides a figure."""
        judged = {query: dict(grades) for query, grades in self.qrels.items()}
        left_out = [{query: sorted(ids) for query, ids in self.left_out.items()}] if self.left_out else []
        return _digest([self.documents, self.queries, judged, *left_out])

    @property
    def texts_digest(self) -> str:
        """SHA-256 over what is embedded: equal digests, equal vectors, whatever the judgments say."""
        return _digest([[document.indexed for document in self.documents], [query.text for query in self.queries]])

    def _dangling(self) -> list[str]:
        documents = {document.id for document in self.documents}
        queries = {query.id for query in self.queries}
        judged = {document for grades in self.qrels.values() for document in grades}
        return [f"the judgments name {what!r}, which is not there" for what in sorted(judged - documents)] + [
            f"the judgments name the query {what!r}, which is not there" for what in sorted(self.qrels.keys() - queries)
        ]


def group_of(id_: str, language: str) -> str:
    """What translations share by their ids: `reset` of `reset.de` in German; else the id itself."""
    stem, dot, tail = id_.rpartition(".")
    try:
        return stem if dot and stem and normalize_tag(tail) == language else id_
    except ValueError:
        return id_


def half_of(group: str) -> Half:
    """A group's half, by its name alone: the same on every machine, whatever else is in the dataset."""
    return "development" if hashlib.sha256(group.encode()).digest()[0] % 2 == 0 else "test"


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _twice(what: str, items: tuple[JudgedDocument, ...] | tuple[Query, ...]) -> list[str]:
    seen: set[str] = set()
    again = {item.id for item in items if item.id in seen or seen.add(item.id)}  # type: ignore[func-returns-value]
    return [f"{what} id {id_!r} is there twice" for id_ in sorted(again)]
