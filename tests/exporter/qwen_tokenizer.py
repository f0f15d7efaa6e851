"""Qwen's tokenizer, from the table of merges that Alibaba's own client carries.

qwen.tiktoken (token, rank) --byte-level BPE, NFC, Qwen's split, its special tokens--> tokenizer.json
                            --`reference`: merges by hand, none of that library--> ids
"""

from __future__ import annotations

import base64
import unicodedata
from itertools import pairwise
from typing import Any

import regex
from tokenizers.pre_tokenizers import ByteLevel

from interlingua.base.archives import Archive, ensure_archive
from interlingua.base.paths import cache_dir

ARCHIVE = Archive(
    project="dashscope",
    version="2.0.2",
    sha256="0602d1800f7433bdb7953560986eaf5146454ed3988636c0a91963ba24e74258",
    members=("dashscope/resources/qwen.tiktoken",),
    max_unpacked_bytes=5_000_000,
    licence="Apache-2.0",
)
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
END_OF_TEXT = 151643
# In the order of their ids, from END_OF_TEXT on; from `<tool_call>` on they are tokens of their own, but no specials.
NAMES = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>"),
    *("<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>"),
    *("<|image_pad|>", "<|video_pad|>", "<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>"),
    *("<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>", "<tool_response>", "</tool_response>"),
    *("<think>", "</think>"),
)
ADDED = {name: END_OF_TEXT + place for place, name in enumerate(NAMES)}
SPECIALS = NAMES[: NAMES.index("<tool_call>")]

Ranks = dict[bytes, int]


def ranks() -> Ranks:
    """Every token's bytes and its id, which is also the order of the merges."""
    path = ensure_archive(ARCHIVE, cache_dir() / "archives") / ARCHIVE.members[0]
    rows = (line.split() for line in path.read_bytes().splitlines())
    return {base64.b64decode(token): int(rank) for token, rank in rows}


def merged(piece: bytes, table: Ranks, below: int | None = None) -> list[bytes]:
    """A piece after all merges, or after those of a rank below one, the lowest first."""
    parts = [piece[place : place + 1] for place in range(len(piece))]
    while True:
        found = [(table[a + b], place) for place, (a, b) in enumerate(pairwise(parts)) if a + b in table]
        rank, place = min(found, default=(-1, -1))
        if place < 0 or (below is not None and rank >= below):
            return parts
        parts[place : place + 2] = [parts[place] + parts[place + 1]]


def reference(text: str, table: Ranks) -> list[int]:
    """The ids of a text with special tokens written in it."""
    ids: list[int] = []
    for part in regex.split("(" + "|".join(map(regex.escape, NAMES)) + ")", text):
        if part in ADDED:
            ids.append(ADDED[part])
            continue
        for piece in regex.findall(SPLIT, unicodedata.normalize("NFC", part)):
            ids += [table[token] for token in merged(piece.encode(), table)]
    return ids


def tokenizer_json(table: Ranks) -> bytes:
    """As the Hub has it, with nothing after a text."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

    letters = _letters()

    def shown(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    merges = [tuple(map(shown, merged(token, table, rank))) for token, rank in table.items() if len(token) > 1]
    vocabulary = {shown(token): rank for token, rank in table.items()}
    made: Any = Tokenizer(models.BPE(vocabulary, [pair for pair in merges if len(pair) == 2]))
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(SPLIT), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    made.add_tokens([AddedToken(name, normalized=False, special=name in SPECIALS) for name in NAMES])
    content: bytes = made.to_str().encode()
    return content


def with_end_of_text(content: bytes) -> bytes:
    """The tokenizer that ends every text with `<|endoftext|>`."""
    from tokenizers import Tokenizer, processors

    made: Any = Tokenizer.from_str(content.decode())
    made.post_processor = processors.TemplateProcessing(
        single=f"$A {NAMES[0]}", special_tokens=[(NAMES[0], END_OF_TEXT)]
    )
    ended: bytes = made.to_str().encode()
    return ended


def _letters() -> dict[int, str]:
    """GPT-2's letter for each byte: printable ones stand for themselves, the others come after U+0100."""
    printable = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + place) for place, byte in enumerate(hidden)}
