"""Token vectors for the passages of an index that have none.

    rows that are not as they were written --> taken off (token_repair.py)
    more of the file belongs to nobody than is worth keeping --> what is alive into another file
    facts in the store, no projection yet --> a sample is encoded --> projection, file, the sample's rows
    passages without rows --encode, project, quantize--> rows behind the file's last --> named in one transaction
    all passages have rows --> this set is in use, and another that was goes

Killed at any moment it has lost nothing that was committed: the next run encodes what has no rows.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import ServerError
from interlingua_client.index.token_store.projection import TokenProjection
from interlingua_client.index.token_store.quantization import NO_TOKENS
from interlingua_client.index.token_store.reclaiming import reclaim
from interlingua_client.index.token_store.token_file import make_token_file, remove_token_files, write_rows
from interlingua_client.index.token_store.token_outcome import TokenForecast, TokenOutcome
from interlingua_client.index.token_store.token_repair import Checked, without_damaged
from interlingua_client.index.token_store.token_tables import TokenTables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from interlingua.served.token_vectors import TokenVectors
    from interlingua_client.embedder import FloatArray
    from interlingua_client.index.document_store import DocumentStore
    from interlingua_client.index.token_store.token_facts import TokenFacts
    from interlingua_client.token_encoder import EncoderIdentity, TokenEncoder

SAMPLE = 512  # passages; held in memory until the projection is fitted: 100 MB where they are long
# Share of the tokens' squared length that a new projection has to keep beyond the old one.
WORTH_A_REFIT = 0.01

_LEAST_OF_A_LANGUAGE = 8


class TokenIndexing:
    """One run over one index; the caller holds the writer's lock."""

    def __init__(
        self, store: DocumentStore, encoder: TokenEncoder, batch: int, *, refit: bool = False, verify: bool = False
    ) -> None:
        """For a store.

        Args:
            refit: fit the projection anew; all rows are made again if the old one is clearly worse.
            verify: read all stored rows first, and make those again that are not as they were written.
        """
        self._refit, self._verify = refit, verify
        self._store, self._tables = store, TokenTables(store)
        self._encoder, self._batch = encoder, batch
        self._kept: float | None = None

    @cached_property
    def _checked(self) -> Checked | None:
        """The set that is to be brought up to date, in the making or in use; None where the server's is another."""
        served = self._encoder.encoder
        mine = [facts for facts in self._tables.sets() if served and facts.reranker == served.digest]
        return without_damaged(self._tables, mine[-1], verify=self._verify) if mine else None

    def missing(self) -> int:
        """How many passages are to be encoded; 0 where the index wants none of the server's reranker."""
        return len(self._tables.missing(self._checked.facts)) if self._checked else 0

    def run(
        self,
        announce: Callable[[TokenForecast], None] = lambda _: None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> TokenOutcome:
        """Encode what has no rows or damaged ones, write them, give space back.

        Args:
            announce: told what it will take, before most of it is done.
            advance: told of every passage that was encoded.

        Raises:
            ServerError: the server went away for too long, or gave vectors that are none.
            TokenFileError: the disk does not take them.
        """
        sets = self._tables.sets()
        if not sets:
            return TokenOutcome(format=NO_TOKENS)
        if self._checked is None:
            return self._outcome(sets[0], note=_other(sets[0], self._encoder.encoder))
        facts, reclaimed = reclaim(self._tables, self._checked.facts)
        missing, started = self._tables.missing(facts), time.monotonic()
        if self._refit or (facts.projection is None and missing):
            sample = dict(self._each_encoded(self._sample(), advance))
            facts = self._fitted(facts, sample)
            missing = self._tables.missing(facts)
            new = {label: text for label, text in sample.items() if label in set(missing)}
            facts = self._write(facts, list(new), list(new.values()))
            left = [label for label in missing if label not in new]
            announce(_forecast(facts, len(sample), len(left), time.monotonic() - started))
        else:
            left = missing
        for labels, encoded in self._encoded(left):
            facts = self._write(facts, labels, encoded)
            advance(len(labels))
        return self._finished(facts, len(missing), reclaimed)

    def _finished(self, facts: TokenFacts, added: int, reclaimed: int) -> TokenOutcome:
        """A set that has all passages takes over; what is of no use any more goes."""
        if facts.number == self._tables.sets()[-1].number:
            self._tables.retain(facts)
        remove_token_files(self._store.directory, but={found.file for found in self._tables.sets()})
        return self._outcome(facts, added=added, reclaimed=reclaimed)

    def _fitted(self, facts: TokenFacts, sample: dict[int, TokenVectors]) -> TokenFacts:
        """With a projection that fits the sample: the one in use, if that keeps about as much, else a new one."""
        parts = [text.vectors for text in sample.values()]
        vectors = np.concatenate([np.empty((0, facts.dimension), np.float32), *parts])
        fitted = TokenProjection.fit(vectors, facts.format.values)
        self._kept = fitted.kept(vectors)
        if facts.projection is not None:
            kept = facts.projection.kept(vectors)
            if self._kept - kept <= WORTH_A_REFIT:
                self._kept = kept
                return facts
        facts = replace(facts, projection=fitted, tokens=0)
        return self._tables.begin(replace(facts, file=make_token_file(self._store.directory, facts.width)))

    def _each_encoded(
        self, labels: Sequence[int], advance: Callable[[int], None]
    ) -> Iterator[tuple[int, TokenVectors]]:
        for chunk, encoded in self._encoded(labels):
            yield from zip(chunk, encoded, strict=True)
            advance(len(chunk))

    def _sample(self) -> list[int]:
        """Passages of all languages alike, the same on every run."""
        languages = self._store.languages()
        each = sampled_of_each(len(languages))
        return sorted(label for language in languages for label in self._store.passage_sample(language, each))

    def _encoded(self, labels: Sequence[int]) -> Iterator[tuple[list[int], list[TokenVectors]]]:
        """The token vectors of the passages, some at a time, as they arrive."""
        pending: deque[list[int]] = deque()

        def batches() -> Iterator[list[str]]:
            for start in range(0, len(labels), self._batch):
                found = self._store.passages(labels[start : start + self._batch])
                pending.append(list(found))
                yield [passage.embedded for passage in found.values()]

        for encoded in self._encoder.encode_documents(batches()):
            chunk = pending.popleft()
            for label, text in zip(chunk, encoded, strict=True):
                self._require(label, text.vectors)
            yield chunk, encoded

    def _require(self, label: int, vectors: FloatArray) -> None:
        if not np.isfinite(vectors).all():
            document = self._store.documents([label])[label]
            raise ServerError(
                f"a token vector of document {document.id!r} is not finite: the network overflows in its precision. "
                "Export it in fp32"
            )

    def _write(self, facts: TokenFacts, labels: Sequence[int], encoded: Sequence[TokenVectors]) -> TokenFacts:
        assert facts.projection is not None  # noqa: S101
        vectors = np.concatenate([np.empty((0, facts.dimension), np.float32), *(text.vectors for text in encoded)])
        rows = facts.format.quantized(facts.projection.document(vectors))
        lengths = [len(text.vectors) for text in encoded]
        spans = write_rows(self._store.directory / facts.file, facts.tokens, rows, lengths)
        return self._tables.add(facts, dict(zip(labels, spans, strict=True)))

    def _outcome(self, facts: TokenFacts, *, added: int = 0, reclaimed: int = 0, note: str = "") -> TokenOutcome:
        tokens = self._tables.live_tokens(facts)
        return TokenOutcome(
            format=facts.format.name,
            verified=self._checked.verified if self._checked else 0,
            damaged=self._checked.damaged if self._checked else 0,
            added=added,
            documents=len(self._tables.labels(facts)),
            tokens=tokens,
            bytes=tokens * facts.width if facts.projection else 0,
            reclaimed=reclaimed,
            kept=self._kept,
            note=note,
        )


def _forecast(facts: TokenFacts, sampled: int, left: int, seconds: float) -> TokenForecast:
    share = left / max(sampled, 1)
    return TokenForecast(left, round(share * facts.tokens * facts.width), share * seconds)


def _other(facts: TokenFacts, served: EncoderIdentity | None) -> str:
    there = f"{served.model_id} ({served.digest[:12]})" if served else "no late-interaction reranker"
    return (
        f"the token vectors are of {facts.model_id} ({facts.reranker[:12]}), the server has {there}: documents that "
        "came since have none. --token-vectors makes them all for the server's reranker"
    )


def sampled_of_each(languages: int) -> int:
    """How many passages of each language the projection is fitted to, where there are so many."""
    return max(_LEAST_OF_A_LANGUAGE, SAMPLE // max(languages, 1))
