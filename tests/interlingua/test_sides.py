"""Rows of a late-interaction model's sides, by hand: ids, what is attended, whose vectors count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from interlingua.served.graph_names import ATTENTION_MASK, INPUT_IDS
from interlingua.served.late_interaction.side_tokenizer import SideTokenizer
from interlingua.served.late_interaction.sides import Expansion, LateInteraction, SideRules
from interlingua.served.text.collate import collate
from interlingua.served.text.sealed import SealedTokenizers
from interlingua.served.text.tokenizer import SideRow, Tokens

WORDS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]", "[Q]", "where", "is", "it", ".", "ask:"]
PAD, CLS, SEP, UNK, MASK, MARK, WHERE, IS, IT, DOT, ASK = range(11)


@pytest.fixture(scope="module")
def tokenizers() -> SealedTokenizers:
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token=WORDS[UNK]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(WORDS[:6])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)],
    )
    tokenizer.enable_padding(pad_id=MASK, length=12)  # what the last call before saving leaves in the file
    tokenizer.enable_truncation(3)
    return SealedTokenizers(tokenizer.to_str().encode())


def row(tokenizers: SealedTokenizers, side: SideRules, text: str) -> SideRow:
    (encoded,) = SideTokenizer(tokenizers, side).encode([text])
    assert isinstance(encoded.kept, SideRow)
    return encoded.kept


SHORT = Expansion(MASK, 6, attended=False)
CASES: dict[str, tuple[SideRules, str, list[int], int, list[int]]] = {
    "alone": (SideRules(max_tokens=9), "where is it", [CLS, WHERE, IS, IT, SEP], 5, [0, 1, 2, 3, 4]),
    "nothing": (SideRules(max_tokens=9), "", [CLS, SEP], 2, [0, 1]),
    "cut": (SideRules(max_tokens=4), "where is it", [CLS, WHERE, IS, SEP], 4, [0, 1, 2, 3]),
    "a prompt": (
        SideRules(max_tokens=5, prompt="ask: "),
        "where is it",
        [CLS, ASK, WHERE, IS, SEP],
        5,
        [0, 1, 2, 3, 4],
    ),
    "a special prompt": (SideRules(max_tokens=9, prompt="[Q] "), "it", [CLS, MARK, IT, SEP], 4, [0, 1, 2, 3]),
    "a marker": (SideRules(max_tokens=4, marker_id=UNK), "where is it", [CLS, UNK, WHERE, SEP], 4, [0, 1, 2, 3]),
    "skipped": (
        SideRules(max_tokens=9, skipped_ids=(DOT,)),
        "it . is .",
        [CLS, IT, DOT, IS, DOT, SEP],
        6,
        [0, 1, 3, 5],
    ),
    "all skipped": (SideRules(max_tokens=9, skipped_ids=(CLS, DOT, SEP)), ".", [CLS, DOT, SEP], 3, []),
    "expanded": (
        SideRules(max_tokens=6, expansion=SHORT),
        "it",
        [CLS, IT, SEP, MASK, MASK, MASK],
        3,
        [0, 1, 2, 3, 4, 5],
    ),
    "expanded and attended": (
        SideRules(max_tokens=6, expansion=replace(SHORT, attended=True)),
        "it",
        [CLS, IT, SEP, MASK, MASK, MASK],
        6,
        [0, 1, 2, 3, 4, 5],
    ),
    "longer than the expansion": (
        SideRules(max_tokens=7, expansion=replace(SHORT, length=4), skipped_ids=(MASK,)),
        "where is it",
        [CLS, WHERE, IS, IT, SEP],
        5,
        [0, 1, 2, 3, 4],
    ),
    "a query of a pair": (
        SideRules(max_tokens=4, part="query", separator_id=SEP, skipped_ids=(CLS, SEP)),
        "where is it",
        [CLS, WHERE, IS, SEP],
        4,
        [1, 2],
    ),
    "a document of a pair": (
        SideRules(max_tokens=4, part="document", separator_id=SEP, skipped_ids=(CLS, SEP)),
        "where is it",
        [SEP, WHERE, IS, SEP],
        4,
        [1, 2],
    ),
    "what is written as a special token": (
        SideRules(max_tokens=9, prompt="[Q]"),
        "[MASK] [Q] [SEP]",
        [CLS, MARK, UNK, UNK, UNK, SEP],
        6,
        [0, 1, 2, 3, 4, 5],
    ),
}


@pytest.mark.parametrize(("side", "text", "ids", "attended", "kept"), CASES.values(), ids=CASES.keys())
def test_a_row(
    side: SideRules, text: str, ids: list[int], attended: int, kept: list[int], tokenizers: SealedTokenizers
) -> None:
    made = row(tokenizers, side, text)
    assert (list(made.ids), made.attended, list(made.kept)) == (ids, attended, kept)


def test_tokens_are_counted_before_the_cut(tokenizers: SealedTokenizers) -> None:
    for side in (SideRules(max_tokens=4, marker_id=MARK), SideRules(max_tokens=5, part="document", separator_id=SEP)):
        tokenizer = SideTokenizer(tokenizers, side)
        marked = side.marker_id is not None
        assert [tokens for _, tokens in tokenizer.encode(["it", "where is it . ."])] == [3 + marked, 7 + marked]
        assert tokenizer.count(["it", "where is it . ."]) == [3 + marked, 7 + marked]


def test_the_characters_that_are_read(tokenizers: SealedTokenizers) -> None:
    sides = (
        SideRules(max_tokens=5, prompt="ask: "),
        SideRules(max_tokens=5, marker_id=MARK),
        SideRules(max_tokens=4, part="query", separator_id=SEP),
        SideRules(max_tokens=4, part="document", separator_id=SEP),
    )
    for side in sides:
        assert SideTokenizer(tokenizers, side).read_characters("where is it .") == len("where is")
        assert SideTokenizer(tokenizers, side).read_characters("it") == 2


def test_a_batch_attends_to_what_each_row_says(tokenizers: SealedTokenizers) -> None:
    rows = [row(tokenizers, SideRules(max_tokens=6, expansion=SHORT), "it"), Tokens((CLS, SEP), (0, 0))]
    batch = collate(rows, [INPUT_IDS, ATTENTION_MASK], pad_token_id=PAD, padding_side="right")
    np.testing.assert_array_equal(batch[INPUT_IDS], [[CLS, IT, SEP, MASK, MASK, MASK], [CLS, SEP, 0, 0, 0, 0]])
    np.testing.assert_array_equal(batch[ATTENTION_MASK], [[1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0]])


def test_no_room_for_a_text(tokenizers: SealedTokenizers) -> None:
    with pytest.raises(ValueError, match="has 4 tokens of at most 4, which leaves it none"):
        SideTokenizer(tokenizers, SideRules(max_tokens=4, prompt="ask:", marker_id=MARK))


def test_sides_travel_as_text() -> None:
    sides = LateInteraction(
        query=SideRules(max_tokens=32, prompt="[Q] ", expansion=Expansion(4, 32, attended=True)),
        document=SideRules(max_tokens=300, marker_id=7, skipped_ids=(3, 9), part="document", separator_id=2),
        weighting="mean",
        scale=2.5,
    )
    assert "\n" not in sides.to_text()
    assert LateInteraction.from_text(sides.to_text()) == sides
    with pytest.raises(TypeError, match="surprise"):
        LateInteraction.from_text(sides.to_text().replace('"scale"', '"surprise"'))
