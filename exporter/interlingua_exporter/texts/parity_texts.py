"""The texts of the parity gate: short, middling and overlong ones in every language, and cross-lingual rankings.

parity_texts.toml: [[sentence]] en, es, ... --> Sample (language, text or pair) --> values, batches, rankings
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.repository.text_encoder import Framed
from interlingua.served.service import EMBED_DOCUMENT, EMBED_QUERY, RERANK
from interlingua_exporter.texts.text_frame import frame_of

if TYPE_CHECKING:
    from interlingua.repository.text_encoder import TextEncoder
    from interlingua_exporter.models.spec import ModelSpec

PARITY_TEXTS = Path(__file__).with_name("parity_texts.toml")
LONGEST = 1024  # tokens; beyond this the gate would cost minutes, and attention is the same
_MIDDLE, _LONG = 4, 8  # sentences joined
_OVERLONG = "hi"
_ASKED_EVERY = 2  # of the sentences, every second one is also a query
_MIXED_SENTENCES = 2  # of each language's sentences, these many go through the mixed batches


@dataclass(frozen=True)
class Sample:
    """One text, or one (query, document), with the prompt and the template it gets to the network in.

    Attributes:
        language: ISO 639-1; for a pair `query-document`.
        name: what it is, for a message: `sentence 3`, `12 sentences`.
    """

    language: str
    name: str
    text: Framed

    def describe(self) -> str:
        """The sample on one line of a message."""
        text = self.text.text
        shown = " | ".join(text) if isinstance(text, tuple) else text
        return f"{self.language}, {self.name}: {shown if len(shown) <= 60 else shown[:57] + '...'}"


@dataclass(frozen=True)
class Ranking:
    """A query and the candidates it ranks, as positions in a list of samples.

    For an embedder the query is a sample of its own; for a reranker every candidate is a whole pair.
    """

    language: str
    query: int | None
    candidates: tuple[int, ...]
    answers: tuple[int, ...]


@dataclass(frozen=True)
class ParitySet:
    """All that one gate looks at.

    Attributes:
        mixed: positions of the samples that are also computed in batches: some of every length and language,
            because a batch costs as much as its longest text times its size.
    """

    samples: tuple[Sample, ...]
    rankings: tuple[Ranking, ...]
    mixed: tuple[int, ...]


@cache
def sentences() -> tuple[dict[str, str], ...]:
    """The sentences, each in every language."""
    rows = tomllib.loads(PARITY_TEXTS.read_text(encoding="utf-8"))["sentence"]
    return tuple(dict(row) for row in rows)


def parity_set(spec: ModelSpec, encoder: TextEncoder) -> ParitySet:
    """The samples and rankings for a model, with its prompts."""
    return _embedder_set(spec, encoder) if spec.role == "embedder" else _reranker_set(spec, encoder)


def _embedder_set(spec: ModelSpec, encoder: TextEncoder) -> ParitySet:
    samples: list[Sample] = []
    as_query, as_document = frame_of(spec, EMBED_QUERY), frame_of(spec, EMBED_DOCUMENT)
    queries: dict[tuple[int, str], int] = {}
    documents: dict[tuple[int, str], int] = {}
    for number, row in enumerate(sentences()):
        for language, text in row.items():
            if number % _ASKED_EVERY == 0:
                queries[number, language] = len(samples)
                samples.append(Sample(language, f"query {number + 1}", Framed(text, as_query)))
            documents[number, language] = len(samples)
            samples.append(Sample(language, f"sentence {number + 1}", Framed(text, as_document)))
    rankings = tuple(
        Ranking(
            language,
            query,
            tuple(at for (_, theirs), at in documents.items() if theirs != language),
            tuple(at for (same, theirs), at in documents.items() if theirs != language and same == number),
        )
        for (number, language), query in queries.items()
    )
    mixed = [at for (number, _), at in documents.items() if number < _MIXED_SENTENCES]
    for language, name, text in _other_lengths(spec, encoder):
        mixed.append(len(samples))
        samples.append(Sample(language, name, Framed(text, as_document)))
    return ParitySet(tuple(samples), rankings, tuple(mixed))


def _reranker_set(spec: ModelSpec, encoder: TextEncoder) -> ParitySet:
    """Each language asks about one sentence, its documents are in the two languages that follow it."""
    rows = sentences()
    languages = list(rows[0])
    samples: list[Sample] = []
    frame = frame_of(spec, RERANK)
    rankings: list[Ranking] = []
    for position, language in enumerate(languages):
        asked = position % len(rows)
        others = [languages[(position + step) % len(languages)] for step in (1, 2)]
        first = len(samples)
        answers = []
        for number, row in enumerate(rows):
            other = others[number % 2]
            if number == asked:
                answers.append(len(samples))
            name = f"question {asked + 1}, sentence {number + 1}"
            samples.append(Sample(f"{language}-{other}", name, Framed((rows[asked][language], row[other]), frame)))
        rankings.append(Ranking(language, None, tuple(range(first, len(samples))), tuple(answers)))
    mixed = [at for ranking in rankings for at in ranking.candidates[:_MIXED_SENTENCES]]
    for language, name, text in _other_lengths(spec, encoder):
        mixed.append(len(samples))
        samples.append(Sample(f"{language}-{language}", name, Framed((rows[0][language], text), frame)))
    return ParitySet(tuple(samples), tuple(rankings), tuple(mixed))


def _other_lengths(spec: ModelSpec, encoder: TextEncoder) -> list[tuple[str, str, str]]:
    """(language, name, text): a scrap and some sentences in each language, and a text to truncate."""
    texts = []
    for language in sentences()[0]:
        every = [row[language] for row in sentences()]
        texts.append((language, "a scrap", every[0][:3]))
        texts.append((language, f"{_MIDDLE} sentences", " ".join(every[:_MIDDLE])))
        texts.append((language, f"{_LONG} sentences", " ".join(every[:_LONG])))
    page = " ".join(row[_OVERLONG] for row in sentences())
    tokens = len(encoder.encode([page])[0])
    pages = -(-min(spec.max_tokens, LONGEST) // max(tokens, 1)) + 1
    texts.append((_OVERLONG, "an overlong text", " ".join([page] * pages)))
    return texts
