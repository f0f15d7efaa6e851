"""Tokens as published services with templates count them: by hand, and by the tokenizer on the whole text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua.repository.families import role_of
from interlingua.repository.published import Published
from interlingua.repository.service_tokens import ServiceTokens
from interlingua.served.service import EMBED_DOCUMENT, RERANK
from interlingua_evaluation.languages.text_counts import (
    CountedText,
    PublishedTokens,
    count_documents,
    count_queries,
    pair_tokens,
)
from interlingua_loadtest.capacity.simulate.published_tokens import published_counts
from tests.support.language_models import MAX_BYTES, MAX_TOKENS, PROMPT, publish_models, syllables

DOCUMENT_TEMPLATE = "see {text} so"
PAIR_TEMPLATE = "q: {query} d: {document}"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("templated") / "models"
    return publish_models(root, document_template=DOCUMENT_TEMPLATE, pair_template=PAIR_TEMPLATE)


def tokens_of(models: Path, service: str) -> ServiceTokens:
    return ServiceTokens.of(Published.read(models).required(role_of(service)), service)


def test_a_template_counts(models: Path) -> None:
    """<s> se e d: ba na na spli t so </s>, and the same without the text's five."""
    documents = tokens_of(models, EMBED_DOCUMENT)
    assert documents.counts(["banana split", ""]).tolist() == [11, 6]
    assert documents.lengths(["banana split", ""]).tolist() == [5, 0]
    whole = DOCUMENT_TEMPLATE.replace("{text}", PROMPT + "to go, 打开")
    assert documents.counts(["to go, 打开"]).tolist() == [len(syllables().encode(whole))]


def test_a_template_counts_around_pairs(models: Path) -> None:
    """<s> q: go d: spli t </s>; the template alone is <s> q: d: </s>."""
    pairs = tokens_of(models, RERANK)
    assert pairs.counts([("go", "split")]).tolist() == [7]
    assert pairs.pair_lengths(np.array([0]), np.array([0])) == 4


def test_of_a_text_in_a_template_the_end_is_not_read(models: Path) -> None:
    """Six of 12 tokens are the template's: "ba na na" twice is what is read, and 11 + 6 is what there was."""
    documents, text = tokens_of(models, EMBED_DOCUMENT), "banana banana banana split"
    assert MAX_TOKENS == 12
    assert documents.counts([text]).tolist() == [17]
    assert documents.read_characters(text) == len("banana banana")
    assert documents.read_characters("banana") == len("banana")


def test_the_client_sends_the_beginning_of_a_document_and_all_of_a_query(models: Path) -> None:
    """200 bytes hold 66 Chinese characters, each a token."""
    assert MAX_BYTES == 200
    assert tokens_of(models, EMBED_DOCUMENT).counts(["字" * 100]).tolist() == [66 + 6]
    assert tokens_of(models, RERANK).counts([("字" * 100, "字" * 100)]).tolist() == [100 + 66 + 4]


def test_evaluation_and_load_test_count_alike(models: Path) -> None:
    """A pair is 1 + 2 tokens in a template of four."""
    tokens = PublishedTokens.of(Published.read(models))
    of_corpus = count_documents([CountedText("en", "", "banana split")], tokens)["en"]
    assert of_corpus.tokens == 11
    assert published_counts(Published.read(models), EMBED_DOCUMENT, {"en": ["banana split"]})["en"].tolist() == [11]
    queries = count_queries([CountedText("en", "", "go")], tokens)["en"]
    documents = count_documents([CountedText("en", "", "split")], tokens)["en"].pair_lengths
    assert tokens.reranking is not None
    assert pair_tokens(queries, documents, tokens.reranking) == 7
    assert published_counts(Published.read(models), RERANK, {"en": [("go", "split")]})["en"].tolist() == [7]


def test_what_is_not_published_is_said(tmp_path: Path) -> None:
    models = publish_models(tmp_path / "models", reranker=False)
    assert Published.read(models).newest("reranker") is None
    with pytest.raises(InputError, match=r"needs rerank, but .* has no such service"):
        published_counts(Published.read(models), RERANK, {"en": [("go", "split")]})
    config = models / EMBED_DOCUMENT / "config.pbtxt"
    config.write_text(config.read_text().replace("1/max_tokens", "1/other"))
    with pytest.raises(InputError, match=r"config.pbtxt: not as `interlingua export` writes it"):
        Published.read(models).newest("embedder")
