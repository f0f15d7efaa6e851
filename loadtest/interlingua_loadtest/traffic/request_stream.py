"""What is asked, request by request.

    Source + Mix + seed -> chance of every text -> Ask, Ask, ...

A text's chance is its language's share, times its kind's share, divided among the texts of that language and kind:
evenly, or by their rank in a popularity that the seed shuffles. Kinds, texts, depths and documents are drawn from four
streams, so that two mixes that differ in depth alone ask the same questions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from interlingua_loadtest.traffic.request_kinds import KINDS, Kind
from interlingua_loadtest.traffic.traffic_mix import Mix, of_lengths, require_drawable, rerank_documents
from interlingua_loadtest.traffic.traffic_source import Source, SourceText
from interlingua_loadtest.traffic.weighted_draws import Draws, zipf_weights

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset

__all__ = ["KINDS", "Ask", "Kind", "Mix", "Source", "SourceText", "Traffic"]


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request.

    Attributes:
        number: from 0.
        language: of the query; of the document where there is none.
        query: "" for embed_document.
        documents: one for embed_document, `depth` different ones for rerank, else none.
        depth: documents to rerank, or of a search candidates to rerank; 0 for the others.
        query_kind: as in the source; "" for embed_document.
    """

    number: int
    kind: Kind
    language: str
    query: str
    documents: tuple[str, ...]
    depth: int
    query_kind: str


class Traffic:
    """An endless supply of requests, equal for equal seeds.

    Attributes:
        varied: texts handed out so far that had to be told from an earlier one by a number at their end.
    """

    def __init__(self, source: Source, mix: Mix, seed: int) -> None:
        """Raises InputError naming everything that is wrong with the mix, or that the source lacks for it."""
        require_drawable(mix, source, seed)
        self.source, self.mix, self.seed, self.varied = source, mix, seed, 0
        self._ranking = np.random.SeedSequence(seed).spawn(5)[4]

    @classmethod
    def of_dataset(cls, dataset: Dataset, mix: Mix, seed: int) -> Traffic:
        """The dataset's queries and documents; raises as the constructor does."""
        return cls(Source.of_dataset(dataset), mix, seed)

    @classmethod
    def of_log(cls, file: Path, mix: Mix, seed: int, *, documents: Iterable[SourceText] = ()) -> Traffic:
        """The queries of a search log with texts; raises InputError also where it has none."""
        return cls(Source.of_log(file, documents), mix, seed)

    @classmethod
    def of_texts(
        cls,
        queries: Mapping[str, Sequence[str]],
        mix: Mix,
        seed: int,
        *,
        documents: Mapping[str, Sequence[str]] | None = None,
    ) -> Traffic:
        """Plain texts by language; without documents, the queries stand for them."""
        return cls(Source.of_texts(queries, documents), mix, seed)

    def asks(self, number: int) -> Iterator[Ask]:
        """The first `number` requests; the same ones every time, and the same ones first of a greater number."""
        kinds, texts, depths, documents = map(np.random.default_rng, np.random.SeedSequence(self.seed).spawn(4))
        names, depth_of = tuple(self.mix.kinds), self.mix.depths
        kind_of = Draws(np.array(list(self.mix.kinds.values())))
        uses: Counter[str] = Counter()
        for row in range(number):
            kind = names[kind_of.one(kinds)]
            depth = depth_of[int(depths.integers(len(depth_of)))]
            asked = self._asked(kind, texts)
            text = self._told_apart(asked.text, uses)
            if kind == "embed_document":
                yield Ask(
                    number=row, kind=kind, language=asked.language, query="", documents=(text,), depth=0, query_kind=""
                )
            else:
                chosen = self._documents(depth, documents) if kind == "rerank" else ()
                yield Ask(
                    number=row,
                    kind=kind,
                    language=asked.language,
                    query=text,
                    documents=chosen,
                    depth=0 if kind == "embed_query" else depth,
                    query_kind=asked.kind,
                )

    def _asked(self, kind: Kind, random: np.random.Generator) -> SourceText:
        if kind == "embed_document":
            chances, texts = self._embedded_documents
        else:
            chances, texts = self._any_queries if kind == "rerank" else self._measured_queries
        return texts[chances.one(random)]

    def _documents(self, depth: int, random: np.random.Generator) -> tuple[str, ...]:
        chances, texts = self._reranked_documents
        return tuple(texts[row].text for row in chances.distinct(random, depth))

    def _told_apart(self, text: str, uses: Counter[str]) -> str:
        """Never the same text twice where they are to be unique: a number does not change a text's language."""
        if self.mix.repeats == "zipf":
            return text
        uses[text] += 1
        if uses[text] == 1:
            return text
        self.varied += 1
        return f"{text} {self._mark}{uses[text]}"

    @cached_property
    def _mark(self) -> str:
        """One that no text of the source has, so that a varied text cannot be another text of the source."""
        texts = [item.text for item in (*self.source.queries, *self.source.documents)]
        mark = "#"
        while any(f" {mark}" in text for text in texts):
            mark += "#"
        return mark

    @cached_property
    def _measured_queries(self) -> tuple[Draws, list[SourceText]]:
        return self._chances(of_lengths(self.source.queries, self.mix.lengths))

    @cached_property
    def _any_queries(self) -> tuple[Draws, list[SourceText]]:
        return self._chances(list(self.source.queries))

    @cached_property
    def _embedded_documents(self) -> tuple[Draws, list[SourceText]]:
        return self._chances(of_lengths(self.source.documents, self.mix.lengths))

    @cached_property
    def _reranked_documents(self) -> tuple[Draws, list[SourceText]]:
        return self._chances(rerank_documents(self.mix, self.source))

    def _chances(self, texts: list[SourceText]) -> tuple[Draws, list[SourceText]]:
        weights = np.ones(len(texts))
        if self.mix.repeats == "zipf":
            weights = zipf_weights(len(texts), self.mix.zipf_exponent, np.random.default_rng(self._ranking))
        # Reranked documents may be in none of the languages asked in.
        languages, kinds = self.mix.language_shares, self.mix.query_kinds
        if languages is not None and not any(item.language in languages for item in texts):
            languages = None
        groups = [
            (item.language if languages is not None else "", item.kind if kinds is not None else "") for item in texts
        ]
        shares = [
            (languages or {}).get(language, 0.0 if language else 1.0) * (kinds or {}).get(kind, 0.0 if kind else 1.0)
            for language, kind in groups
        ]
        return Draws.shared(weights, groups, shares), texts
