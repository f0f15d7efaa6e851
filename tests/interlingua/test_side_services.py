"""Late interaction without Triton: what a service computes of a batch, and its answers, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from interlingua.served.late_interaction.side_services import ServiceTexts, service_texts
from interlingua.served.late_interaction.sides import LateInteraction, SideRules, Weighting
from interlingua.served.service import ENCODE_DOCUMENT_TOKENS, ENCODE_QUERY_TOKENS, RERANK, ServiceSpec
from interlingua.served.text.sealed import SealedTokenizers
from interlingua.served.text.text_request import TextRequest
from interlingua.served.text.tokenizer import Row
from interlingua.served.token_vectors import unpacked

START, END = 0, 1
WORDS = ["<s>", "</s>", "q:", "a", "b", "c", ","]
SETTINGS = LateInteraction(
    query=SideRules(max_tokens=4, part="query", separator_id=END, skipped_ids=(START, END)),
    document=SideRules(max_tokens=5, part="document", separator_id=END, skipped_ids=(START, END, 6)),
    weighting="importance",
    scale=10.0,
)
# Of each id: a vector of unit length, and its importance.
TABLE = np.array(
    [[1, 0, 9], [1, 0, 9], [1, 0, 9], [1, 0, 1], [0, 1, 3], [0.6, 0.8, 2], [1, 0, 5]],
    np.float32,
)


def tokenizer_json() -> str:
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token=WORDS[5]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(["<s>", "</s>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", START), ("</s>", END)]
    )
    text: str = tokenizer.to_str()
    return text


def service(name: str, settings: LateInteraction | str = SETTINGS, empty: float = -1.0) -> ServiceTexts:
    spec = ServiceSpec(
        network="reranker",
        network_inputs="input_ids,attention_mask",
        model_id="tiny",
        revision="",
        precision="fp32",
        digest="0",
        dimension=2,
        prompt="",
        max_tokens=4,
        max_batch_tokens=64,
        max_text_bytes=100,
        pad_token_id=0,
        padding_side="right",
        interaction=settings if isinstance(settings, str) else settings.to_text(),
        empty_similarity=empty,
    )
    return service_texts(
        name, ServiceSpec.from_parameters(spec.to_parameters(3), 3), SealedTokenizers(tokenizer_json().encode())
    )


def network(rows: list[Row]) -> np.ndarray:
    """What the network gives: padding is anything."""
    output = np.full((len(rows), max(map(len, rows)), 3), 7, np.float32)
    for row, values in zip(rows, output, strict=True):
        values[: len(row)] = TABLE[list(row.ids)]
    return output


def answers(asked: ServiceTexts, *requests: TextRequest) -> list[np.ndarray]:
    batch = asked.texts(requests)
    rows = [text.row for text in batch]
    return [asked.answer(request, asked.read(rows, network(rows))) for request in requests]


@pytest.mark.parametrize(
    "text",
    ["[]", '{"query": {}}', "{", SETTINGS.to_text().replace("prompt", "promt")],
    ids=["a list", "half", "no JSON", "a misspelt key"],
)
def test_settings_that_are_none_are_said_when_loading(text: str) -> None:
    with pytest.raises(ValueError, match="no late-interaction model's"):
        service(RERANK, text)


def test_parameters_of_other_services_do_not_speak_of_interaction() -> None:
    parameters = {f"1/{name}": "1" for name in ("dimension", "max_tokens", "max_batch_tokens", "max_text_bytes")}
    parameters |= {f"1/{name}": "" for name in ("network", "network_inputs", "model_id", "revision", "precision")}
    parameters |= {"1/digest": "", "1/prompt": "", "1/padding_side": "", "1/pad_token_id": "0"}
    spec = ServiceSpec.from_parameters(parameters, 1)
    assert (spec.interaction, spec.empty_similarity) == ("", -1.0)
    assert not [name for name in spec.to_parameters(1) if "interaction" in name or "empty" in name]


def test_a_query_weighs_its_content_tokens_by_their_importance() -> None:
    (answer,) = answers(service(ENCODE_QUERY_TOKENS), TextRequest(texts=["a b"]))
    text = unpacked(answer[0, 0])
    np.testing.assert_allclose(text.weights, [10 * 1 / 4, 10 * 3 / 4])
    np.testing.assert_array_equal(text.vectors, [[1, 0], [0, 1]])


@pytest.mark.parametrize(("weighting", "weights"), [("sum", [2, 2]), ("mean", [1, 1])], ids=str)
def test_models_without_importance_weigh_alike(weighting: Weighting, weights: list[float]) -> None:
    settings = replace(SETTINGS, weighting=weighting, scale=2.0)
    (answer,) = answers(service(ENCODE_QUERY_TOKENS, settings), TextRequest(texts=["a b"]))
    text = unpacked(answer[0, 0])
    assert text.weights.tolist() == weights
    assert text.vectors.shape == (2, 3)  # all that the network gives is vector


def test_a_document_is_its_counted_tokens_with_weights_of_one() -> None:
    one, two = answers(service(ENCODE_DOCUMENT_TOKENS), TextRequest(texts=["a , b"]), TextRequest(texts=["c", ", ,"]))
    texts = [unpacked(wire) for wire in (*one[:, 0], *two[:, 0])]
    assert [text.vectors.shape for text in texts] == [(2, 2), (1, 2), (0, 2)]
    assert texts[0].weights.tolist() == [1, 1]


def test_a_request_computes_its_query_once_and_each_document_once() -> None:
    asked = service(RERANK)
    first = TextRequest(texts=[("a b", "c"), ("a b", "a"), ("a b", "c"), ("a", "c")])
    second = TextRequest(texts=[("a b", "c")])
    batch = asked.texts([first, second])
    assert [(text.row.ids[1:-1], text.request is first) for text in batch] == [
        ((3, 4), True),
        ((5,), True),
        ((3,), True),
        ((3,), True),
        ((3, 4), False),
        ((5,), False),
    ]
    assert (first.tokens, second.tokens) == ([7, 7, 7, 6], [7])


def test_scores_are_those_of_the_pairs_by_hand() -> None:
    """a at cosine 0.6 weighs 1/4, b at 0.8 weighs 3/4; `,` does not count, and without a row there is -1 for each."""
    first = TextRequest(texts=[("a b", "c"), ("a b", "a b"), ("a", "c"), ("a b", ", ,")])
    second = TextRequest(texts=[("b", "a , b c")])
    one, two = answers(service(RERANK), first, second)
    np.testing.assert_allclose(one[:, 0], [10 * (0.6 / 4 + 0.8 * 3 / 4), 10, 6, -10], rtol=1e-6)
    np.testing.assert_allclose(two[:, 0], [10])
    (one,) = answers(service(RERANK, empty=-1e9), TextRequest(texts=[("a b", ",")]))
    np.testing.assert_allclose(one[:, 0], [-1e10])


def test_texts_that_are_cut_are_counted() -> None:
    request = TextRequest(texts=[("a b c", "a b c a"), ("a b c", "a")])
    service(RERANK).texts([request])
    assert (request.truncated, request.tokens) == (2, [11, 8])


def test_what_is_no_row_of_a_side_is_no_vector() -> None:
    """The calls that measure what the network costs."""
    asked = service(ENCODE_QUERY_TOKENS)
    (text,) = asked.texts([TextRequest(texts=["a"])])
    longer = text.repeated(5)
    assert len(longer) == 5
    assert len(unpacked(asked.read([longer], network([longer]))[0, 0]).weights) == 0


def test_a_tokenizer_that_does_not_go_with_the_settings_is_said_when_loading() -> None:
    with pytest.raises(ValueError, match="which leaves it none"):
        service(ENCODE_QUERY_TOKENS, replace(SETTINGS, query=replace(SETTINGS.query, max_tokens=2)))
