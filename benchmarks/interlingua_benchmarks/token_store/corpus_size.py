"""Tokens that an index would keep of a corpus, without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from interlingua.base.errors import InputError
from interlingua.repository.service_tokens import ServiceTokens
from interlingua.served.service import ENCODE_DOCUMENT_TOKENS

if TYPE_CHECKING:
    from interlingua.repository.published import PublishedVersion
    from interlingua_client.corpus import Corpus


def stored_tokens(corpus: Corpus, reranker: PublishedVersion) -> npt.NDArray[np.int64]:
    """At most so many tokens of each document, int64 [documents]: what a skiplist leaves out is counted.

    Raises:
        InputError: the reranker is no late-interaction model, the corpus has no documents, or a bad line that is not
            to be skipped.
    """
    if ENCODE_DOCUMENT_TOKENS not in reranker.specs:
        raise InputError(f"{reranker.name} is no late-interaction model: there is nothing to store")
    service = ServiceTokens.of(reranker, ENCODE_DOCUMENT_TOKENS)
    passages = [document.passage for document in corpus]
    if not passages:
        raise InputError(f"{corpus.source} has no documents")
    around = int(service.counts([""])[0])
    return np.minimum(service.counts(passages), service.spec.max_tokens) - around
