"""How many bytes a document takes, by the layout of hnswlib.

count, dimension, M --hnswlib's elements--> the graph, in memory and in its file

hnswlib: hnswalg.h, version 0.8 (`size_data_per_element_`, `size_links_per_element_`, `saveIndex`).
"""

from __future__ import annotations

_FLOAT, _LINK, _COUNT, _LABEL = 4, 4, 4, 8  # bytes; a _COUNT heads every list of links
_FILE_HEADER = 96


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
