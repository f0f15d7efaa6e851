"""Names for a template's special tokens that no text can write.

tokenizer.json, template --marks_of--> {"<|im_end|>": mark} --renamed--> tokenizer.json;  template --marked--> template

A user's text must not become part of a template's structure. So the tokenizer of a template has its special tokens
renamed to marks that begin and end with NUL, which services refuse in texts, and the template alone is written with
them: `<|im_end|>` in a text is a word like any other. The library's own `encode_special_tokens` is not enough: a
Unigram model has `</s>` among its pieces and finds it again, and Qwen3's `<think>` is added, but not special.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class AddedToken(TypedDict):
    """An entry of `added_tokens`, as far as it matters here; tokenizer.json has more, which stays."""

    id: int
    content: str
    special: bool
    normalized: bool


class TokenModel(TypedDict, total=False):
    """The vocabulary of a tokenizer: ids by piece, or pieces with their scores."""

    vocab: dict[str, int] | list[list[str | float]]
    unk_token: str | None


class TokenizerJson(TypedDict, total=False):
    """A tokenizer.json, as far as it matters here."""

    added_tokens: list[AddedToken]
    model: TokenModel
    truncation: None
    padding: None


def marks_of(description: TokenizerJson, fixed: Sequence[str]) -> dict[str, str]:
    """Content of each token that texts must not make -> its mark.

    Those are the special ones, and what else of the added tokens the template writes. Blank ones are words: Gemma has
    a token for each number of line ends.

    Args:
        description: a tokenizer.json.
        fixed: the template's parts between texts.
    """
    return {
        token["content"]: f"\0{token['id']}\0"
        for token in description["added_tokens"]
        if token["special"] or (token["content"].strip() and any(token["content"] in part for part in fixed))
    }


def renamed(description: TokenizerJson, marks: Mapping[str, str]) -> TokenizerJson:
    """The tokenizer with marks for names, in its vocabulary too; without truncation and padding."""
    model = description["model"].copy()
    vocabulary = model["vocab"]
    if isinstance(vocabulary, dict):
        model["vocab"] = {marks.get(piece, piece): number for piece, number in vocabulary.items()}
    else:
        model["vocab"] = [[marks.get(str(piece), piece), score] for piece, score in vocabulary]
    if isinstance(unknown := model.get("unk_token"), str):
        model["unk_token"] = marks.get(unknown, unknown)
    added: list[AddedToken] = [
        # Not normalized: a normalizer may remove NUL.
        {**token, "content": marks[token["content"]], "normalized": False} if token["content"] in marks else token
        for token in description["added_tokens"]
    ]
    return {**description, "model": model, "added_tokens": added, "truncation": None, "padding": None}


def marked(fixed: Sequence[str], description: TokenizerJson, marks: Mapping[str, str]) -> list[str]:
    """The fixed parts with marks for tokens, found as the library finds them: leftmost, the longest of them."""
    contents = sorted((token["content"] for token in description["added_tokens"]), key=len, reverse=True)
    if not contents:
        return list(fixed)
    pattern = re.compile("|".join(map(re.escape, contents)))
    return [pattern.sub(lambda match: marks.get(match[0], match[0]), part) for part in fixed]
