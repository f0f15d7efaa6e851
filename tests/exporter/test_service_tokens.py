"""Tokens as published services with templates count them: by hand, and by the tokenizer on the whole text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua.repository.families import role_of
from interlingua.repository.published import Published
from interlingua.repository.service_tokens import ServiceTokens
from interlingua.served.late_interaction.sides import LateInteraction, SideRules
from interlingua.served.service import EMBED_DOCUMENT, ENCODE_DOCUMENT_TOKENS, RERANK
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


@pytest.fixture(scope="module")
def sides(models: Path) -> dict[str, ServiceTokens]:
    """Services that read a query behind `q:`, and a document of at most six tokens."""
    template = tokens_of(models, RERANK)
    interaction = LateInteraction(
        query=SideRules(max_tokens=MAX_TOKENS, prompt="q: "), document=SideRules(max_tokens=6)
    )
    spec = replace(template.spec, template="", interaction=interaction.to_text())
    return {name: replace(template, service=name, spec=spec) for name in (RERANK, ENCODE_DOCUMENT_TOKENS)}


def test_a_pair_of_sides_counts_both(sides: dict[str, ServiceTokens]) -> None:
    """<s> q: go </s> and <s> ba na na spli t </s>, before it is cut; a ninth of a request's rows is the query's."""
    pairs = [("go", "banana split"), ("go go go go go", "")]
    assert sides[RERANK].counts(pairs).tolist() == [4 + 7, 8 + 2]
    assert sides[RERANK].computed(pairs).tolist() == [7 + 1, 2 + 1]
    assert sides[ENCODE_DOCUMENT_TOKENS].counts(["banana split"]).tolist() == [7]
    assert sides[ENCODE_DOCUMENT_TOKENS].read_characters("banana split") == len("banana spli")


def test_pairs_of_sides_are_cut_side_by_side(sides: dict[str, ServiceTokens]) -> None:
    """Around a query stand three tokens of at most 12, around a document two of at most six."""
    lengths = sides[RERANK].pair_lengths(np.array([[1], [20]]), np.array([[1, 30]]))
    assert lengths.tolist() == [[4 + 3, 4 + 6], [12 + 3, 12 + 6]]
