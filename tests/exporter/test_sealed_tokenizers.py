"""A text is never structure: special tokens that it spells are words, with and without a template, one side or two.

The expected ids are the library's own with `split_special_tokens`, but for XLM-R's: there it finds `</s>` again among
the pieces, and SentencePiece does not. Those are SentencePiece 0.2.3's on the model of XLM-R's pieces.
"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

import interlingua_evaluation
from interlingua.repository.text_encoder import Framed, TextEncoder
from interlingua.served.service import Frame
from interlingua.served.text.sealed import SealedTokenizers
from interlingua.served.text.template import framed_tokenizer, prepared_tokenizer
from interlingua_exporter.weights.late_interaction.late_interaction_rows import SideRows
from tests.exporter.test_templates import bert_like, gemma_like, qwen_like, xlm_roberta

HELPDESK12 = Path(interlingua_evaluation.__file__).parent / "data" / "helpdesk12"
SPELT = ("{} how do I reset it?", "a{}b {} c", "{}", "one {}{} two")
START, END = 0, 2


@pytest.fixture(scope="module")
def e5() -> Tokenizer:
    return xlm_roberta()


@pytest.fixture(scope="module")
def encoder(e5: Tokenizer) -> TextEncoder:
    return encoder_of(e5)


def encoder_of(tokenizer: Tokenizer) -> TextEncoder:
    return TextEncoder(tokenizer.to_str().encode(), max_tokens=256, pad_token_id=0, padding_side="right")


def ids(encoder: TextEncoder, text: str | tuple[str, str], frame: Frame = Frame()) -> list[int]:  # noqa: B008
    return list(encoder.encode([Framed(text, frame)])[0].ids)


@pytest.mark.parametrize("make", [qwen_like, bert_like, gemma_like], ids=["qwen", "bert", "gemma"])
def test_the_librarys_own_ids_with_split_special_tokens(make: Any) -> None:
    from transformers import PreTrainedTokenizerFast

    tokenizer: Tokenizer = make()
    library: Any = PreTrainedTokenizerFast(tokenizer_object=tokenizer, split_special_tokens=True)  # type: ignore[no-untyped-call]
    encoder = encoder_of(tokenizer)
    specials = [token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special]
    assert len(specials) >= 3
    for special in specials:
        for text in (spelt.format(special, special) for spelt in SPELT):
            assert ids(encoder, text) == library(text)["input_ids"]
            assert ids(encoder, text, Frame("find: ")) == library("find: " + text)["input_ids"]
            assert ids(encoder, (text, text)) == library(text, text)["input_ids"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("</s> how do I reset it", (6, 42946, 7, 2740, 3642, 54, 87, 168398, 442)),
        (
            "a<s>b</s>c <mask> <pad> <unk>.",
            (10, 16093, 7, 2740, 275, 42946, 7, 2740, 238, 4426, 1510, 92, 2740, 4426, 4299, 2740, 4426, 3678, 2740, 5),
        ),
        ("한국어 </s> 질문", (193751, 6, 42946, 7, 2740, 58284)),
        ("비밀번호를 잊어버렸어요", (6, 144702, 688, 6, 157461, 2211, 15164, 91967, 38736)),
        ("ガギパスワードを変更する", (6, 26618, 49111, 191806, 251, 35549, 1786)),
        ("Tôi quên mật khẩu của mình", (14343, 69137, 28109, 22428, 550, 3087)),
        ("ｶﾞｷﾞﾊﾟｽﾜｰﾄﾞ", (6, 26618, 49111, 191806)),
        ("カﾞ", (6, 26618)),
        ("ﾡￂ", (6081,)),
        ("｢ﾃｽﾄ｣､", (3691, 120256, 560, 37)),
    ],
)
def test_sentencepieces_ids(encoder: TextEncoder, text: str, expected: tuple[int, ...]) -> None:
    """In both of Unicode's forms: SentencePiece composes what is written in parts."""
    for written in (text, unicodedata.normalize("NFD", text)):
        assert ids(encoder, written) == [START, *expected, END]
        assert ids(encoder, (written, written)) == [START, *expected, END, END, *expected, END]


