"""Token vectors for the documents of an index that have none.

    facts in the store, no projection yet --> a sample is encoded --> projection, file, the sample's rows
    documents without rows --encode, project, quantize--> rows behind the file's last --> named in one transaction
    more of the file belongs to nobody than is worth keeping --> what is alive into another file

Killed at any moment it has lost nothing that was committed: the next run encodes what has no rows.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import ServerError
from interlingua_client.index.token_store.projection import TokenProjection
from interlingua_client.index.token_store.quantization import NO_TOKENS
from interlingua_client.index.token_store.reclaiming import reclaim
from interlingua_client.index.token_store.token_file import (
    TokenFile,
    TokenFileError,
    TokenSpan,
    make_token_file,
    remove_token_files,
    write_rows,
)
from interlingua_client.index.token_store.token_outcome import TokenForecast, TokenOutcome
from interlingua_client.index.token_store.token_tables import TokenFacts, TokenTables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from interlingua.served.token_vectors import TokenVectors
    from interlingua_client.embedder import FloatArray
    from interlingua_client.index.document_store import DocumentStore
    from interlingua_client.token_encoder import EncoderIdentity, TokenEncoder

SAMPLE = 512  # documents; held in memory until the projection is fitted: 100 MB where they are long
# Share of the tokens' squared length that a new projection has to keep beyond the old one.
WORTH_A_REFIT = 0.01

_LEAST_OF_A_LANGUAGE = 8


class TokenIndexing:
    """One run over one index; the caller holds the writer's lock."""

    def __init__(self, store: DocumentStore, encoder: TokenEncoder, batch: int, *, refit: bool = False) -> None:
        """With `refit` the projection is fitted anew; all rows are made again if the old one is clearly worse."""
        self._refit = refit
        self._store, self._tables = store, TokenTables(store)
        self._encoder, self._batch = encoder, batch
        self._kept: float | None = None

    def missing(self) -> int:
        """How many documents are to be encoded; 0 where the index wants no token vectors."""
        return len(self._tables.missing()) if self._tables.facts() else 0

    def run(
        self,
        announce: Callable[[TokenForecast], None] = lambda _: None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> TokenOutcome:
        """Encode what has no rows, write them, give space back.

        Args:
            announce: told what it will take, before most of it is done.
            advance: told of every document that was encoded.

        Raises:
            ServerError: the server went away for too long, or gave vectors that are none.
            TokenFileError: the disk does not take them.
        """
        facts = self._tables.facts()
        if facts is None:
            return TokenOutcome(format=NO_TOKENS)
        served = self._encoder.encoder
        if served is None or served.digest != facts.reranker:
            return self._outcome(facts, note=_other(facts, served))
        if facts.file and not self._is_whole(facts):
            facts = self._begun(facts, None)
        missing, started = self._tables.missing(), time.monotonic()
        if self._refit or (facts.projection is None and missing):
            sample = dict(self._each_encoded(self._sample(), advance))
            facts = self._fitted(facts, sample)
            missing = self._tables.missing()
            new = {label: text for label, text in sample.items() if label in set(missing)}
            facts = self._write(facts, list(new), list(new.values()))
            left = [label for label in missing if label not in new]
            announce(_forecast(facts, len(sample), len(left), time.monotonic() - started))
        else:
            left = missing
        for labels, encoded in self._encoded(left):
            facts = self._write(facts, labels, encoded)
            advance(len(labels))
        remove_token_files(self._store.directory, facts.file)
        reclaimed = reclaim(self._tables, facts)
        return self._outcome(self._tables.facts() or facts, added=len(missing), reclaimed=reclaimed)

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
        return self._begun(facts, fitted)

    def _begun(self, facts: TokenFacts, projection: TokenProjection | None) -> TokenFacts:
        """With a new file, or none yet, and no rows."""
        facts = replace(facts, projection=projection, file="", tokens=0)
        if projection is not None:
            facts = replace(facts, file=make_token_file(self._store.directory, facts.width))
        self._tables.begin(facts)
        return facts

    def _each_encoded(
        self, labels: Sequence[int], advance: Callable[[int], None]
    ) -> Iterator[tuple[int, TokenVectors]]:
        for chunk, encoded in self._encoded(labels):
            yield from zip(chunk, encoded, strict=True)
            advance(len(chunk))

    def _sample(self) -> list[int]:
        """Documents of all languages alike, the same on every run."""
        languages = self._store.labels_by_language()
        each = max(_LEAST_OF_A_LANGUAGE, SAMPLE // max(len(languages), 1))
        return sorted(label for language in languages for label in self._store.stand_in_sample(language, each)[1])

    def _encoded(self, labels: Sequence[int]) -> Iterator[tuple[list[int], list[TokenVectors]]]:
        """The token vectors of the documents, some at a time, as they arrive."""
        pending: deque[list[int]] = deque()

        def batches() -> Iterator[list[str]]:
            for start in range(0, len(labels), self._batch):
                found = self._store.documents(labels[start : start + self._batch])
                pending.append(list(found))
                yield [document.passage for document in found.values()]

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
        places = np.cumsum([facts.tokens, *(len(text.vectors) for text in encoded)]).tolist()
        spans = {
            label: TokenSpan(start, end - start)
            for label, start, end in zip(labels, places[:-1], places[1:], strict=True)
        }
        vectors = np.concatenate([np.empty((0, facts.dimension), np.float32), *(text.vectors for text in encoded)])
        rows = facts.format.quantized(facts.projection.document(vectors))
        write_rows(self._store.directory / facts.file, facts.tokens, rows)
        return self._tables.add(facts, spans)

    def _is_whole(self, facts: TokenFacts) -> bool:
        try:
            TokenFile(self._store.directory / facts.file, facts.width, facts.tokens)
        except TokenFileError:
            return False
        return True

    def _outcome(self, facts: TokenFacts, *, added: int = 0, reclaimed: int = 0, note: str = "") -> TokenOutcome:
        tokens = self._tables.live_tokens()
        return TokenOutcome(
            format=facts.format.name,
            added=added,
            documents=len(self._tables.labels()),
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
