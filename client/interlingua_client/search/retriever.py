"""Text in, ranked hits out: the blocking retriever."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from interlingua_client.deadline import Deadline
from interlingua_client.index.index_root import as_path
from interlingua_client.search.index_pair import IndexPair, InUse, Opened, Opening, close_pair
from interlingua_client.search.pinned_filter import pinned_to, require_pinned
from interlingua_client.search.search_log import SearchLog, noting
from interlingua_client.search.search_options import DEFAULT_OPTIONS, SearchChanges, SearchOptions, require_options
from interlingua_client.search.search_request import SearchRequest, require_queries
from interlingua_client.search.search_steps import Searcher
from interlingua_client.search.search_walk import SearchWalk, carried_out, first_answers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from interlingua_client.filtering.filter_tree import DocumentFilter
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
        self._pinned: DocumentFilter | None = None
        self._is_view = False

    @classmethod
    def open(
        cls,
        index_dir: Path | str,
        *,
        log: SearchLog | Path | str | None = None,
        log_text: bool = False,
        pinned: Mapping[str, Any] | None = None,
        **how: Unpack[Opened],
    ) -> Retriever:
        """Open an index and connect to a server.

        Args:
            log: a file that gets a line for every search (search_log.py), or a log that several retrievers share.
            log_text: write queries, ids, titles and filters into that file too.
            pinned: a filter that every document found has to meet, whatever a search asks for (docs/filters.md).
            how: `server` and more: the attributes of `Opening` (index_pair.py).

        Raises:
            InputError: there is no index, it was built with another embedder than the server's, the weight is
                outside 0 to 1, the log cannot be written, or `pinned` is no filter for this index.
            ServerError: the server is away, or does not serve what is needed.
        """
        opening = Opening(index_dir=as_path(index_dir), **how)
        pair = opening.open()
        retriever = cls(pair.searcher.index, pair.client)
        retriever._in_use, retriever._opening = InUse(pair, close_pair), opening
        try:
            retriever._log = SearchLog.of(log, include_text=log_text)
            retriever._pinned = pinned_to(retriever.index, pinned, None)
        except BaseException:
            retriever.close()
            raise
        return retriever

    def within(self, pinned: Mapping[str, Any]) -> Retriever:
        """This retriever for a part of the documents: every search with it finds what meets this filter, too.

        It shares index, connection and log, and is no more to be used once this one is closed; closing it closes
        nothing. The first filter of a generation reads every document's fields; then a view takes no time to make.

        Raises:
            InputError: it is no filter for this index, or asks for nothing.
        """
        view = copy.copy(self)
        with self._in_use.used() as (searcher, _, _):
            view._pinned, view._is_view = pinned_to(searcher.index, pinned, self._pinned), True
        return view

    def __enter__(self) -> Retriever:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the index, of the connection and of the log's file (which another search would open again)."""
        if self._is_view:
            return
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
            As `open`, where something was promoted, and InputError where no document has any more what is pinned; the
                retriever then goes on as it was.
        """
        if self._opening is not None and not self._is_current(self._opening):
            pair = self._opening.open()
            try:
                require_pinned(pair.searcher.index, self._pinned)
            except BaseException:
                close_pair(pair)
                raise
            self._in_use.replace(pair)
            return True
        return self._in_use.reread(lambda index: require_pinned(index, self._pinned))

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
            InputError: a query that is empty or no text, an option out of its bounds, a language or field that
                no document has.
            DeadlineExceededError: not even the query's vector came in time.
            ServerError: the server is away or refused the query.
        """
        request = SearchRequest(
            query, require_options(options).changed(in_place, changes), Deadline.within(deadline_s), self._pinned
        )
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
        requests = [SearchRequest(query, chosen, pinned=self._pinned) for query in queries]
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
