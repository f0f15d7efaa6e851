"""The words of passages in SQLite's FTS5: which passages hold a word, and which share the most with a question.

    (label, language, what is embedded) --words, codes--> "firmware update e 417 ... e417" --> passage_words
    word                                --> labels that hold it, at most so many
    words of a question                 --BM25, k1 = 1.2, b = 0.75--> labels, best first

FTS5 sees our words with spaces between them: its own tokenizers find next to nothing in Japanese, Chinese and Thai. The
table keeps no text ("contentless"), and no copy of the words, which would take more than the texts. So what goes out
has to be named as it went in: `written_by` says by which rules, and a writer with other rules makes the table anew.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import regex

from interlingua_client.index.words.codes import codes_of
from interlingua_client.index.words.text_words import folded, words_of
from interlingua_client.language_tag import UNDETERMINED

RULES = 2  # of text_words.py and codes.py; more where words come out otherwise

_TABLE = "passage_words"
_CREATE = (
    f"CREATE VIRTUAL TABLE {_TABLE} USING fts5(words, content='', detail=full, tokenize=\"ascii tokenchars '-._/'\")"
)
_INSERT = f"INSERT INTO {_TABLE} (rowid, words) VALUES (?, ?)"  # noqa: S608
_DELETE = f"INSERT INTO {_TABLE} ({_TABLE}, rowid, words) VALUES ('delete', ?, ?)"  # noqa: S608
_HOLDING = f"SELECT rowid FROM {_TABLE} WHERE {_TABLE} MATCH ?"  # noqa: S608
_BEST = f"SELECT rowid, -bm25({_TABLE}) FROM {_TABLE} WHERE {_TABLE} MATCH ? ORDER BY bm25({_TABLE}), rowid"  # noqa: S608


class WordedText(NamedTuple):
    """A passage as it is put in and taken out.

    Attributes:
        text: what is embedded: title, heading and text.
    """

    label: int
    language: str
    text: str


def written_by() -> str:
    """By which rules words are made here; the character tables of Python and of regex have a part in it."""
    return f"{RULES}/{unicodedata.unidata_version}/{regex.__version__}"


@cache
def is_available() -> bool:
    """Whether this Python's SQLite has FTS5."""
    connection = sqlite3.connect(":memory:")
    try:
        return bool(connection.execute("SELECT sqlite_compileoption_used('ENABLE_FTS5')").fetchone()[0])
    finally:
        connection.close()


def indexed_words(text: str, language: str) -> list[str]:
    """Words in the text's order, then its codes that are not among them.

    Codes and names are looked up whatever a question's language: "INV" and "Instagram" of a Turkish text stand under
    their i's with dots, too.
    """
    fold = folded(text, language)
    found = [word for word, _ in words_of(fold)]
    there = set(found)
    of_any = folded(text, UNDETERMINED)
    others = [] if of_any == fold else [word for word, _ in words_of(of_any)]
    return found + [word for word in dict.fromkeys([*others, *codes_of(of_any)]) if word not in there]


class WordTable:
    """The table in one database; writes belong to the transaction around them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def clear(self) -> None:
        """Make it anew, empty."""
        self._connection.execute(f"DROP TABLE IF EXISTS {_TABLE}")
        self._connection.execute(_CREATE)

    def add(self, texts: Iterable[WordedText]) -> None:
        """Put texts of new labels in."""
        self._connection.executemany(_INSERT, map(_row, texts))

    def remove(self, texts: Iterable[WordedText]) -> None:
        """Take texts out, which are the same as when they were put in."""
        self._connection.executemany(_DELETE, map(_row, texts))

    def __len__(self) -> int:
        """How many labels are in it."""
        count: int = self._connection.execute(f"SELECT count(*) FROM {_TABLE}_docsize").fetchone()[0]  # noqa: S608
        return count

    def holding(self, word: str) -> Iterator[int]:
        """Labels of the texts that hold a word, read as they are asked for."""
        return (row[0] for row in self._connection.execute(_HOLDING, (_quoted(word),)))

    def best(self, words: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Labels of the texts that hold any of the words, and their BM25, best first."""
        if words:
            query = " OR ".join(map(_quoted, dict.fromkeys(words)))
            yield from self._connection.execute(_BEST, (query,))


def _row(text: WordedText) -> tuple[int, str]:
    return text.label, " ".join(indexed_words(text.text, text.language))


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'
