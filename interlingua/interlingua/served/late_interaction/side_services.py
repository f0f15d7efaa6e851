"""What a service makes of its requests' texts, and of what the network gives: whole texts or pairs, or sides.

    requests --texts--> BatchTexts --calls to the network, each through `read`--> values --answer--> a request's own

A pair is one row for a cross-encoder. For late interaction it is two rows, and a request's query and each document of
its have one, however many pairs they are in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from interlingua.served.late_interaction.side_tokenizer import SideTokenizer
from interlingua.served.late_interaction.side_vectors import document_vectors, query_vectors
from interlingua.served.late_interaction.sides import LateInteraction, SideRules
from interlingua.served.service import ENCODE_QUERY_TOKENS, RERANK
from interlingua.served.text.batch_texts import batch_encoded, batch_texts, count_tokens
from interlingua.served.text.template import framed_tokenizer, prepared_tokenizer
from interlingua.served.text.tokenizer import SideRow
from interlingua.served.token_vectors import TokenVectors, max_sim, packed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from interlingua.served.service import Frame, ServiceSpec
    from interlingua.served.text.batch_texts import BatchText
    from interlingua.served.text.sealed import SealedTokenizers
    from interlingua.served.text.text_request import TextRequest
    from interlingua.served.text.tokenizer import Encoded, Row, TextTokenizer

    Values = npt.NDArray[np.float32] | npt.NDArray[np.object_]
    Floats = npt.NDArray[np.float32]
    _Side = tuple[str, bool]


class ServiceTexts(Protocol):
    """The part of a service that is not the same for all."""

    def texts(self, requests: Sequence[TextRequest]) -> list[BatchText]:
        """What is to be computed; requests that cannot be read have failed."""
        ...

    def count(self, requests: Sequence[TextRequest]) -> None:
        """Count the texts' own tokens; requests that cannot be read have failed."""
        ...

    def read(self, rows: Sequence[Row], output: Floats) -> Values:
        """What the network gave for some rows, [rows, D]."""
        ...

    def answer(self, request: TextRequest, values: Values) -> Values:
        """A request's answers [texts, D], or [pairs, 1], of the whole batch's values."""
        ...


def service_texts(service: str, spec: ServiceSpec, tokenizers: SealedTokenizers) -> ServiceTexts:
    """What a service of this name does. Raises ValueError: the tokenizer or the settings cannot be used."""
    interaction = interaction_of(spec)
    if interaction is None:
        return WholeTexts(framed_tokenizer(tokenizers, spec.max_tokens, spec.frame))
    if service == RERANK:
        return PairedSides(tokenizers, interaction, spec.empty_similarity)
    return OneSide(tokenizers, interaction, is_query=service == ENCODE_QUERY_TOKENS)


def prepared_for(
    service: str, frame: Frame, interaction: LateInteraction | None, tokenizers: SealedTokenizers
) -> bytes:
    """What is written beside a service's tokenizer.json (text/sealed.py). Raises ValueError as `service_texts`."""
    if interaction is None:
        return prepared_tokenizer(tokenizers, frame)
    return tokenizers.prepared([sides_of(service, interaction)[-1].prompt])


def sides_of(service: str, interaction: LateInteraction) -> tuple[SideRules, ...]:
    """The sides that a service reads of its texts, or pairs."""
    if service == RERANK:
        return interaction.query, interaction.document
    return (interaction.query,) if service == ENCODE_QUERY_TOKENS else (interaction.document,)


def interaction_of(spec: ServiceSpec) -> LateInteraction | None:
    """How a late-interaction service reads its sides, None of another. Raises ValueError: it is not said."""
    if not spec.interaction:
        return None
    try:
        return LateInteraction.from_text(spec.interaction)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"interaction is {spec.interaction!r:.60}, no late-interaction model's ({error!r})") from error


class WholeTexts:
    """Texts or pairs that are a row each."""

    def __init__(self, tokenizer: TextTokenizer) -> None:
        self._tokenizer = tokenizer

    def texts(self, requests: Sequence[TextRequest]) -> list[BatchText]:
        return batch_texts(requests, self._tokenizer)

    def count(self, requests: Sequence[TextRequest]) -> None:
        count_tokens(requests, self._tokenizer.count_own)

    def read(self, rows: Sequence[Row], output: Floats) -> Values:  # noqa: ARG002
        return np.array(output, dtype=np.float32)

    def answer(self, request: TextRequest, values: Values) -> Values:
        return values[request.first : request.first + len(request.tokens)]


