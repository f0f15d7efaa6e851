"""What is asked of a server, so far as its time depends on it.

    shares of kinds and languages, token counts by language, depth --draw(arrivals, seed)--> Workload

Token counts are samples, not averages: the same sentence costs several times more tokens in some languages than in
others, and the long texts decide the tail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from interlingua.base.errors import InputError
from interlingua.served.service import EMBED_DOCUMENT, EMBED_QUERY, RERANK
from interlingua_loadtest.capacity.simulate.workload import FloatArray64, IntArray, Workload
from interlingua_loadtest.traffic.request_kinds import KINDS, SEARCH

Samples = Mapping[str, Sequence[int] | IntArray]
_USES_QUERIES = (EMBED_QUERY, SEARCH)
_USES_PAIRS = (RERANK, SEARCH)
_STREAM = 1  # random numbers of its own: those of the same seed alone may have made the arrivals


@dataclass(frozen=True, kw_only=True)
class Demand:
    """The make-up of the traffic; how much of it comes is another matter.

    Attributes:
        kinds: share of each kind of request (embed_query, embed_document, rerank, search); scaled to 1.
        languages: share of each language of query (or document); scaled to 1.
        query_tokens, document_tokens, pair_tokens: samples of a text's tokens by language, prompt and specials
            included; of a pair, query and document together. Only what the kinds need.
        depth: pairs of a search or a rerank request.
        deadline_s: that every request carries; None for none.
        one_side: a search has one row of its question computed, as `pair_tokens`, and compares stored token vectors.
    """

    kinds: Mapping[str, float]
    languages: Mapping[str, float]
    query_tokens: Samples = field(default_factory=dict)
    document_tokens: Samples = field(default_factory=dict)
    pair_tokens: Samples = field(default_factory=dict)
    depth: int = 0
    deadline_s: float | None = None
    one_side: bool = False

    def __post_init__(self) -> None:
        """Raises InputError: naming all that is wrong."""
        faults = _share_faults("kinds", self.kinds) + _share_faults("languages", self.languages)
        faults += [f"{kind}: a request is one of {', '.join(KINDS)}" for kind in self.kinds if kind not in KINDS]
        if self.depth < 0 or (self.depth == 0 and self.kinds.get(RERANK)):
            faults.append(f"depth is {self.depth}: a rerank request needs at least 1 pair")
        for name, samples, is_needed in (
            ("query_tokens", self.query_tokens, self._asks(_USES_QUERIES)),
            ("document_tokens", self.document_tokens, self._asks((EMBED_DOCUMENT,))),
            ("pair_tokens", self.pair_tokens, self.depth > 0 and self._asks(_USES_PAIRS)),
        ):
            missing = [tag for tag in self.languages if is_needed and len(samples.get(tag, ())) == 0]
            if missing:
                faults.append(f"{name} has no sample of {', '.join(missing)}")
        if faults:
            raise InputError(f"demand: {'; '.join(faults)}")

    def draw(self, arrived: FloatArray64, seed: int) -> Workload:
        """Requests that arrive at these moments. Raises InputError: the arrivals do not ascend, or are none."""
        random = np.random.default_rng([seed, _STREAM])
        count = len(arrived)
        names = list(self.kinds)
        kinds = np.array([KINDS.index(name) for name in names])[random.choice(len(names), count, p=_scaled(self.kinds))]
        languages = random.choice(len(self.languages), count, p=_scaled(self.languages))
        sizes = np.where(kinds == KINDS.index(RERANK), self.depth, 1)
        sizes = np.where(kinds == KINDS.index(SEARCH), 1 + self.depth, sizes)
        first = np.concatenate([[0], np.cumsum(sizes)])
        heads = np.repeat(first[:-1], sizes) == np.arange(first[-1])  # the first text of each request
        tokens = self._tokens(np.repeat(kinds, sizes), np.repeat(languages, sizes), heads, random)
        deadlines = np.full(count, np.inf if self.deadline_s is None else self.deadline_s)
        return Workload(
            arrived=np.asarray(arrived, np.float64),
            kinds=kinds,
            tokens=tokens,
            first=first,
            deadlines=deadlines,
            languages=languages,
            one_side=self.one_side,
        )

    def _tokens(self, kinds: IntArray, languages: IntArray, heads: np.ndarray, random: np.random.Generator) -> IntArray:
        """int64 [T], drawn for each text from the samples of its language."""
        document = kinds == KINDS.index(EMBED_DOCUMENT)
        query = ~document & heads & (kinds != KINDS.index(RERANK))
        tokens = np.zeros(len(kinds), dtype=np.int64)
        for chosen, samples in (
            (query, self.query_tokens),
            (document, self.document_tokens),
            (~query & ~document, self.pair_tokens),
        ):
            for number, tag in enumerate(self.languages):
                rows = np.flatnonzero(chosen & (languages == number))
                if len(rows):
                    tokens[rows] = random.choice(np.asarray(samples[tag], dtype=np.int64), len(rows))
        return tokens

    def _asks(self, kinds: Sequence[str]) -> bool:
        return any(self.kinds.get(kind, 0.0) > 0 for kind in kinds)

    # -- what if -------------------------------------------------------------------------------------------

    def deeper(self, pairs: int) -> Demand:
        """So many more pairs a search."""
        return replace(self, depth=self.depth + pairs)

    def longer(self, factor: float) -> Demand:
        """Every text has so many times the tokens."""

        def scaled(samples: Samples) -> Samples:
            return {tag: np.maximum(np.rint(np.asarray(counts) * factor), 1) for tag, counts in samples.items()}

        return replace(
            self,
            query_tokens=scaled(self.query_tokens),
            document_tokens=scaled(self.document_tokens),
            pair_tokens=scaled(self.pair_tokens),
        )

    def more_of(self, language: str, share: float) -> Demand:
        """So much more of the traffic is in that language, at the others' expense. Raises InputError: it is not one."""
        if language not in self.languages:
            raise InputError(f"the demand has no {language}, only {', '.join(self.languages)}")
        now = dict(zip(self.languages, _scaled(self.languages), strict=True))
        wanted = min(now[language] + share, 1.0)
        rest = 1 - now[language]
        others = {tag: part * (1 - wanted) / rest if rest else 0.0 for tag, part in now.items()}
        return replace(self, languages={**others, language: wanted})


def _share_faults(name: str, shares: Mapping[str, float]) -> list[str]:
    values = list(shares.values())
    if not values or min(values) < 0 or not 0 < sum(values) < np.inf:
        return [f"{name}: shares must not be negative, and one must be above 0"]
    return []


def _scaled(shares: Mapping[str, float]) -> FloatArray64:
    values: FloatArray64 = np.array(list(shares.values()), dtype=np.float64)
    values /= values.sum()
    return values
