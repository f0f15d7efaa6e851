"""The texts that load is made of.

dataset | search log with texts | plain texts -> Source: queries, documents, each with its language
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from interlingua.base.errors import InputError
from interlingua.served.text.normal_form import normal_form
from interlingua_client.language_tag import normalize_tag
from interlingua_loadtest.traffic.logged_searches import read_logged_searches

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset

PLAIN = "plain"


class SourceText(NamedTuple):
    """A query, or a document as it is embedded and reranked.

    Attributes:
        language: a normalised BCP 47 tag.
        kind: of a query, as in the dataset; "" for a document.
    """

    language: str
    kind: str
    text: str


@dataclass(frozen=True)
class Source:
    """Where texts are drawn from; either of both may be empty.

    Attributes:
        name: for messages.
    """

    name: str
    queries: tuple[SourceText, ...]
    documents: tuple[SourceText, ...]

    @classmethod
    def of_dataset(cls, dataset: Dataset) -> Source:
        """Every query and every document, in the dataset's order."""
        queries = tuple(SourceText(query.language, query.kind, query.text) for query in dataset.queries)
        documents = (document.indexed for document in dataset.documents)
        return cls(
            dataset.name, queries, tuple(SourceText(document.language, "", document.passage) for document in documents)
        )

    @classmethod
    def of_log(cls, file: Path, documents: Iterable[SourceText] = ()) -> Source:
        """What was asked, as often as it was asked; a log has no documents.

        Raises:
            InputError: the log has no texts, or cannot be read.
        """
        searches = read_logged_searches(file)
        queries = tuple(SourceText(search.language, PLAIN, search.query) for search in searches if search.query)
        if not queries:
            raise InputError(f"{file} has no queries' texts: they are logged with --log-text")
        return cls(str(file), queries, tuple(documents))

    @classmethod
    def of_texts(
        cls, queries: Mapping[str, Sequence[str]], documents: Mapping[str, Sequence[str]] | None = None
    ) -> Source:
        """Plain texts by language; without documents, the queries stand for them.

        Raises:
            InputError: a language's name is no tag.
        """
        asked = _texts(queries, PLAIN)
        return cls("the texts", asked, _texts(queries if documents is None else documents, ""))


def _texts(by_language: Mapping[str, Sequence[str]], kind: str) -> tuple[SourceText, ...]:
    try:
        return tuple(
            SourceText(normalize_tag(tag), kind, text)
            for tag, texts in by_language.items()
            for text in texts
            if normal_form(text).strip()
        )
    except ValueError as error:
        raise InputError(str(error)) from None
