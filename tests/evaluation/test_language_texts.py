"""Tokens, words and costs of texts, counted by hand on a tokenizer of syllables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from interlingua.base.errors import InputError
from interlingua.repository.published import Published
from interlingua.repository.service_tokens import ServiceTokens
from interlingua.served.service import RERANK
from interlingua_evaluation.languages.text_counts import (
    CountedText,
    PublishedTokens,
    count_documents,
    count_queries,
    pair_tokens,
)
from interlingua_evaluation.languages.text_figures import AgainstEnglish, TextFigures, text_figures
from interlingua_evaluation.languages.word_count import text_size
from tests.support.language_models import MAX_BYTES, MAX_TOKENS, PROMPT, publish_models


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> PublishedTokens:
    return PublishedTokens.of(Published.read(publish_models(tmp_path_factory.mktemp("languages") / "models")))


@pytest.fixture(scope="module")
def embedding(tokens: PublishedTokens) -> ServiceTokens:
    return tokens.embedding


@pytest.mark.parametrize(
    ("text", "words", "characters", "unspaced"),
    [
        pytest.param("Open the user's files.", 4, 17, 0, id="an apostrophe does not end a word"),  # 4+3+5+5
        pytest.param("Vas-y — l'eau : 3 Mo !", 4, 11, 0, id="lone marks are no words"),
        pytest.param("", 0, 0, 0, id="nothing"),
        pytest.param("打开 iPhone 的电源。", 3, 11, 5, id="Chinese with a Latin word"),
        pytest.param("ราคาเท่าไหร่", 1, 12, 12, id="Thai, its vowel marks included"),
        pytest.param("컴퓨터를 켜요", 2, 6, 0, id="Korean has spaces"),
        pytest.param("की", 1, 2, 0, id="an Indic vowel is a mark"),
    ],
)
def test_words_and_characters(text: str, words: int, characters: int, unspaced: int) -> None:
    assert text_size(text) == (words, characters, unspaced)


def test_tokens_by_hand(embedding: ServiceTokens) -> None:
    # <s> d: ba na na spli t </s>; without prompt and specials ba na na spli t
    assert embedding.spec.prompt == PROMPT
    assert embedding.counts(["banana split", "打开"]).tolist() == [8, 5]
    assert embedding.lengths(["banana split", "打开"]).tolist() == [5, 2]
    assert embedding.pair_lengths(np.array([0]), np.array([0])) == 3  # <s> query </s> document </s>


def test_what_the_network_reads_of_a_long_text_by_hand(embedding: ServiceTokens) -> None:
    # Of 12 tokens <s>, d: and </s> are taken: nine are left, and "ba na na" three times is 20 characters.
    text = "banana banana banana banana split"
    assert embedding.counts([text]).tolist() == [3 + 12 + 2]
    assert embedding.read_characters(text) == len("banana banana banana")


def test_counting_agrees_with_the_text_backends_rule(embedding: ServiceTokens) -> None:
    # As a service does it: encode prompt + text, and again with truncation if that is
    # too long.
    texts = ["a", *("banana split " * number for number in range(1, 9))]
    backend = Tokenizer.from_file(str(embedding.file))
    backend.no_padding()
    whole = [backend.encode(PROMPT + text) for text in texts]
    backend.enable_truncation(MAX_TOKENS)
    read = [backend.encode(PROMPT + text) for text in texts]
    assert embedding.counts(texts).tolist() == [len(encoding) for encoding in whole]
    for text, encoding in zip(texts, read, strict=True):
        assert len(encoding) == min(embedding.counts([text])[0], MAX_TOKENS)
        last_end = encoding.offsets[-2][1]  # before </s>
        assert embedding.read_characters(text) == last_end - len(PROMPT)


def test_of_a_text_with_too_many_bytes_the_client_sends_the_beginning(tokens: PublishedTokens) -> None:
    text = "字" * 100  # 300 bytes; 200 hold 66 characters
    counts = count_documents([CountedText("zh", "", text)], tokens)["zh"]
    assert counts.tokens == 66 + 3
    assert counts.truncated == 1
    assert counts.unread == 100 - (MAX_TOKENS - 3)
    assert MAX_BYTES == 200


def test_pairs_are_counted_as_the_reranker_reads_them(tokens: PublishedTokens) -> None:
    assert tokens.reranking is not None
    queries, documents = ["banana", "to go"], ["split", "banana banana", "see no evil at all"]
    asked = count_queries([CountedText("en", "", text) for text in queries], tokens)["en"]
    found = count_documents([CountedText("en", "", text) for text in documents], tokens)["en"].pair_lengths
    backend = Tokenizer.from_file(str(tokens.reranking.file))
    backend.enable_truncation(tokens.reranking.spec.max_tokens)
    expected = np.mean([len(backend.encode(query, document)) for query in queries for document in documents])
    assert pair_tokens(asked, found, tokens.reranking) == pytest.approx(expected)


ENGLISH = [CountedText("en", f"g{number}", "banana split") for number in range(10)]  # 5 tokens, 2 words


def figures(tokens: PublishedTokens, *documents: CountedText) -> dict[str, TextFigures]:
    queries = [CountedText("en", "", "go"), CountedText("sw", "", "habari")]  # 1 token; 3 tokens
    counted = count_documents(documents, tokens)
    return text_figures(counted, count_queries(queries, tokens), tokens.reranking)


def test_fertility_and_costs_by_hand(tokens: PublishedTokens) -> None:
    # Swahili, ten translations "ha ba ri ya ko": 5 tokens, 2 words, and one text of its own, "ndi zi": 2 tokens.
    swahili = [CountedText("sw", f"g{number}", "habari yako") for number in range(10)] + [
        CountedText("sw", "other", "ndizi")
    ]
    found = figures(tokens, *ENGLISH, *swahili)
    english, other = found["en"], found["sw"]
    assert (english.documents, english.unit, english.tokens_per_unit) == (10, "word", 2.5)
    assert (english.against_english, english.embedding_cost, english.reranking_cost) == (None, 1.0, 1.0)
    assert english.mean_tokens == english.embedding_tokens == 8.0  # <s> d: and </s> with the five
    assert other.tokens_per_unit == pytest.approx(52 / 21)
    assert other.against_english == AgainstEnglish(1.0, "translations", 10)
    assert other.embedding_cost == pytest.approx((10 * 8 + 5) / 11 / 8)
    # go (1) + 5 + 3 specials = 9; habari (3) + 5 + 3 = 11, ten times, and 3 + 2 + 3 = 8
    assert english.pair_tokens == 9.0
    assert other.pair_tokens == pytest.approx(118 / 11)
    assert other.reranking_cost == pytest.approx(118 / 11 / 9)


def test_a_cut_off_text_costs_what_is_read(tokens: PublishedTokens) -> None:
    long = CountedText("sw", "", "banana banana banana banana split")  # 17 tokens, 33 characters, 20 of which are read
    found = figures(tokens, *ENGLISH, long, CountedText("sw", "", "banana"))["sw"]
    assert (found.truncated, found.truncated_share) == (1, 0.5)
    assert found.unread_share == pytest.approx(13 / (33 + 6))
    assert found.mean_tokens == (17 + 6) / 2
    assert found.embedding_tokens == (MAX_TOKENS + 6) / 2


def test_with_too_few_translations_words_are_compared(tokens: PublishedTokens) -> None:
    # Nine shared groups: 2.5 tokens a word in both, whatever the texts say.
    swahili = [CountedText("sw", f"g{number}", "ba") for number in range(9)]  # 1 token, 1 word
    assert figures(tokens, *ENGLISH, *swahili)["sw"].against_english == AgainstEnglish(1 / 2.5, "words", 9)


def test_several_documents_of_a_group_are_averaged(tokens: PublishedTokens) -> None:
    # Each group has "ba" and "banana" in Swahili: (1 + 3) / 2 against 5
    swahili = [CountedText("sw", f"g{number}", text) for number in range(10) for text in ("ba", "banana")]
    assert figures(tokens, *ENGLISH, *swahili)["sw"].against_english == AgainstEnglish(2 / 5, "translations", 10)


def test_a_script_without_spaces_is_counted_in_characters(tokens: PublishedTokens) -> None:
    chinese = [CountedText("zh", "", "打开 iPhone")]  # 打 开 i Pho ne: 5 tokens; 8 characters, 2 of them Chinese
    assert figures(tokens, *ENGLISH, *chinese)["zh"].unit == "word"
    chinese = [
        CountedText("zh", "", "请打开电源 Mac")
    ]  # 请 打 开 电 源 Ma c: 7 tokens; 8 characters, 5 of them Chinese
    found = figures(tokens, *ENGLISH, *chinese)["zh"]
    assert (found.unit, found.tokens_per_unit) == ("character", 7 / 8)
    assert found.against_english is None  # no translations, and no words


def test_without_english_there_is_nothing_to_compare_with(tokens: PublishedTokens) -> None:
    found = figures(tokens, CountedText("sw", "", "habari"))["sw"]
    assert (found.against_english, found.embedding_cost, found.reranking_cost) == (None, None, None)
    assert found.pair_tokens == 3 + 3 + 3


def test_a_variant_of_english_is_english(tokens: PublishedTokens) -> None:
    assert (
        figures(tokens, CountedText("en-GB", "", "banana"), CountedText("sw", "", "ba"))["sw"].embedding_cost == 4 / 6
    )


def test_without_a_reranker_there_is_no_pair(tmp_path: Path) -> None:
    alone = PublishedTokens.of(Published.read(publish_models(tmp_path / "models", reranker=False)))
    assert alone.reranking is None
    found = figures(alone, *ENGLISH)["en"]
    assert (found.pair_tokens, found.reranking_cost, found.embedding_cost) == (None, None, 1.0)


def test_a_broken_tokenizer_is_said(tmp_path: Path) -> None:
    models = Published.read(publish_models(tmp_path / "models"))
    found = ServiceTokens.of(models.required("reranker"), RERANK)
    found.file.write_text("no tokenizer")
    with pytest.raises(InputError, match="export the model again"):
        found.counts(["a"])
