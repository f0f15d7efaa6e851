"""A table to documents, a row each: which column is what is said by its name or by the user.

question,answer,lang --{"title": ["question"], "text": ["answer"]}--> Converted; other columns become metadata
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from interlingua.base.counted import counted
from interlingua.base.json_row import LANGUAGE_NAMES
from interlingua_client.converting.converted import Converted, UnreadableFileError
from interlingua_client.converting.decoded_text import encoding_of
from interlingua_client.converting.html_page import html_text
from interlingua_client.converting.html_tags import is_html

FIELDS = ("id", "title", "text", "language")
_NAMES: Mapping[str, Sequence[str]] = {
    "id": ("id", "_id"),
    "title": ("title", "question", "subject"),
    "text": ("text", "contents", "content", "body", "answer"),
    "language": (*LANGUAGE_NAMES, "locale"),
}
_SNIFFED = 64 * 1024  # characters
_LONGEST_CELL = 16 * 1024 * 1024


def csv_table(path: Path, columns: Mapping[str, Sequence[str]], encoding: str | None) -> Iterator[Converted]:
    """The documents of a table, row by row; it is read through first, so that none come of a table that is bad.

    A row without an id is called by a digest of its cells, so that rows may be put in before it. Text that is HTML
    becomes Markdown.

    Args:
        columns: what the user says: a field's columns, which are joined by line breaks.

    Raises:
        UnreadableFileError: it is no table, has no column with text, a row has more cells than there are columns, or it
            is in another encoding.
    """
    csv.field_size_limit(_LONGEST_CELL)
    for _ in _rows(path, columns, encoding):
        pass
    for row, wanted in _rows(path, columns, encoding):
        yield _document(row, wanted)


def _rows(
    path: Path, columns: Mapping[str, Sequence[str]], encoding: str | None
) -> Iterator[tuple[dict[str, str], dict[str, list[str]]]]:
    """Each row's cells by the names of their columns, and each field's columns."""
    with path.open("rb") as raw:
        head = raw.read(4)
    codec = encoding_of(head, encoding)
    try:
        with path.open(encoding=codec, newline="") as file:
            delimiter = _delimiter(file.read(_SNIFFED), path)
            file.seek(0)
            rows = csv.reader(file, delimiter=delimiter, strict=True)
            header = [name.strip() for name in next(rows, [])]
            wanted = _chosen(header, columns)
            for cells in rows:
                if any(cell.strip() for cell in cells):
                    _require_columns(header, cells, rows.line_num)
                    yield dict(zip(header, cells, strict=False)), wanted
    except UnicodeError as error:
        reason = error.reason if isinstance(error, UnicodeDecodeError) else error
        raise UnreadableFileError(f"not {codec} ({reason}): name its encoding with --encoding") from None
    except csv.Error as error:
        raise UnreadableFileError(f"no table at line {rows.line_num}: {error}") from error


def _delimiter(text: str, path: Path) -> str:
    if path.suffix.lower() == ".tsv":
        return "\t"
    first = text.split("\n", 1)[0]
    return max(",;\t|", key=first.count)


def _require_columns(header: Sequence[str], cells: Sequence[str], line: int) -> None:
    """No cell with something in it is without a column; but the first may be, which numbers the rows."""
    nameless = (number for number, cell in enumerate(cells) if cell.strip() and not any(header[number : number + 1]))
    if lost := next(filter(None, nameless), None):
        raise UnreadableFileError(
            f"the row that ends at line {line} has {counted(len(cells), 'cell')}, and cell {lost + 1} no column: the "
            f"header names {counted(sum(map(bool, header)), 'column')}. A cell that holds the delimiter is quoted"
        )


def _chosen(header: list[str], said: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Each field's columns."""
    if twice := next((name for name in header if name and header.count(name) > 1), ""):
        raise UnreadableFileError(f"it has two columns {twice!r}")
    by_name = {name.casefold(): name for name in header}
    chosen = {}
    for field in FIELDS:
        if field in said:
            if missing := [name for name in said[field] if name not in header]:
                raise UnreadableFileError(f"there is no column {missing[0]!r}: there are {_listed(header)}")
            chosen[field] = list(said[field])
        else:
            chosen[field] = [by_name[name] for name in _NAMES[field] if name in by_name][:1]
    if not chosen["text"] and not chosen["title"]:
        raise UnreadableFileError(
            f"no column is called text: say which is, as in --column text=ANSWER (there are {_listed(header)})"
        )
    return chosen


def _listed(header: Sequence[str]) -> str:
    return ", ".join(filter(None, header))


def _document(row: Mapping[str, str], chosen: Mapping[str, list[str]]) -> Converted:
    cells = {field: [row.get(name, "").strip() for name in names] for field, names in chosen.items()}
    cells["text"] = [html_text(cell).strip() if is_html(cell) else cell for cell in cells["text"]]
    said = {field: "\n".join(joined).strip() for field, joined in cells.items()}
    used = {name for names in chosen.values() for name in names}
    metadata = {name: value.strip() for name, value in row.items() if name not in used and name}
    id_ = said["id"] or hashlib.blake2b(json.dumps([said, metadata]).encode(), digest_size=8).hexdigest()
    return Converted(said["title"], said["text"], said["language"], metadata, id_)
