"""The words of an index as a search asks them.

    question --names and codes--> ExactMatches
             --all its words--> labels and their BM25, best first

A label that is not of the generation that is searched is left out by whoever asks. Nothing is read when an index is
opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from interlingua_client.index.words.exact_matches import ExactMatches, exact_matches
from interlingua_client.index.words.text_words import text_words
from interlingua_client.index.words.word_table import RULES, WordTable, is_available

if TYPE_CHECKING:
    from interlingua_client.index.document_store import DocumentStore

NO_FTS5 = "this Python's SQLite has no FTS5, which holds the words"


class StoredWords:
    """One index's words; safe to use from several threads."""

    def __init__(self, store: DocumentStore, written_by: str) -> None:
        """`written_by` is what the searched generation's manifest says of its words."""
        self._store, self._written_by = store, written_by

    def why_not(self) -> str:
        """Why words cannot be searched; "" where they can."""
        if not is_available():
            return NO_FTS5
        rules = self._written_by.partition("/")[0]
        if rules != str(RULES):
            how = "are of other rules than this Interlingua's" if rules else "are missing"
            return f"the index's words {how}: the next `interlingua index --index {self._store.directory}` makes them"
        return ""

    def exact(
        self,
        question: str,
        languages_of: Callable[[Sequence[int]], dict[int, str]],
        documents: int,
        documents_of: Callable[[Sequence[int]], Sequence[int]],
        is_known: Callable[[int], bool],
    ) -> ExactMatches:
        """The passages that hold the question's names and codes. Raises InterlinguaError: the store cannot be read."""
        with self._store.reading() as connection:
            return exact_matches(
                question,
                WordTable(connection).holding,
                languages_of,
                documents,
                documents_of=documents_of,
                is_known=is_known,
            )

    def best(self, question: str, language: str, is_wanted: Callable[[int], bool], k: int) -> list[tuple[int, float]]:
        """The k wanted labels with the greatest BM25. Raises InterlinguaError: the store cannot be read."""
        with self._store.reading() as connection:
            found: Iterator[tuple[int, float]] = WordTable(connection).best(text_words(question, language))
            return list(islice((row for row in found if is_wanted(row[0])), k))
