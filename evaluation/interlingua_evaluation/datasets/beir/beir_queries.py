"""queries.jsonl --> queries, those without a language in one of the corpus's.

JSON lines, plain or gzipped --JsonRow--> Query ...
                                     \\-> mistakes, with file and line
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.json_row import LANGUAGE_NAMES, JsonRow
from interlingua.base.numbered_lines import numbered_lines
from interlingua.served.text.normal_form import normal_form
from interlingua_client.language_tag import normalize_tag
from interlingua_evaluation.datasets.dataset import Query
from interlingua_evaluation.datasets.text_languages import filled_languages

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.beir.input_faults import Faults

_PLAIN = "plain"
_KNOWN = frozenset({"id", "_id", *LANGUAGE_NAMES, "group", "kind", "metadata", "title", "url"})


@dataclass
class Queries:
    """Reads queries, and counts those whose language was detected.

    Attributes:
        languages: that may be detected, the corpus's, as it names them.
    """

    languages: Sequence[str]
    detected: Counter[str] = field(default_factory=Counter)
    _lines: dict[str, int] = field(default_factory=dict)

    def read(self, file: Path, faults: Faults) -> list[Query]:
        """The queries without a group, unless they name it.

        Raises:
            InputError: the file cannot be read.
        """
        rows = list(self._rows(file, faults))
        tags = filled_languages([row.language for row in rows], [row.text for row in rows], self.languages)
        self.detected.update(tag for row, tag in zip(rows, tags, strict=True) if not row.language)
        return [row._replace(language=tag) for row, tag in zip(rows, tags, strict=True)]

    def _rows(self, file: Path, faults: Faults) -> Iterator[Query]:
        """The queries as they stand; "" is the language of those that do not say it."""
        for number, line in numbered_lines(file):
            try:
                yield self._query(JsonRow.parse(line, number), number)
            except ValueError as error:
                faults.found.append(f"{file}, line {number}: {error}")

    def _query(self, row: JsonRow, number: int) -> Query:
        id_ = row.id()
        if id_ in self._lines:
            raise ValueError(f"query id {id_!r} is there twice, first in line {self._lines[id_]}")
        text = row.text("text")
        if text is None:
            others = ", ".join(f"`{name}`" for name in row.texts_beside(_KNOWN))
            raise ValueError("there is no `text`" + (f": call {others} so" if others else ""))
        if not normal_form(text).strip():
            raise ValueError(f"the query {id_!r} is empty")
        kind, group = row.name("kind"), row.name("group")
        language = normalize_tag(said) if (said := row.language()) else ""
        self._lines[id_] = number
        return Query(id_, language, text, _PLAIN if kind is None else kind, "" if group is None else group, "test")
