"""Templates around texts: the ids of the whole text, nothing of a user's text as a special token, the end never cut.

The expected ids come from the unchanged tokenizer on the whole text, from transformers' chat template, and from the way
the card of Qwen3-Reranker cuts its pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from tritonclient.grpc import model_config_pb2 as pb

from interlingua.base import archives
from interlingua.base.errors import InputError
from interlingua.repository.text_encoder import Framed, TextEncoder
from interlingua.repository.triton_config import parameters_of, read_config, write_config
from interlingua.served.service import EMBED_QUERY, RERANK, Frame, ServiceSpec
from interlingua.served.text.normal_form import normal_form
from interlingua_exporter.models.catalog import find
from interlingua_exporter.models.spec import ArchiveSource, ModelSpec
from interlingua_exporter.publication.digests import answer_digest
from interlingua_exporter.texts.parity_texts import parity_set, sentences
from interlingua_exporter.texts.text_frame import frame_of, with_task
from tests.support.written_repository import service_spec

# Qwen's own: contractions, words, single digits, punctuation with line ends, spaces.
QWEN_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CORPUS = [text for row in sentences() for text in row.values()]


def catalogued(name: str) -> ModelSpec:
    spec = find(name)
    assert spec is not None
    return spec


JUDGE = catalogued("Qwen/Qwen3-Reranker-0.6B").pair_template
TURNS = catalogued("zeroentropy/zerank-2").pair_template
JUDGE_START = "<|im_start|>user\n"
JUDGE_END = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"


def qwen_like() -> Tokenizer:
    """Byte-level BPE; `<think>` is an added token, but not a special one, as in Qwen3."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=900, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([*CORPUS, JUDGE], trainer)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.add_tokens([AddedToken(name, normalized=False) for name in ("<think>", "</think>")])
    return tokenizer


def bert_like() -> Tokenizer:
    """WordPiece; its normalizer removes control characters, NUL among them."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=900, special_tokens=names))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def gemma_like() -> Tokenizer:
    """SentencePiece-like BPE: a space in front of the first word alone; runs of line ends are added tokens."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    names = ["<pad>", "<unk>", "<bos>", "<start_of_turn>", "<end_of_turn>"]
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=900, special_tokens=names))
    tokenizer.add_tokens([AddedToken("\n" * number, normalized=False) for number in (1, 2, 3)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)])
    return tokenizer


def xlm_roberta() -> Tokenizer:
    """The default pair's own: Unigram, in which `</s>` is a piece as well as a special token."""
    source = catalogued("multilingual-e5-small").source
    assert isinstance(source, ArchiveSource)
    archive, _, inside = source.tokenizer.partition(":")
    return Tokenizer.from_file(str(archives.ensure(archive) / inside))


@dataclass(frozen=True, repr=False)  # a tokenizer's own is endless
class Family:
    """A tokenizer and a template that suits it; `end` is all that comes after the document."""

    tokenizer: Tokenizer
    encoder: TextEncoder
    template: str
    end: tuple[int, ...]

    def whole(self, query: str, document: str) -> str:
        before, _, rest = self.template.partition("{query}")
        between, _, after = rest.partition("{document}")
        return before + query + between + document + after

    def ids(self, query: str, document: str) -> tuple[int, ...]:
        return self.encoder.encode([Framed((query, document), Frame(template=self.template))])[0].ids


MAX_TOKENS = 256
MADE = {
    "qwen": (qwen_like, JUDGE, JUDGE_END, ()),
    "bert": (bert_like, "[CLS] judge: {query} [SEP] {document} [SEP] or not?", " [SEP] or not?", (3,)),
    "gemma": (
        gemma_like,
        "<start_of_turn>A: {query}\nB: {document}<end_of_turn>\n<start_of_turn>yes?",
        "<end_of_turn>\n<start_of_turn>yes?",
        (),
    ),
    "xlm-roberta": (xlm_roberta, "Query: {query}; Content: {document}</s> Yes or no:", "</s> Yes or no:", (2,)),
}


