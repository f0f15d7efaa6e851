"""The tokenizer of a model folder, as the bytes that are published, and the ids of single words in it.

tokenizer.json, or a slow tokenizer converted --read_tokenizer--> bytes --score_token_ids--> ids of `yes` and `no`
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_exporter.weights.library_tokenizer import Followed, followed, load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tokenizers import Tokenizer

_VOCABULARIES = (
    "vocab.txt",
    "vocab.json",
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "spiece.model",
    "spm.model",
    "tokenizer.model",
)


def read_tokenizer(name: str, folder: Path, *, lowercase: bool, remote_code: bool) -> Followed:
    """The folder's tokenizer.json as transformers reads it, or its slow tokenizer converted.

    Args:
        name: the model's, for messages.
        lowercase: whether texts are lower-cased before it.

    Raises:
        InputError: there is none, or it cannot be converted.
    """
    path = folder / "tokenizer.json"
    if path.is_file():
        content = path.read_bytes()
        _require_readable(name, path, content)
        found = followed(folder, content, remote_code=remote_code)
    else:
        found = Followed(_converted(name, folder, remote_code))
    return found._replace(content=_lowercasing(found.content)) if lowercase else found


def _require_readable(name: str, path: Path, content: bytes) -> None:
    """Raises InputError now, and not when the weights have been read."""
    from tokenizers import Tokenizer

    try:
        Tokenizer.from_str(content.decode("utf-8"))
    except Exception as error:  # the library raises bare Exception
        raise InputError(
            f"{name}: {path} is not a tokenizer ({error}): take it from where the weights are from"
        ) from error


def score_token_ids(name: str, words: Sequence[str], tokenizer_json: bytes) -> tuple[int, ...]:
    """The ids of the tokens whose logits make the score.

    A word is the vocabulary's piece of exactly that spelling, or what the tokenizer makes of it.

    Raises:
        InputError: a word is not one token; the message says what it becomes. Or two words are the same token.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(tokenizer_json.decode("utf-8"))
    except Exception as error:  # the library raises bare Exception
        raise InputError(f"{name}: tokenizer.json cannot be read: {error}") from error
    ids = tuple(_single(name, word, tokenizer) for word in words)
    if len(set(ids)) != len(ids):
        raise InputError(f"{name}: the score tokens {', '.join(words)} are one and the same token, {ids[0]}")
    return ids


def spelled(name: str, ids: Sequence[int], tokenizer_json: bytes) -> tuple[str, ...]:
    """The pieces with these ids. Raises InputError: the tokenizer has none of an id."""
    from tokenizers import Tokenizer

    if not ids:
        return ()
    tokenizer = Tokenizer.from_str(tokenizer_json.decode("utf-8"))
    pieces = [tokenizer.id_to_token(number) for number in ids]
    if None in pieces:
        raise InputError(f"{name}: LogitScore names the token {ids[pieces.index(None)]}, which its tokenizer has not")
    return tuple(map(str, pieces))


def _single(name: str, word: str, tokenizer: Tokenizer) -> int:
    if (piece := tokenizer.token_to_id(word)) is not None:
        return int(piece)
    made = tokenizer.encode(word, add_special_tokens=False)
    unknown = getattr(tokenizer.model, "unk_token", None)
    if len(made.ids) == 1 and made.tokens[0] != unknown:
        return int(made.ids[0])
    pieces = ", ".join(map(repr, made.tokens)) or "nothing"
    raise InputError(
        f"{name}: the score token {word!r} is {len(made.ids)} tokens in the folder's tokenizer ({pieces}), and a score "
        "is the logit of a single one: name the word that the model was trained to answer with"
    )


def _converted(name: str, folder: Path, remote_code: bool) -> bytes:
    # Without a vocabulary transformers makes an empty tokenizer, which knows no word.
    if not any((folder / vocabulary).is_file() for vocabulary in _VOCABULARIES):
        raise InputError(f"{name}: the folder has no tokenizer: neither tokenizer.json nor a vocabulary")
    try:
        converted: str = load_tokenizer(folder, remote_code=remote_code).backend_tokenizer.to_str()
    except Exception as error:  # as many kinds as there are tokenizers
        reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
        raise InputError(
            f"{name}: no tokenizer.json, and its tokenizer cannot be converted ({reason}). For SentencePiece "
            "models: pip install sentencepiece protobuf"
        ) from error
    return converted.encode("utf-8")


def _lowercasing(tokenizer_json: bytes) -> bytes:
    """The tokenizer with a lower-casing step in front."""
    tokenizer = json.loads(tokenizer_json)
    steps = [{"type": "Lowercase"}]
    steps += [tokenizer["normalizer"]] if tokenizer.get("normalizer") else []
    tokenizer["normalizer"] = {"type": "Sequence", "normalizers": steps}
    return json.dumps(tokenizer, ensure_ascii=False).encode("utf-8")