class OneSide(WholeTexts):
    """Texts of one side, answered with their token vectors in the wire form."""

    def __init__(self, tokenizers: SealedTokenizers, interaction: LateInteraction, *, is_query: bool) -> None:
        super().__init__(SideTokenizer(tokenizers, interaction.query if is_query else interaction.document))
        self._interaction, self._is_query = interaction, is_query

    def read(self, rows: Sequence[Row], output: Floats) -> Values:
        return _column([packed(self._vectors(kept)) for kept in _kept(rows, output)])

    def _vectors(self, kept: Floats) -> TokenVectors:
        if self._is_query:
            return query_vectors(kept, self._interaction)
        vectors = document_vectors(kept, self._interaction)
        return TokenVectors(vectors, np.ones(len(vectors), np.float32))


class PairedSides:
    """Pairs, answered with their scores; a side that several pairs of a request have is computed once."""

    def __init__(self, tokenizers: SealedTokenizers, interaction: LateInteraction, empty: float) -> None:
        """`empty`: what each maximum counts as where a document has no row."""
        self._interaction, self._empty = interaction, empty
        self._tokenizers = {
            True: SideTokenizer(tokenizers, interaction.query),
            False: SideTokenizer(tokenizers, interaction.document),
        }

    def texts(self, requests: Sequence[TextRequest]) -> list[BatchText]:
        sides = [self._sides(request) for request in requests]
        texts = batch_encoded(requests, sides, self._encode)
        for request in requests:
            if request.error is None:
                tokens = request.tokens
                request.tokens = [tokens[query] + tokens[document] for query, document in request.pairs]
        return texts

    def count(self, requests: Sequence[TextRequest]) -> None:
        count_tokens(requests, self._tokenizers[True].count_own)  # the sides share their tokenizer

    @staticmethod
    def _sides(request: TextRequest) -> list[_Side]:
        """Each text of a request once, and whether it is a query; notes where a pair's two are."""
        pairs = [((text[0], True), (text[1], False)) for text in request.texts if isinstance(text, tuple)]
        places = {side: place for place, side in enumerate(dict.fromkeys(side for pair in pairs for side in pair))}
        request.pairs = [(places[query], places[document]) for query, document in pairs]
        return list(places)

    def _encode(self, sides: list[_Side]) -> list[Encoded]:
        encoded = {
            is_query: iter(tokenizer.encode([text for text, of_query in sides if of_query == is_query]))
            for is_query, tokenizer in self._tokenizers.items()
        }
        return [next(encoded[is_query]) for _, is_query in sides]

    def read(self, rows: Sequence[Row], output: Floats) -> Values:
        return _column(_kept(rows, output))

    def answer(self, request: TextRequest, values: Values) -> Values:
        sides = values[request.first :, 0]
        scores = np.empty((len(request.pairs), 1), np.float32)
        queries, documents = np.array(request.pairs).T
        for query in np.unique(queries):
            chosen = np.flatnonzero(queries == query)
            found = [document_vectors(sides[place], self._interaction) for place in documents[chosen]]
            starts = np.cumsum([0, *map(len, found)])
            asked = query_vectors(sides[query], self._interaction)
            scores[chosen, 0] = max_sim(asked, np.concatenate(found), starts, self._empty)
        return scores


def _kept(rows: Sequence[Row], output: Floats) -> list[Floats]:
    """What the network gave, float32 [rows, L, width], at the places that count; none where a row has no such places.

    Those are the rows of the calls that measure what a call costs.
    """
    return [
        values[list(row.kept) if isinstance(row, SideRow) else []]
        for row, values in zip(rows, output)  # noqa: B905 - a row each
    ]


def _column(items: Sequence[object]) -> Values:
    """Objects as [n, 1], whatever numpy would make of them."""
    column = np.empty((len(items), 1), dtype=object)
    for place, item in enumerate(items):
        column[place, 0] = item
    return column
