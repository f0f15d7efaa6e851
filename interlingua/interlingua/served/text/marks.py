"""Names for special tokens that no text can write.

tokenizer.json --completed--> all its special tokens listed --marks_of, renamed--> `</s>` is a mark, everywhere
"[SEP]so" of a template --marked--> a mark, and "so"

A user's text must not become structure: `</s>` in it is a word like any other. So the tokenizer that texts get to has
its special tokens renamed to marks that begin and end with NUL, which services refuse in texts, and prompts and
templates alone are written with them. The library's own `encode_special_tokens` is not enough: a Unigram model has
`</s>` among its pieces and finds it again, and Qwen3's `<think>` is added, but not special.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


_NAME = re.compile(r"[<\[{].+[>\]}]")  # a post-processor may put words around texts, too, which stay words


class AddedToken(TypedDict):
    """An entry of `added_tokens`."""

    id: int
    content: str
    single_word: bool
    lstrip: bool
    rstrip: bool
    normalized: bool
    special: bool


class TokenModel(TypedDict, total=False):
    """The vocabulary of a tokenizer: ids by piece, or pieces with their scores."""

    vocab: dict[str, int] | list[list[str | float]]
    unk_token: str | None
    unk_id: int | None
    merges: list[str | list[str]]


class PutAround(TypedDict):
    """Tokens that a post-processor puts around texts under one name."""

    ids: list[int]
    tokens: list[str]


class PostProcessor(TypedDict, total=False):
    """What says which tokens are put around texts, of whichever kind it is."""

    processors: list[PostProcessor]
    cls: list[str | int]
    sep: list[str | int]
    special_tokens: dict[str, PutAround]


class TokenizerJson(TypedDict, total=False):
    """A tokenizer.json, as far as it matters here."""

    added_tokens: list[AddedToken]
    model: TokenModel
    post_processor: PostProcessor | None
    truncation: None
    padding: None


def completed(description: TokenizerJson) -> TokenizerJson:
    """With what the post-processor puts around texts, and what stands for the unknown, among the special tokens."""
    structural = dict(_structural(description))
    added: list[AddedToken] = [
        {**token, "special": token["special"] or token["content"] in structural}
        for token in description.get("added_tokens", ())
    ]
    known = {token["content"] for token in added}
    added += [_special(*token) for token in structural.items() if token[0] not in known and _NAME.fullmatch(token[0])]
    return {**description, "added_tokens": added}


def _special(content: str, number: int) -> AddedToken:
    return AddedToken(
        id=number, content=content, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True
    )


def unknown_of(description: TokenizerJson) -> tuple[str, int] | None:
    """What stands for what the vocabulary does not have, and its id; None where nothing does."""
    model = description["model"]
    vocabulary = model["vocab"]
    if isinstance(vocabulary, dict):
        unknown = model.get("unk_token")
        return (unknown, vocabulary[unknown]) if unknown is not None and unknown in vocabulary else None
    number = model.get("unk_id")
    return None if number is None else (str(vocabulary[number][0]), number)


def _structural(description: TokenizerJson) -> Iterator[tuple[str, int]]:
    if unknown := unknown_of(description):
        yield unknown
    if (processor := description.get("post_processor")) is not None:
        yield from _put_around(processor)


def _put_around(processor: PostProcessor) -> Iterator[tuple[str, int]]:
    """The tokens of a post-processor, with their ids."""
    for inner in processor.get("processors", ()):
        yield from _put_around(inner)
    for content, number in filter(None, (processor.get("cls"), processor.get("sep"))):
        yield str(content), int(number)
    for token in processor.get("special_tokens", {}).values():
        yield from zip(token["tokens"], token["ids"], strict=True)


def marks_of(added: Sequence[AddedToken], fixed: Sequence[str]) -> dict[str, str]:
    """Content of each token that texts must not make -> its mark.

    Those are the special ones, and what else of the added tokens is written around texts. Blank ones are words: Gemma
    has a token for each number of line ends.

    Args:
        fixed: what stands around texts.
    """
    return {
        token["content"]: f"\0{token['id']}\0"
        for token in added
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
    if "merges" in model:
        model["merges"] = [merge for merge in model["merges"] if marks.keys().isdisjoint(_merged(merge))]
    added: list[AddedToken] = [
        # Not normalized: a normalizer may remove NUL.
        {**token, "content": marks[token["content"]], "normalized": False} if token["content"] in marks else token
        for token in description["added_tokens"]
    ]
    return {**description, "model": model, "added_tokens": added, "truncation": None, "padding": None}


def _merged(merge: str | Sequence[str]) -> tuple[str, str, str]:
    """The parts of a merge, and the whole."""
    first, second = merge.split(" ", 1) if isinstance(merge, str) else merge
    return first, second, first + second


def marked(fixed: Sequence[str], added: Sequence[AddedToken], marks: Mapping[str, str]) -> list[str]:
    """The fixed parts with marks for tokens, found as the library finds them: leftmost, the longest of them."""
    contents = sorted((token["content"] for token in added), key=len, reverse=True)
    if not contents:
        return list(fixed)
    pattern = re.compile("|".join(map(re.escape, contents)))
    return [pattern.sub(lambda match: marks.get(match[0], match[0]), part) for part in fixed]
