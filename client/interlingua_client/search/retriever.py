"""Text in, ranked hits out: the blocking retriever."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from interlingua_client.deadline import Deadline
from interlingua_client.index.index_root import as_path
from interlingua_client.search.index_pair import IndexPair, InUse, Opened, Opening, close_pair
from interlingua_client.search.search_log import SearchLog, noting
from interlingua_client.search.search_options import DEFAULT_OPTIONS, SearchChanges, SearchOptions, require_options
from interlingua_client.search.search_request import SearchRequest, require_queries
from interlingua_client.search.search_steps import Searcher
from interlingua_client.search.search_walk import SearchWalk, carried_out, first_answers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua_client.index.search_index import SearchIndex
    from interlingua_client.search.results import SearchResult
    from interlingua_client.triton.inference import InferenceClient


class Retriever:
    """An index and the server that embeds and reranks for it; a context manager, safe to use from threads.

    Where another index and embedder, or another reranker, are promoted (docs/versions.md), an open retriever goes on
    with its own until it is opened again or told to `refresh`.
    """

    def __init__(
        self,
        index: SearchIndex,
        client: InferenceClient,
        *,
        rerank_weight: float | None = None,
        log: SearchLog | None = None,
    ) -> None:
        """Use `open`, unless all is at hand; the retriever closes index and client."""
        self._log = log
        self._in_use = InUse(IndexPair(Searcher.of(index, client.services, rerank_weight), client), close_pair)
        self._opening: Opening | None = None

    @classmethod
    def open(
        cls,
        index_dir: Path | str,
        *,
        log: SearchLog | Path | str | None = None,
        log_text: bool = False,
        **how: Unpack[Opened],
    ) -> Retriever:
        """Open an index and connect to a server.

        Args:
            log: a file that gets a line for every search (search_log.py), or a log that several retrievers share.
            log_text: write queries, ids and titles into that file too.
            how: `server` and more: the attributes of `Opening` (index_pair.py).

        Raises:
            InputError: there is no index, it was built with another embedder than the server's, the weight is
                outside 0 to 1, or the log cannot be written.
            ServerError: the server is away, or does not serve what is needed.
        """
        opening = Opening(index_dir=as_path(index_dir), **how)
        pair = opening.open()
        retriever = cls(pair.searcher.index, pair.client)
        retriever._in_use, retriever._opening = InUse(pair, close_pair), opening
        try:
            retriever._log = SearchLog.of(log, include_text=log_text)
        except BaseException:
            retriever.close()
            raise
        return retriever

    def __enter__(self) -> Retriever:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the index, of the connection and of the log's file (which another search would open again)."""
        close_pair(self._in_use.pair)
        if self._log is not None:
            self._log.close()

    @property
    def _searcher(self) -> Searcher:
        return self._in_use.pair.searcher

    @property
    def note(self) -> str:
        """What a user should know of this server beside this index, "" where there is nothing (canary.py)."""
        return self._in_use.pair.note

    @property
    def index(self) -> SearchIndex:
        """The index as it was when opened, or at the last `refresh`."""
        return self._searcher.index

    def refresh(self) -> bool:
        """Take in what was committed, and the index and models promoted, since; whether there was anything.

        Searches that are running end undisturbed, with the index and the models they began with. A server that does not
        answer is asked again the next time.

        Raises:
            As `open`, where something was promoted; the retriever then goes on as it was.
        """
        if self._opening is not None and not self._is_current(self._opening):
            self._in_use.replace(self._opening.open())
            return True
        return self._in_use.reread()

    def _is_current(self, opening: Opening) -> bool:
        with self._in_use.used() as (searcher, client, _):
            return opening.is_current(searcher.index) and not client.is_outdated()

    def search(
        self,
        query: str,
        *in_place: Any,
        options: SearchOptions = DEFAULT_OPTIONS,
        deadline_s: float | None = None,
        **changes: Unpack[SearchChanges],
    ) -> SearchResult:
        """Find documents in any language.

        Args:
            in_place: k, candidates and languages, for those who do not name them.
            options: how to search (search_options.py); `changes` are some of its fields, as in k=5, rerank=False.
            deadline_s: seconds from now; reranking is cut to what fits, and left out when nothing does.

        Raises:
            InputError: a query that is empty or no text, an option out of its bounds, a language that no document has.
            DeadlineExceededError: not even the query's vector came in time.
            ServerError: the server is away or refused the query.
        """
        request = SearchRequest(query, require_options(options).changed(in_place, changes), Deadline.within(deadline_s))
        with (
            self._in_use.used() as (searcher, client, _),
            noting(self._log, searcher, client.services, [request]) as note,
        ):
            return note(request, carried_out(SearchWalk(searcher.steps(request)), client))

    def search_many(
        self,
        queries: Sequence[str],
        *in_place: Any,
        options: SearchOptions = DEFAULT_OPTIONS,
        **changes: Unpack[SearchChanges],
    ) -> list[SearchResult]:
        """`search` for many queries, embedded together; each result's embedding times are those of all."""
        chosen, queries = require_options(options).changed(in_place, changes), require_queries(queries)
        requests = [SearchRequest(query, chosen) for query in queries]
        with (
            self._in_use.used() as (searcher, client, _),
            noting(self._log, searcher, client.services, requests) as note,
        ):
            walks = [SearchWalk(searcher.steps(request)) for request in requests]
            found = []
            for request, walk, answer in zip(requests, walks, first_answers(walks, client), strict=True):
                walk.answered(answer)
                found.append(note(request, carried_out(walk, client)))
            return found