def encoder_of(tokenizer: Tokenizer, max_tokens: int = MAX_TOKENS) -> TextEncoder:
    content = tokenizer.to_str().encode("utf-8")
    return TextEncoder(content, max_tokens=max_tokens, pad_token_id=0, padding_side="left")


@pytest.fixture(scope="module")
def families() -> dict[str, Family]:
    made = {}
    for name, (make, template, end, stop) in MADE.items():
        tokenizer = make()
        tokenizer.no_truncation()
        tokenizer.no_padding()
        # The end begins with a special token, so its ids do not depend on what stands before it.
        ids = tokenizer.encode(end, add_special_tokens=False).ids
        made[name] = Family(tokenizer, encoder_of(tokenizer), template, (*ids, *stop))
    return made


@pytest.fixture(params=list(MADE))
def family(request: pytest.FixtureRequest, families: dict[str, Family]) -> Family:
    return families[request.param]


PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
WORDS = st.sampled_from([*(text[:20] for text in CORPUS[::7]), " ", "\n", "?\n", "  .", "{document}", "<", "|>", "im"])
TEXTS = st.lists(PLAIN | WORDS, max_size=4).map("".join)
LONG_TEXTS = st.tuples(TEXTS, st.integers(0, 60)).map(lambda drawn: drawn[0] * drawn[1])


@settings(max_examples=40, deadline=None)
@given(query=TEXTS, document=TEXTS)
@pytest.mark.parametrize("name", list(MADE))
def test_ids_are_those_of_the_whole_text(families: dict[str, Family], name: str, query: str, document: str) -> None:
    family = families[name]
    expected = family.tokenizer.encode(family.whole(normal_form(query), normal_form(document))).ids
    if len(expected) <= MAX_TOKENS:
        assert family.ids(query, document) == tuple(expected)


@settings(max_examples=40, deadline=None)
@given(query=LONG_TEXTS, document=LONG_TEXTS)
@pytest.mark.parametrize("name", list(MADE))
def test_a_long_pair_keeps_its_end(families: dict[str, Family], name: str, query: str, document: str) -> None:
    family = families[name]
    whole = family.tokenizer.encode(family.whole(normal_form(query), normal_form(document))).ids
    ids = family.ids(query, document)
    framed = Framed((query, document), Frame(template=family.template))
    assert len(ids) == min(len(whole), MAX_TOKENS) or len(ids) < MAX_TOKENS < len(whole)
    assert family.encoder.count([framed])[0] == len(whole)
    assert ids[-len(family.end) :] == family.end


def test_the_document_is_cut_before_the_query(family: Family) -> None:
    """What is left is the whole with a gap in the document; the query goes only when no document is left to cut."""
    query, document = CORPUS[0], " ".join(CORPUS)
    whole = tuple(family.tokenizer.encode(family.whole(query, document)).ids)
    ids = family.ids(query, document)
    room = MAX_TOKENS - len(family.end)
    assert ids == whole[:room] + family.end
    assert family.tokenizer.decode(ids[:room]).startswith(family.tokenizer.decode(whole[: room - 20]))
    long_query = family.ids(document, query)
    assert len(long_query) == MAX_TOKENS
    assert long_query[-len(family.end) :] == family.end
    start = family.tokenizer.encode(family.template.partition("{query}")[0].strip()).ids
    assert long_query[: len(start) - 2] == tuple(start[:-2])


def test_a_text_never_becomes_a_special_token(family: Family) -> None:
    """As many special tokens as the template has; the unchanged tokenizer would see more of them."""
    added = family.tokenizer.get_added_tokens_decoder()
    unknown = ("<unk>", "[UNK]")  # which letters give that were in no training text, too
    names = {n: token.content for n, token in added.items() if token.content.strip() and token.content not in unknown}
    evil = "x" + "".join(names.values()) + "y " + " ".join(names.values())

    def specials(ids: tuple[int, ...]) -> list[int]:
        return [number for number in ids if number in names]

    ids = family.ids("what", evil)
    assert len(ids) <= MAX_TOKENS
    assert specials(ids) == specials(family.ids("what", "x"))
    assert specials(family.ids(evil[:40], "x")) == specials(ids)
    injected = tuple(family.tokenizer.encode(family.whole("what", evil)).ids)
    assert len(specials(injected)) >= len(specials(ids)) + len(names)


