"""A search taken step by step, by whoever reaches the network: in threads or on an event loop.

SearchSteps -> step --asked of a client--> answered | failed -> next step ... -> result
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import ServerError
from interlingua_client.search.search_request import Embed, EmbedAndEncode, Rerank
from interlingua_client.token_encoder import EncodedTexts, QuerySides

if TYPE_CHECKING:
    from interlingua_client.embedder import Embedded
    from interlingua_client.search.results import SearchResult
    from interlingua_client.search.search_request import SearchStep
    from interlingua_client.search.search_steps import SearchSteps
    from interlingua_client.triton.async_inference import AsyncInferenceClient
    from interlingua_client.triton.inference import InferenceClient


class SearchWalk:
    """One search.

    Attributes:
        step: to be carried out next; None when the result is there.
        result: of the search, once there is no step left.
    """

    step: SearchStep | None
    result: SearchResult

    def __init__(self, steps: SearchSteps) -> None:
        """Take the first step. Raises InputError: the request is not one that can be searched."""
        self._steps = steps
        self._take(lambda: next(steps))

    def ask(self, client: InferenceClient | AsyncInferenceClient) -> Any:
        """What a client answers to the step; of an asyncio client, to be awaited. Raises as the client."""
        if isinstance(self.step, Embed):
            return client.embed([self.step.query], "query", self.step.deadline)
        if isinstance(self.step, EmbedAndEncode):
            return client.query_sides(self.step.query, self.step.deadline)
        if isinstance(self.step, Rerank):
            return client.rerank(self.step.query, self.step.passages, self.step.deadline)
        raise AssertionError("the search is over")

    def answered(self, answer: object) -> None:
        """Go on with an answer: an Embedded, QuerySides, or a Reranked."""
        self._take(lambda: self._steps.send(answer))

    def failed(self, error: ServerError) -> None:
        """Go on without one. Raises ServerError: there is no way on."""
        self._take(lambda: self._steps.throw(error))

    def _take(self, go_on: Callable[[], SearchStep]) -> None:
        try:
            self.step = go_on()
        except StopIteration as end:
            self.step, self.result = None, end.value


def carried_out(walk: SearchWalk, client: InferenceClient) -> SearchResult:
    """The rest of a search, to its end. Raises InputError, ServerError: as `Retriever.search`."""
    while walk.step is not None:
        try:
            answer = walk.ask(client)
        except ServerError as error:
            walk.failed(error)
        else:
            walk.answered(answer)
    return walk.result


async def carried_out_async(walk: SearchWalk, client: AsyncInferenceClient) -> SearchResult:
    """Carries a search out as `carried_out` does."""
    while walk.step is not None:
        try:
            answer = await walk.ask(client)
        except ServerError as error:
            walk.failed(error)
        else:
            walk.answered(answer)
    return walk.result


def first_answers(walks: Sequence[SearchWalk], client: InferenceClient) -> list[Embedded | QuerySides]:
    """What the first steps of several searches are answered, all queries together: the two networks side by side.

    Raises:
        ServerError: the queries could not be embedded; where only their token vectors failed, the answers say so.
    """
    steps = [walk.step for walk in walks]
    queries = [step.query for step in steps if isinstance(step, Embed | EmbedAndEncode)]
    asking = {row: step.query for row, step in enumerate(steps) if isinstance(step, EmbedAndEncode)}
    beside = ThreadPoolExecutor(1)
    try:
        side = beside.submit(_encoded, asking, client) if asking else None
        embedded = client.embed(queries, "query")
        encoded = side.result() if side else {}
    finally:
        beside.shutdown(wait=False)
    rows = map(embedded.row, range(len(walks)))
    return [QuerySides(row, encoded[place]) if place in encoded else row for place, row in enumerate(rows)]


def _encoded(asking: Mapping[int, str], client: InferenceClient) -> dict[int, EncodedTexts | ServerError]:
    """The token vectors of these queries, or why there are none."""
    try:
        encoded = client.encode(list(asking.values()), "query")
    except ServerError as error:
        return dict.fromkeys(asking, error)
    return {row: EncodedTexts([text], encoded.times) for row, text in zip(asking, encoded.texts, strict=True)}
