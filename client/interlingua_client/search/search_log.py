"""A log of searches, one JSON line each, for `interlingua monitor`.

    request, result | error -> facts (no text, no ids, unless asked) -> one line -> LogFile

A line has the fields of `SearchOptions` and of `SearchResult` under the same names, less the texts, and what a later
reader has to know: when it was, and which embedder and reranker answered. docs/monitoring.md lists the fields. A line
that cannot be written is counted, and said once: the search goes on.
"""

from __future__ import annotations

import json
import logging
import math
import threading
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from interlingua.base.errors import DeadlineExceededError, InputError, RequestRejectedError, ServerError
from interlingua_client.language_tag import normalize_tag
from interlingua_client.log_file import LogFile
from interlingua_client.search.second_stage import NO_RERANKER, NOT_ASKED, NOTHING_FOUND
from interlingua_client.triton.server_failures import ServerAwayError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from interlingua_client.search.results import Hit, QueryLanguage, SearchResult
    from interlingua_client.search.search_request import SearchRequest
    from interlingua_client.search.search_steps import Searcher
    from interlingua_client.triton.services import Services

FORMAT = 1

_DIGITS = 6
_MESSAGES = logging.getLogger(__name__)

# The first that fits names a failed search.
_ERRORS: tuple[tuple[type[Exception], str], ...] = (
    (DeadlineExceededError, "deadline"),
    (RequestRejectedError, "rejected"),
    (ServerAwayError, "away"),
    (ServerError, "server"),
    (Exception, "other"),
)
# A reason may quote a server's message, and that may quote anything: only its kind is written.
_REASONS = (
    ("", ""),
    (NOT_ASKED, "not asked"),
    (NO_RERANKER, "no reranker"),
    (NOTHING_FOUND, "no candidates"),
    ("the deadline left", "deadline"),
    ("reranking came too late", "deadline"),
    ("reranking failed", "failed"),
)
ERROR_KINDS = tuple(kind for _, kind in _ERRORS)
REASON_KINDS = (*dict.fromkeys(kind for _, kind in _REASONS), "other")


class Setting(NamedTuple):
    """What the scores of a search depend on, besides the query.

    Attributes:
        embedder, reranker: digests; None without a reranker.
        offsets: language offsets are removed.
    """

    embedder: str
    reranker: str | None
    offsets: bool

    @classmethod
    def of(cls, searcher: Searcher, services: Services) -> Setting:
        """The setting of the searches made now."""
        reranker = services.rerank
        digest = None if reranker is None else reranker.spec.digest
        return cls(searcher.index.manifest.embedder.digest, digest, searcher.index.has_offsets)