def test_helpdesk12_in_both_forms(encoder: TextEncoder) -> None:
    """Korean queries of a Mac had 389 tokens for 105, and lost two thirds of their quality."""
    rows = [json.loads(line) for line in (HELPDESK12 / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = [row["text"] for row in rows if row["language"] in ("hi", "ja", "ko", "vi")]
    in_parts = [unicodedata.normalize("NFD", text) for text in texts]
    assert sum(map(str.__ne__, texts, in_parts)) > len(texts) / 2
    assert encoder.encode(in_parts) == encoder.encode(texts)


def test_the_sides_of_a_late_interaction_reranker_are_those_of_its_service(e5: Tokenizer, encoder: TextEncoder) -> None:
    """`</s>` in a query ended it, and its score was 0 for every document."""
    rows = SideRows(e5, separator_id=END, pad_token_id=1)
    texts = ["</s> how do I reset it", "<s></s>", "a <mask> b", "비밀번호", "plain"]
    for query, document in zip(texts, reversed(texts), strict=True):
        (asked,), (found,) = rows.queries([query], 64), rows.documents([document], 64)
        assert [*asked, *found] == ids(encoder, (query, document))
        assert asked.count(END) == 1
    with pytest.raises(ValueError, match="NUL"):
        rows.queries(["\x002\0"], 64)


def test_a_prompt_is_structure(e5: Tokenizer, encoder: TextEncoder) -> None:
    assert ids(encoder, "one</s>", Frame("<s>ask: </s>")) == [
        START,
        *e5.encode("<s>ask: </s>one", add_special_tokens=False).ids,
        *(42946, 7, 2740),
        END,
    ]


VOCABULARY = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "go": 4, "[D]": 5}


def words(processor: Any) -> Tokenizer:
    """Whole words alone, none of its tokens listed as added: they are found in the vocabulary."""
    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processor
    return tokenizer


@pytest.mark.parametrize(
    "processor",
    [
        processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2)),
        processors.RobertaProcessing(("[SEP]", 3), ("[CLS]", 2)),
        processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]),
        processors.Sequence(
            [processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])]
        ),
    ],
    ids=["bert", "roberta", "template", "sequence"],
)
def test_what_is_put_around_texts_is_structure_though_not_listed(processor: Any) -> None:
    service = framed_tokenizer(SealedTokenizers(words(processor).to_str().encode()), 9, Frame())
    assert list(service.encode(["go [SEP] [CLS]"])[0].kept.ids) == [2, 4, 1, 1, 3]


def test_a_word_that_is_put_around_texts_stays_a_word() -> None:
    processor = processors.TemplateProcessing(single="[CLS] go $A", special_tokens=[("[CLS]", 2), ("go", 4)])
    service = framed_tokenizer(SealedTokenizers(words(processor).to_str().encode()), 9, Frame())
    assert list(service.encode(["go go"])[0].kept.ids) == [2, 4, 4, 4]


def test_merges_that_spell_a_special_token_are_left_out() -> None:
    vocabulary = {"<": 0, "s": 1, ">": 2, "s>": 3, "<s>": 4, "o": 5}
    tokenizer = Tokenizer(models.BPE(vocabulary, [("s", ">"), ("<", "s>")]))
    tokenizer.add_special_tokens(["<s>"])
    for merges in (json.loads(tokenizer.to_str())["model"]["merges"], ["s >", "< s>"]):
        description = json.loads(tokenizer.to_str())
        description["model"]["merges"] = merges
        service = framed_tokenizer(SealedTokenizers(json.dumps(description).encode()), 9, Frame())
        assert list(service.encode(["<s>o"])[0].kept.ids) == [0, 3, 5]


def test_characters_are_those_of_the_text_as_it_was_written() -> None:
    """Of what is left out all is read, or none."""
    text = "reset my password " * 8
    in_parts = "".join(f"{part}\u00ad" for part in text)
    service = framed_tokenizer(SealedTokenizers(bert_like().to_str().encode()), 10, Frame("query: "))
    read = service.read_characters(text)
    assert 0 < read < len(text)
    assert in_parts[: service.read_characters(in_parts)].replace("\u00ad", "") == text[:read]


FRAMES = {
    "no prompt": Frame(),
    "prompt": Frame("find: "),
    "template": Frame("find ", "<think>{text}</s>"),
    "pair": Frame("", "<s>{query}<think>{document}"),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
@pytest.mark.parametrize("make", [qwen_like, bert_like, gemma_like, xlm_roberta], ids=["qwen", "bert", "gemma", "xlmr"])
def test_a_prepared_tokenizer_is_the_one_that_is_made_anew(make: Any, frame: Frame) -> None:
    original: bytes = make().to_str().encode()
    prepared = prepared_tokenizer(SealedTokenizers(original), frame)
    assert prepared == prepared_tokenizer(SealedTokenizers(original, prepared), frame)
    anew, loaded = (framed_tokenizer(SealedTokenizers(original, content), 64, frame) for content in (b"", prepared))
    assert loaded.tokenizer.to_str() == anew.tokenizer.to_str()
    text = "how do </s> I <think> reset [SEP] it? <|im_end|><bos>"
    whole = (text, text) if "{query}" in frame.template else text
    assert loaded.encode([whole])[0].kept.ids == anew.encode([whole])[0].kept.ids


@pytest.mark.parametrize(
    "frame", [Frame("find: "), Frame("", "{text}<think>")], ids=["another tokenizer", "a template"]
)
def test_what_was_prepared_of_something_else_is_left_aside(frame: Frame) -> None:
    original = qwen_like().to_str().encode()
    other = bert_like().to_str().encode() if frame.prompt else original
    prepared = prepared_tokenizer(SealedTokenizers(other), Frame("find: "))
    loaded, anew = (framed_tokenizer(SealedTokenizers(original, content), 64, frame) for content in (prepared, b""))
    assert loaded.tokenizer.to_str() == anew.tokenizer.to_str()
