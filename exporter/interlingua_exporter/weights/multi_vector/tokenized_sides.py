"""The sides in ids: what a folder says in words, through its tokenizer.

StatedModel, transformers' tokenizer --tokenized_sides--> LateInteraction
tokenizer.json, LateInteraction --with_sealed_markers--> tokenizer.json
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.served.late_interaction.sides import Expansion, LateInteraction, SideRules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.weights.multi_vector.stated_sides import StatedExpansion, StatedModel, StatedSide


def tokenized_sides(name: str, model: StatedModel, tokenizer: Any, window: int) -> LateInteraction:
    """Both sides, none beyond the window.

    Args:
        name: the model's, for messages.
        tokenizer: transformers' own.
        window: tokens that the network takes.

    Raises:
        InputError: a token is not in the vocabulary, or queries are expanded beyond the window.
    """
    query, document = (_side(name, model, side, tokenizer, window) for side in (model.query, model.document))
    return LateInteraction(query=query, document=document, weighting=model.weighting, pooling=model.pooling)


def with_sealed_markers(tokenizer_json: bytes, sides: LateInteraction) -> bytes:
    """The tokenizer.json in which the sides' markers are special tokens, which no text makes in a service."""
    markers = {sides.query.marker_id, sides.document.marker_id} - {None}
    description = json.loads(tokenizer_json) if markers else {}
    unsealed = [
        token for token in description.get("added_tokens", ()) if token["id"] in markers and not token["special"]
    ]
    if not unsealed:
        return tokenizer_json
    for token in unsealed:
        token["special"] = True
    return json.dumps(description, ensure_ascii=False).encode()


def _side(name: str, model: StatedModel, side: StatedSide, tokenizer: Any, window: int) -> SideRules:
    marker_id, prompt = _marker(model, side, tokenizer)
    if side.expansion and side.expansion.length > window:
        raise InputError(
            f"{name}: queries are expanded to {side.expansion.length} tokens, and the network takes {window}"
        )
    return SideRules(
        max_tokens=min(side.max_tokens or window, window),
        prompt=prompt,
        marker_id=marker_id,
        skipped_ids=tuple(dict.fromkeys(_skipped(model, side, tokenizer))),
        expansion=_expansion(name, side.expansion, tokenizer) if side.expansion else None,
    )


def _marker(model: StatedModel, side: StatedSide, tokenizer: Any) -> tuple[int | None, str]:
    """The id that is put in, or else the prompt with the marker in front as text."""
    if not side.marker.strip():
        return None, side.marker + side.prompt
    known = tokenizer.get_vocab()
    for piece in (side.marker, side.marker.split(None, 1)[0]):
        if piece in known:
            return int(known[piece]), side.prompt
    if model.layout == "Stanford":
        return int(tokenizer.convert_tokens_to_ids(side.marker)), side.prompt
    return None, side.marker + side.prompt


def _skipped(model: StatedModel, side: StatedSide, tokenizer: Any) -> Iterator[int]:
    known = tokenizer.get_vocab()
    for word in side.skipped:
        if model.first_pieces:
            yield from tokenizer.encode(word, add_special_tokens=False)[:1]
        elif word in known:
            yield int(known[word])


def _expansion(name: str, stated: StatedExpansion, tokenizer: Any) -> Expansion:
    if stated.token:
        number = tokenizer.get_vocab().get(stated.token)
    else:
        number = tokenizer.mask_token_id if tokenizer.mask_token_id is not None else tokenizer.eos_token_id
    if number is None:
        what = f"no token {stated.token!r}" if stated.token else "neither a mask token nor an end token"
        raise InputError(f"{name}: queries are expanded, and its tokenizer has {what}")
    return Expansion(int(number), stated.length, stated.attended)
