"""helpdesk12-codes: questions that one digit of a code decides.

    an article that holds E-417 --> itself, and copies that hold E-410, E-411 ... in its place, in every language
    a question that holds E-417 --> itself, and copies that ask for E-418, E-420 ... ; only that code's articles answer

An embedder sees hardly any difference between the copies; whoever looks for E-418 has no use for E-417. All other
articles of helpdesk12 are there too, and a code stands in the articles of one topic alone:
of a topic with two codes (C2 and E-411), one is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query

NAME = "helpdesk12-codes"

_CODE = re.compile(r"(?<![\w.])(?:[A-Z]{1,2}-\d+|C\d|\d\.\d)(?!\w)", re.ASCII)  # E-417, PA-52, C2, 4.3
_ASKED_STEPS = (0, 1, 3, 5, 7)  # from the last digit on


def with_code_variants(dataset: Dataset) -> Dataset:
    """The dataset with a copy of each article a last digit, and only the questions that hold a code."""
    asked = [(query, codes[0]) for query in dataset.queries if len(codes := _CODE.findall(query.text)) == 1]
    of_topics: dict[str, str] = {}
    for query, code in asked:
        of_topics.setdefault(query.group, code)
    asked = [(query, code) for query, code in asked if of_topics[query.group] == code]
    topics = {code: topic for topic, code in of_topics.items()}
    taken = {code for document in dataset.documents for code in _CODE.findall(_passage(document))}
    variants = {code: _variants(code, sorted(topics), taken) for code in topics}
    holding = {code: _holding(dataset.documents, code, topic) for code, topic in topics.items()}
    copies = [
        _copy(document, code, variant)
        for code in topics
        for variant in variants[code]
        for document in holding[code]
        if variant != code
    ]
    queries: list[Query] = []
    qrels: dict[str, dict[str, int]] = {}
    for query, code in asked:
        for variant in _asked(variants[code], code):
            group = query.group if variant == code else _named(query.group, variant)
            queries.append(
                query._replace(id=_named(query.id, variant), text=query.text.replace(code, variant), group=group)
            )
            ids = [document.id if variant == code else _named(document.id, variant) for document in holding[code]]
            qrels[queries[-1].id] = dict.fromkeys(ids, 1)
    facts = {**dataset.facts, "copies": f"{len(copies)} articles with another last digit in their code"}
    return replace(
        dataset,
        name=NAME,
        documents=(*dataset.documents, *copies),
        queries=tuple(queries),
        qrels=qrels,
        facts=facts,
    )


def _variants(code: str, codes: Sequence[str], taken: set[str]) -> list[str]:
    """The code, and those with another last digit, in order: what no article has of its own, shared out by turns among
    the codes that differ in the last digit alone.
    """
    alike = [other for other in codes if other[:-1] == code[:-1]]
    free = [made for digit in "0123456789" if (made := code[:-1] + digit) not in taken]
    return sorted([code, *free[alike.index(code) :: len(alike)]])


def _asked(variants: Sequence[str], code: str) -> Iterator[str]:
    place = variants.index(code)
    yield from dict.fromkeys(variants[(place + step) % len(variants)] for step in _ASKED_STEPS)


def _holding(documents: Sequence[JudgedDocument], code: str, topic: str) -> list[JudgedDocument]:
    return [document for document in documents if document.group == topic and code in _CODE.findall(_passage(document))]


def _passage(document: JudgedDocument) -> str:
    return f"{document.title}\n{document.text}"


def _copy(document: JudgedDocument, code: str, variant: str) -> JudgedDocument:
    whole = re.compile(rf"(?<![\w.]){re.escape(code)}(?!\w)", re.ASCII)
    return document._replace(
        id=_named(document.id, variant),
        title=whole.sub(variant, document.title),
        text=whole.sub(variant, document.text),
        group=_named(document.group, variant),
    )


def _named(name: str, variant: str) -> str:
    return f"{name}~{variant}"
