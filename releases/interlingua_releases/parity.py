"""Whether a version answers through the server as its own network does in this process.

    parity texts --services of one server, all at once--> answers [n, D]
                 --tokenizer.json, network, here, one at a time--> reference [n, D]
    relative error of each, within the bound that the export's gate has for this precision

The files' digests were compared before: this is about everything between a text and a vector that is not in the
files, such as the tokenizer's library, truncation, prompts, padding, batches and the server's ONNX Runtime. The texts
also warm the services up, which measure the cost of a call before their first one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import ExportError
from interlingua.repository.text_encoder import Framed, TextEncoder
from interlingua.served.late_interaction.side_services import interaction_of
from interlingua.served.service import EMBED_QUERY, ENCODE_DOCUMENT_TOKENS, ENCODE_QUERY_TOKENS
from interlingua.served.token_vectors import max_sim
from interlingua_exporter.gate.answering import answering
from interlingua_exporter.gate.bounds import BOUNDS
from interlingua_exporter.gate.figures import relative_errors
from interlingua_exporter.gate.verify import open_published
from interlingua_exporter.texts.parity_texts import sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from interlingua.repository.published import PublishedVersion
    from interlingua.served.text.tokenizer import Text
    from interlingua_client.embedder import Role as EmbedRole
    from interlingua_client.triton.inference import InferenceClient
    from interlingua_server.model_control import ModelControl

_SENTENCES = 3  # of every language
_OVERLONG = 40  # sentences joined: more than most networks read


@dataclass(frozen=True)
class Parity:
    """What was compared.

    Attributes:
        texts: texts or pairs, on every server.
        worst: relative error (interlingua_exporter/gate/bounds.py, Bounds.error).
    """

    texts: int
    worst: float
    bound: float


def check_answers(servers: Sequence[ModelControl], found: PublishedVersion) -> Parity:
    """Compare every server with the version's own files.

    Raises:
        ExportError: an answer differs by more than the bound; names the text and the server.
        ServerError: a server is away, or refuses a text.
    """
    bound = BOUNDS[found.role, found.precision].error
    worst, count = 0.0, 0
    for name, texts in _texts(found).items():
        reference = _reference(found, name, texts)
        count += len(texts)
        for server in servers:
            answers = _answers(server.address, found, name, texts)
            errors = relative_errors(answers, reference, found.role)
            at = int(np.argmax(errors))
            if not errors[at] <= bound:  # a NaN is not within any bound
                raise ExportError(
                    f"{server.address} answers otherwise with {name}/{found.version} than its files do: relative error "
                    f"{errors[at]:.3g}, at most {bound:g}, for {_shown(texts[at])}. It was not promoted."
                )
            worst = max(worst, float(errors[at]))
    return Parity(count, worst, bound)


def _texts(found: PublishedVersion) -> dict[str, list[Text]]:
    """What each service is asked: sentences in every language, a scrap, and a text to truncate."""
    rows = sentences()[:_SENTENCES]
    every = [text for row in rows for text in row.values()]
    longest = " ".join((every * _OVERLONG)[:_OVERLONG])
    singles = [*every, every[0][:3], longest]
    if found.role == "embedder":
        return {name: list(singles) for name in found.family.services}
    question, *others = every
    pairs: list[Text] = [(question, text) for text in (*others, longest)]
    # Token vectors of both sides come to the pairs' scores, too.
    return {name: pairs for name in found.family.services if name != ENCODE_QUERY_TOKENS}


def _reference(found: PublishedVersion, name: str, texts: Sequence[Text]) -> NDArray[np.float64]:
    """Answers of the version's own files, one text at a time."""
    spec = found.specs[name]
    encoder = TextEncoder(
        found.tokenizer(name).read_bytes(),
        max_tokens=spec.max_tokens,
        pad_token_id=spec.pad_token_id,
        padding_side=spec.padding_side,
    )
    session, framed = open_published(found, threads=1), [Framed(text, spec.frame) for text in texts]
    asked = answering(encoder, framed, spec.inputs, interaction_of(spec), spec.empty_similarity)
    return np.concatenate([asked.answers(session.run, [sample]) for sample in range(len(texts))])


def _answers(address: str, found: PublishedVersion, name: str, texts: Sequence[Text]) -> NDArray[np.float64]:
    """The server's answers, through the client."""
    from interlingua_client.triton.inference import InferenceClient

    embedder = found.version if found.role == "embedder" else None
    reranker = found.version if found.role == "reranker" else None
    with InferenceClient.connect(address, patience_s=0, version=embedder, rerank_version=reranker) as client:
        return _asked(client, name, texts).astype(np.float64)


def _asked(client: InferenceClient, name: str, texts: Sequence[Text]) -> NDArray[np.float32]:
    singles = [text for text in texts if isinstance(text, str)]
    if singles:
        role: EmbedRole = "query" if name == EMBED_QUERY else "document"
        return client.embed(singles, role).vectors
    pairs = [text for text in texts if isinstance(text, tuple)]
    if name == ENCODE_DOCUMENT_TOKENS:
        return _compared(client, pairs[0][0], [document for _, document in pairs])
    return client.rerank(pairs[0][0], [document for _, document in pairs]).scores.reshape(-1, 1)


def _compared(client: InferenceClient, question: str, documents: Sequence[str]) -> NDArray[np.float32]:
    """The scores of both sides' token vectors, float32 [n, 1]."""
    (query,) = client.encode([question], "query").texts
    found = [text.vectors for text in client.encode(documents, "document").texts]
    empty = client.encoder.empty if client.encoder else 0.0
    return max_sim(query, np.concatenate(found), np.cumsum([0, *map(len, found)]), empty).reshape(-1, 1)


def _shown(text: Text) -> str:
    line = " | ".join(text) if isinstance(text, tuple) else text
    return repr(line if len(line) <= 60 else line[:57] + "...")
