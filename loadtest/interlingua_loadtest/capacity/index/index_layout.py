"""How many bytes a document takes, by the layouts of hnswlib and SQLite.

count, dimension, M --hnswlib's elements--> the graph, in memory and in its file
dimension, bytes of text --SQLite's pages--> a document in the store

hnswlib: hnswalg.h, version 0.8 (`size_data_per_element_`, `size_links_per_element_`, `saveIndex`).
SQLite: sqlite.org/fileformat2.html, section 1.6 (B-tree pages, cell payload overflow).
"""

from __future__ import annotations

import math

_FLOAT, _LINK, _COUNT, _LABEL = 4, 4, 4, 8  # bytes; a _COUNT heads every list of links
_FILE_HEADER = 96

_PAGE = 4096
_PAGE_HEADER, _CELL = 8, 8  # _CELL: pointer, payload's length and row number
_OVERFLOW_POINTER = 4
_ROW_HEADER = 16  # column types, and the generation
_DIGEST, _ID, _LANGUAGE, _PLACE = 16, 16, 2, 6  # _PLACE: a passage's document, position, start and end
_ENTRY = _CELL + 6  # what an index entry has beside its columns, the row's number among it
_INDEX_FILL = 0.7  # of pages that rows come into in no order: between a half and full


def graph_bytes(count: float, dimension: float, m: float) -> float:
    """Bytes of hnswlib's elements: vector, label, 2M links on the lowest level and M on each upper one.

    An element reaches level l with the chance M^-l (Malkov and Yashunin 2016, arXiv 1603.09320, section 4.1, with
    mL = 1 / ln M), so that it is on 1 / (M - 1) upper levels on average.
    """
    lowest = dimension * _FLOAT + _LABEL + 2 * m * _LINK + _COUNT
    upper = (m * _LINK + _COUNT) / (m - 1)
    return count * (lowest + upper)


def graph_file_bytes(count: float, dimension: float, m: float) -> float:
    """The size of the saved graph: its elements, for each the size of its upper levels, and a header."""
    return graph_bytes(count, dimension, m) + count * _COUNT + _FILE_HEADER


def store_bytes(dimension: int, text_bytes: float) -> float:
    """A document that is one passage in the store, on the disk: two rows, and four index entries.

    One row has title and text, the other one the raw vector.

    A row keeps within a page what fits, and whole pages hold the rest of it: rows of 2 to 4 KB have a page each.
    Query stand-ins and offsets, a few vectors a language, are not in it.

    Args:
        text_bytes: UTF-8 bytes of title and text, on average; where documents differ much it is an estimate.
    """
    document = math.ceil(_ROW_HEADER + _ID + _LANGUAGE + _DIGEST + text_bytes)
    passage = math.ceil(_ROW_HEADER + _PLACE + _LANGUAGE + _DIGEST + dimension * _FLOAT)
    entries = (_ID + _ENTRY, _LANGUAGE + _ENTRY, _PLACE + _ENTRY, _LANGUAGE + _DIGEST + _ENTRY)
    return _table_row_bytes(document) + _table_row_bytes(passage) + sum(entries) / _INDEX_FILL


def _table_row_bytes(payload: int) -> float:
    """Share of a leaf page, and overflow pages, of a row of so many bytes."""
    local, overflow_pages = payload, 0
    if payload > _PAGE - 35:
        least = (_PAGE - 12) * 32 // 255 - 23
        kept = least + (payload - least) % (_PAGE - _OVERFLOW_POINTER)
        local = kept if kept <= _PAGE - 35 else least
        overflow_pages = math.ceil((payload - local) / (_PAGE - _OVERFLOW_POINTER))
    cell = local + _CELL + (_OVERFLOW_POINTER if overflow_pages else 0)
    rows_of_a_page = (_PAGE - _PAGE_HEADER) // cell
    return _PAGE / rows_of_a_page + overflow_pages * _PAGE
