"""Sections --> queries that their own texts answer, in every language that has them.

    heading ("Inserting Page Breaks")   asks for its section's text       2 to 12 words, unique in its language
    first sentence of a longer section  asks for what is left of the text

A heading is the shortest text about a section that its author wrote; a sentence and the text around it are the
inverse cloze task (Lee, Chang and Toutanova 2019, "Latent Retrieval for Weakly Supervised Open Domain Question
Answering").
"""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from interlingua_adaptation.corpus_step.corpus_cleaning import representative
from interlingua_adaptation.corpus_step.sentences import sentences, size, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from interlingua_adaptation.corpus_step.corpus_cleaning import Group
    from interlingua_adaptation.corpus_step.section import Section

Kind = Literal["heading", "sentence"]

_HEADING_WORDS = range(2, 13)
_SHORTEST_ANSWER = 40  # of a heading; sizes are of interlingua_adaptation/corpus_step/sentences.py
_FEWEST_SENTENCES = 3
_SHORTEST_SECTION = 120
_SENTENCE_SIZES = range(20, 301)


class MinedQuery(NamedTuple):
    """What is asked, before there are negatives.

    Attributes:
        texts: the query by language.
        language: the one it is searched in: the representative's.
        documents: what answers it, by language, where that is not the section's own text; else empty.
    """

    id: str
    group: str
    kind: Kind
    language: str
    texts: Mapping[str, str]
    documents: Mapping[str, str]

    def row(self, negatives: list[str]) -> dict[str, Any]:
        """The line of lists.jsonl."""
        row: dict[str, Any] = {"id": self.id, "group": self.group, "kind": self.kind, "queries": dict(self.texts)}
        if self.documents:
            row["documents"] = dict(self.documents)
        return {**row, "negatives": negatives}


def make_queries(
    groups: Mapping[str, Group], pivot: str, *, seed: int, most_sentences: int | None = None
) -> list[MinedQuery]:
    """All headings that can be asked for, and a sample of sentences.

    Args:
        most_sentences: at most so many; None for as many as there are headings, or 1,000 if that is more.
    """
    headings = list(heading_queries(groups, pivot))
    asked = list(sentence_queries(groups, pivot))
    most = max(len(headings), 1000) if most_sentences is None else most_sentences
    if len(asked) > most:
        chosen = set(random.Random(f"{seed}/sentences").sample(range(len(asked)), most))
        asked = [query for number, query in enumerate(asked) if number in chosen]
    return headings + asked


def heading_queries(groups: Mapping[str, Group], pivot: str) -> Iterable[MinedQuery]:
    """One for each group whose heading names it and no other."""
    counts = Counter((s.language, _key(s.title)) for group in groups.values() for s in group.values())
    for name, group in groups.items():
        first = representative(group, pivot)
        if counts[first.language, _key(first.title)] > 1 or words(first.title) not in _HEADING_WORDS:
            continue
        if size(first.text) < _SHORTEST_ANSWER:
            continue
        texts = {
            section.language: section.title
            for section in group.values()
            if counts[section.language, _key(section.title)] == 1 and _is_own(section, first)
        }
        yield MinedQuery(f"heading:{name}", name, "heading", first.language, texts, {})


def sentence_queries(groups: Mapping[str, Group], pivot: str) -> Iterable[MinedQuery]:
    """One for each group with a text that is long enough to lose its first sentence."""
    for name, group in groups.items():
        first = representative(group, pivot)
        if size(first.text) < _SHORTEST_SECTION or len(sentences(first.text)) < _FEWEST_SENTENCES:
            continue
        cut = {section.language: parts for section in group.values() if (parts := _cut(section))}
        if first.language in cut:
            texts = {language: parts[0] for language, parts in cut.items()}
            documents = {language: parts[1] for language, parts in cut.items()}
            yield MinedQuery(f"sentence:{name}", name, "sentence", first.language, texts, documents)


def heading_key(title: str) -> str:
    """Equal for headings that ask for the same."""
    return " ".join(title.casefold().split()).strip(" :.")


_key = heading_key


def _is_own(section: Section, first: Section) -> bool:
    """Whether the heading is in the section's language, rather than left untranslated."""
    return bool(section.title.strip()) and (section is first or section.title != first.title)


def _cut(section: Section) -> tuple[str, str] | None:
    """The first sentence and, under the heading, what is left; None where one of them is too little."""
    query = sentences(section.text)[0]
    left = section.text.strip().removeprefix(query).lstrip()
    if size(query) not in _SENTENCE_SIZES or size(left) < _SHORTEST_ANSWER or query in left:
        return None
    return query, f"{section.title}\n{left}".strip()
