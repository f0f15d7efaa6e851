"""Training lists and the examples that are drawn from them.

    lists.jsonl + corpus.jsonl (+ scores.jsonl) --> TrainingList
    (list, random numbers) --> a language for the query and for each document --> Example

A list is about sections, not about languages: the query is put in one of the languages it has, and the
documents are either all in one language (as in a search of one language) or each in another one (a mixed pool).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

Texts = Mapping[str, str]  # by language

HEADING = "heading"

_ONE_LANGUAGE = 0.5  # share of the examples whose documents are all in one language


class TrainingList(NamedTuple):
    """A query, the section that answers it, and sections that do not.

    Attributes:
        queries: the query in every language it has.
        groups: the positive section's group, then the negatives'.
        documents: their texts, in the order of `groups`.
        scores: the teacher's, in the order of `groups`; empty where no teacher has scored.
    """

    id: str
    queries: Texts
    groups: tuple[str, ...]
    documents: tuple[Texts, ...]
    scores: tuple[float, ...]


class Example(NamedTuple):
    """A list with its languages chosen; the positive document stands first."""

    query: str
    documents: tuple[str, ...]
    groups: tuple[str, ...]
    scores: tuple[float, ...]


def read_lists(folder: Path) -> list[TrainingList]:
    """The lists of a work folder, with the teacher's scores where there are any."""
    bodies: dict[str, dict[str, str]] = {}
    whole: dict[str, dict[str, str]] = {}
    for row in read_rows(folder / "corpus.jsonl"):
        bodies.setdefault(row["group"], {})[row["language"]] = row["text"]
        whole.setdefault(row["group"], {})[row["language"]] = f"{row['title']}\n{row['text']}".strip()
    scored = folder / "scores.jsonl"
    scores = {row["id"]: tuple(row["scores"]) for row in read_rows(scored)} if scored.exists() else {}
    lists = []
    for row in read_rows(folder / "lists.jsonl"):
        # A heading that is asked for must not stand in the documents: the same words would be all there is to learn.
        texts = bodies if row["kind"] == HEADING else whole
        positive = row.get("documents") or texts[row["group"]]
        lists.append(
            TrainingList(
                id=row["id"],
                queries=row["queries"],
                groups=(row["group"], *row["negatives"]),
                documents=(positive, *(texts[group] for group in row["negatives"])),
                scores=scores.get(row["id"], ()),
            )
        )
    return lists


def draw(training_list: TrainingList, negatives: int, random_numbers: random.Random) -> Example:
    """Choose the languages, and `negatives` of the negatives; a list with fewer repeats some."""
    kept = [0, *_sample(range(1, len(training_list.groups)), negatives, random_numbers)]
    texts = [training_list.documents[number] for number in kept]
    query_language = random_numbers.choice(sorted(training_list.queries))
    # All in one language, only if all have it: else the language would tell the answer from the rest.
    common = sorted(set.intersection(*(set(each) for each in texts)))
    one_language = random_numbers.choice(common) if common and random_numbers.random() < _ONE_LANGUAGE else None
    languages = [one_language or random_numbers.choice(sorted(each)) for each in texts]
    return Example(
        query=training_list.queries[query_language],
        documents=tuple(each[language] for each, language in zip(texts, languages, strict=True)),
        groups=tuple(training_list.groups[number] for number in kept),
        scores=tuple(training_list.scores[number] for number in kept) if training_list.scores else (),
    )


def _sample(numbers: range, size: int, random_numbers: random.Random) -> list[int]:
    if size <= len(numbers):
        return random_numbers.sample(numbers, size)
    return [*numbers, *random_numbers.choices(numbers, k=size - len(numbers))]


def consistent(lists: Sequence[TrainingList], rank: int) -> list[TrainingList]:
    """The lists whose positive the teacher puts among its first `rank`: round-trip consistency.

    A heading such as "Notes" or a sentence taken out of its section may ask for nothing in particular; where the
    teacher does not find the section either, it is no answer to learn from (Dai et al. 2022, "Promptagator").
    """
    return [each for each in lists if sum(score > each.scores[0] for score in each.scores[1:]) < rank]


def read_rows(file: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON lines file."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def draw_step(lists: Sequence[TrainingList], step: int, *, size: int, negatives: int, seed: int) -> list[Example]:
    """The examples of one step; every list is seen once before one is seen again."""
    first = step * size
    examples = []
    for number in range(first, first + size):
        epoch, place = divmod(number, len(lists))
        order = _order(len(lists), epoch, seed)
        examples.append(draw(lists[order[place]], negatives, random.Random(f"{seed}/{number}")))
    return examples


def _order(length: int, epoch: int, seed: int) -> list[int]:
    order = list(range(length))
    random.Random(f"{seed}/{epoch}").shuffle(order)
    return order