class SearchLog:
    """A file that searches are appended to; safe to use from several threads and by several processes.

    Attributes:
        written, lost: lines of this object that reached the file, and that did not.
    """

    def __init__(self, path: Path | str, *, include_text: bool = False) -> None:
        """Open or make the file.

        Args:
            include_text: write the query's text and the hits' ids and titles too; a new file is then made for its
                owner alone to read.

        Raises:
            InputError: the file cannot be written.
        """
        self.include_text = include_text
        self.written = self.lost = 0
        self._file = LogFile(Path(path), private=include_text)
        self._lock = threading.Lock()
        try:
            self._file.open()
        except OSError as error:
            raise InputError(f"cannot write the search log {path}: {error.strerror or error}") from error

    @classmethod
    def of(cls, log: SearchLog | Path | str | None, *, include_text: bool) -> SearchLog | None:
        """What the caller gave, opened; raises InputError where texts are wanted and there is no path to write to."""
        if isinstance(log, Path | str):
            return cls(log, include_text=include_text)
        if log is not None and not isinstance(log, cls):
            raise InputError(f"log is {log!r}, it must be a path or a SearchLog")
        if include_text:
            raise InputError("log_text needs a path in log; for a log of your own: SearchLog(path, include_text=True)")
        return log

    def close(self) -> None:
        """Let go of the file; a later line opens it again."""
        self._file.close()

    def found(self, setting: Setting, request: SearchRequest, result: SearchResult) -> None:
        """Write one search that was answered."""
        self._append(lambda: self._found(setting, request, result))

    def failed(self, setting: Setting, request: SearchRequest, searcher: Searcher, error: Exception) -> None:
        """Write one search that was not."""
        self._append(lambda: self._failed(setting, request, searcher, error))

    def _append(self, facts: Callable[[], dict[str, Any]]) -> None:
        # Whatever goes wrong here, nobody's search may fail for it.
        try:
            line = json.dumps(facts(), ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=dict)
            # Half of a surrogate pair becomes JSON's own escape for it.
            self._file.append(line.encode(errors="backslashreplace") + b"\n")
        except Exception as error:
            self._lose(error)
        else:
            with self._lock:
                self.written += 1

    def _lose(self, error: Exception) -> None:
        with self._lock:
            self.lost += 1
            first = self.lost == 1
        if first:
            reason = f"{type(error).__name__}: {error}"
            _MESSAGES.warning("the search log %s has lost a line (%s); said once", self._file.path, reason)

    def _found(self, setting: Setting, request: SearchRequest, result: SearchResult) -> dict[str, Any]:
        reranking = result.reranking
        return {
            **self._request(setting, request),
            "language": _language(result.language),
            "query_tokens": result.query_tokens,
            "query_truncated": result.query_truncated,
            "exact": result.exact,
            "vanished": result.vanished,
            "hits": [self._hit(hit) for hit in result.hits],
            "reranking": {
                "depth": reranking.depth,
                "wanted": reranking.wanted,
                "reason": reason_kind(reranking.reason),
                "weight": reranking.weight,
                "stored": reranking.stored,
            },
            "times": {name: _number(value) for name, value in vars(result.times).items()},
        }

    def _failed(self, setting: Setting, request: SearchRequest, searcher: Searcher, error: Exception) -> dict[str, Any]:
        # The detection went down with the search; made again, errors can be told apart by language.
        language = _language(searcher.language_of(request))
        return {**self._request(setting, request), "language": language, "error": error_kind(error)}

    def _request(self, setting: Setting, request: SearchRequest) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            **setting._asdict(),
            **{one.name: getattr(request.options, one.name) for one in fields(request.options)},
            "filter": self._filter(request),
            "pinned": request.pinned is not None,
            "languages": [normalize_tag(tag) for tag in request.options.languages],
            **({"query": request.query} if self.include_text else {}),
        }

    def _filter(self, request: SearchRequest) -> Any:
        """Tells that there was one; what it asks for is a text as the query is."""
        asked = request.options.filter
        return asked if asked is None or self.include_text else True

    def _hit(self, hit: Hit) -> dict[str, Any]:
        return {
            "language": hit.language,
            "score": _number(hit.score),
            "dense_score": _number(hit.dense_score),
            "dense_rank": hit.dense_rank,
            "rerank_score": _number(hit.rerank_score),
            **({"id": hit.id, "title": hit.title} if self.include_text else {}),
        }


@contextmanager
def noting(
    log: SearchLog | None, searcher: Searcher, services: Services, requests: Sequence[SearchRequest]
) -> Iterator[Callable[[SearchRequest, SearchResult], SearchResult]]:
    """Note each result that is passed on; after an error, all other requests of this block as failed.

    A caller's mistake (InputError) is no search, and is not noted.
    """
    if log is None:
        yield lambda _, result: result
        return
    setting, noted = Setting.of(searcher, services), 0

    def note(request: SearchRequest, result: SearchResult) -> SearchResult:
        nonlocal noted
        noted += 1
        log.found(setting, request, result)
        return result

    try:
        yield note
    except InputError:
        raise
    except Exception as error:
        for request in requests[noted:]:
            log.failed(setting, request, searcher, error)
        raise


def error_kind(error: Exception) -> str:
    """One of "deadline", "rejected", "away", "server" (anything else a server did) and "other"."""
    return next(kind for type_, kind in _ERRORS if isinstance(error, type_))


def reason_kind(reason: str) -> str:
    """Why reranking was not complete, without the message: "" where it was."""
    for beginning, kind in _REASONS:
        if reason.startswith(beginning) if beginning else not reason:
            return kind
    return "other"


def _language(language: QueryLanguage) -> dict[str, Any]:
    return {"tag": language.tag, "source": language.source, "confidence": _number(language.confidence)}


def _number(value: float | None) -> float | None:
    """Six digits are enough; JSON has nothing for what is not finite."""
    return round(float(value), _DIGITS) if value is not None and math.isfinite(value) else None
