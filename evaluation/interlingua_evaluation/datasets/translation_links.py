"""Which documents of a benchmark are translations of one another, by its judgments alone.

    query --its only answer in English--> C0 \\
          --its only answer in German --> de:C0  --> one group

That holds for parallel collections (Belebele, MLQA), where a question has one passage, in every language. Where
queries have several answers in a language (NeuCLIR), answers in two languages are not translations, and every document
is a group of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

# Parallel collections ask a few questions twice, of different passages.
_LEAST_SHARE = 0.95


def linked_groups(languages: Mapping[str, str], answers: Iterable[Collection[str]]) -> dict[str, str]:
    """The group of every document: the id of the first of its translations.

    Args:
        languages: of each document, by id.
        answers: of each query, the relevant documents' ids.
    """
    across = [ids for ids in answers if len({languages[id_] for id_ in ids}) > 1]
    single = [ids for ids in across if max(Counter(languages[id_] for id_ in ids).values()) == 1]
    parent = {id_: id_ for id_ in languages}
    if len(single) < _LEAST_SHARE * len(across):
        return parent
    order = {id_: number for number, id_ in enumerate(languages)}
    for ids in single:
        roots = sorted({_root(parent, id_) for id_ in ids}, key=order.__getitem__)
        parent.update(dict.fromkeys(roots, roots[0]))
    return {id_: _root(parent, id_) for id_ in languages}


def _root(parent: dict[str, str], id_: str) -> str:
    while parent[id_] != id_:
        parent[id_] = parent[parent[id_]]
        id_ = parent[id_]
    return id_