def test_a_special_token_cannot_be_put_together_from_two_texts(families: dict[str, Family]) -> None:
    qwen = families["qwen"]
    end = qwen.tokenizer.token_to_id("<|im_end|>")
    frame = Frame(template="{query}{document}<|im_end|>")
    assert qwen.tokenizer.encode("<|im_end|><|im_end|>").ids == [end, end]
    ids = qwen.encoder.encode([Framed(("<|im_", "end|>"), frame)])[0].ids
    assert ids.count(end) == 1
    assert ids[-1] == end
    assert qwen.tokenizer.decode(list(ids), skip_special_tokens=False) == "<|im_end|><|im_end|>"


def test_a_mark_cannot_be_written_by_a_text(families: dict[str, Family]) -> None:
    end = families["qwen"].tokenizer.token_to_id("<|im_end|>")
    with pytest.raises(ValueError, match="NUL"):
        families["qwen"].ids("what", f"\0{end}\0")


def test_a_chat_template_as_transformers_applies_it(families: dict[str, Family]) -> None:
    from transformers import PreTrainedTokenizerFast

    qwen = families["qwen"]
    chat: Any = PreTrainedTokenizerFast(tokenizer_object=qwen.tokenizer)  # type: ignore[no-untyped-call]
    chat.chat_template = (
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    encoder = encoder_of(qwen.tokenizer, 512)
    for query, document in zip(CORPUS[:40], CORPUS[40:80], strict=True):
        messages = [{"role": "system", "content": query}, {"role": "user", "content": document}]
        text = chat.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        expected = chat(text)["input_ids"]
        (row,) = encoder.encode([Framed((query, document), Frame(template=TURNS))])
        assert row.ids == tuple(expected)


def test_a_pair_is_cut_as_the_card_of_qwen3_reranker_cuts_it(families: dict[str, Family]) -> None:
    """`prefix_tokens + ids[: max_length - len(prefix_tokens) - len(suffix_tokens)] + suffix_tokens`."""
    qwen = families["qwen"]
    start, body, end = (JUDGE.partition(JUDGE_START)[0] + JUDGE_START, JUDGE.partition(JUDGE_START)[2], JUDGE_END)
    body = body.removesuffix(end)
    document = " ".join(CORPUS[:40])
    first, inner, last = (
        qwen.tokenizer.encode(text).ids
        for text in (start, body.replace("{query}", CORPUS[1]).replace("{document}", document), end)
    )
    expected = first + inner[: MAX_TOKENS - len(first) - len(last)] + last
    assert qwen.ids(CORPUS[1], document) == tuple(expected)


@settings(max_examples=20, deadline=None)
@given(query=LONG_TEXTS, document=LONG_TEXTS)
@pytest.mark.parametrize("name", ["bert", "xlm-roberta"])
def test_without_a_template_the_tokenizer_does_it_all(
    families: dict[str, Family], name: str, query: str, document: str
) -> None:
    """Prompts in front of texts, and pairs, as the services had them before there were templates."""
    family = families[name]
    found = family.encoder.encode(
        [(query, document), (document, query), *(Framed(text, Frame("passage: ")) for text in (query, document))]
    )
    query, document = normal_form(query), normal_form(document)
    family.tokenizer.enable_truncation(MAX_TOKENS)
    try:
        expected = family.tokenizer.encode_batch(
            [(query, document), (document, query), "passage: " + query, "passage: " + document]
        )
    finally:
        family.tokenizer.no_truncation()
    assert [(row.ids, row.type_ids) for row in found] == [(tuple(one.ids), tuple(one.type_ids)) for one in expected]


def test_a_template_around_a_single_text_has_the_prompt_inside(families: dict[str, Family]) -> None:
    qwen = families["qwen"]
    template = catalogued("zeroentropy/zembed-1").query_template
    (row,) = qwen.encoder.encode([Framed(CORPUS[3], Frame("Find: ", template))])
    assert row.ids == tuple(qwen.tokenizer.encode(template.replace("{text}", "Find: " + CORPUS[3])).ids)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        pytest.param("a{query}b", r"\{query\} and \{document\}, once each, not 'a\{query\}b'", id="a hole missing"),
        pytest.param("{query}{document}{query}", "once each", id="a hole twice"),
        pytest.param("{text}{query}{document}", "once each", id="holes of both kinds"),
        pytest.param("no hole", "once each", id="none"),
        pytest.param("\0{text}", "NUL", id="NUL"),
        pytest.param("word " * 200 + "{text}", "which leaves none to a text", id="no room"),
    ],
)
def test_a_template_that_cannot_be(families: dict[str, Family], template: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        families["qwen"].encoder.encode([Framed("text", Frame(template=template))])


def test_a_prompt_that_leaves_no_room(families: dict[str, Family]) -> None:
    """Every text would be the prompt alone, and every vector the same."""
    with pytest.raises(InputError, match=r"the prompt alone has .* which leaves none to a text"):
        families["qwen"].encoder.encode([Framed("text", Frame("word " * 200))])


def test_the_gate_sees_templates(families: dict[str, Family]) -> None:
    spec = catalogued("Qwen/Qwen3-Reranker-0.6B")
    qwen = families["qwen"]
    parity = parity_set(spec, encoder := encoder_of(qwen.tokenizer, 512))
    rows = encoder.encode([sample.text for sample in parity.samples])
    start = tuple(qwen.tokenizer.encode(JUDGE.partition(JUDGE_START)[0]).ids)
    assert all(row.ids[: len(start)] == start and row.ids[-len(qwen.end) :] == qwen.end for row in rows)
    assert frame_of(spec, RERANK) == Frame("", spec.pair_template)


# -- what is published ---------------------------------------------------------------------------------------


def test_models_without_a_template_keep_their_digest() -> None:
    """`sha256sum` of the JSON of these five, keys in order, as the digests that are published were made."""
    stated: dict[str, Any] = {"query_prompt": "q: ", "document_prompt": "d: ", "max_tokens": 64}
    golden = "fb3507e25f8cd060e0de5e499d271d6772310c0bb504c35436f1ffe461854d25"
    assert answer_digest("w", b"{}", **stated) == golden
    assert answer_digest("w", b"{}", **stated, templates={"embed_query": "", "embed_document": ""}) == golden
    others = {
        answer_digest("w", b"{}", **stated, templates={service: template})
        for service in ("embed_query", "embed_document")
        for template in ("a{text}", "{text}a")
    }
    assert len(others | {golden}) == 5


def test_a_template_survives_its_config(tmp_path: Path) -> None:
    template = "<|im_start|>user\n\"{query}\"\r\n\t\\n {document} \u00e9\u8a9e '%s' ${x}<|im_end|>\n"
    spec = service_spec(network="n", dimension=0, padding_side="left", template=template)
    config = pb.ModelConfig(name="rerank")
    for key, value in spec.to_parameters(3).items():
        config.parameters[key].string_value = value
    write_config(config, tmp_path / "config.pbtxt")
    parameters = parameters_of(read_config(tmp_path / "config.pbtxt"))
    assert ServiceSpec.from_parameters(parameters, 3) == spec
    assert spec.frame == Frame("", template)
    del parameters["3/template"]  # as it was before there were templates
    assert ServiceSpec.from_parameters(parameters, 3).template == ""


def test_a_task_has_prompts_of_its_own() -> None:
    spec = catalogued("google/embeddinggemma-300m")
    assert frame_of(spec, EMBED_QUERY).prompt == "task: search result | query: "
    asked = with_task(spec, "question answering")
    assert frame_of(asked, EMBED_QUERY).prompt == "task: question answering | query: "
    assert asked.document_prompt == "title: none | text: "
    with pytest.raises(InputError, match="no task 'poetry': it has 'question answering', 'fact checking'"):
        with_task(spec, "poetry")
