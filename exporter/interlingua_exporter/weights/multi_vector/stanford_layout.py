"""A late-interaction model as Stanford's colbert-ai writes it: the projection beside the encoder's weights.

config.json (architectures HF_ColBERT), linear.weight, artifact.metadata --> StatedModel

colbert-ai is the measure where sentence-transformers parts from it: a marker that the vocabulary lacks is its unknown
token, and a skipped sign is the first piece that the tokenizer makes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.base.json_object import read_object
from interlingua_exporter.weights.multi_vector.stated_keys import StatedKeys
from interlingua_exporter.weights.multi_vector.stated_sides import (
    PUNCTUATION,
    StatedExpansion,
    StatedModel,
    StatedSide,
)
from interlingua_exporter.weights.multi_vector.token_layers import TokenLayer, read_tensors
from interlingua_exporter.weights.statements.known_files import file_remarks
from interlingua_exporter.weights.statements.known_keys import remarks
from interlingua_exporter.weights.statements.remark import Remark
from interlingua_exporter.weights.statements.sentence_layout import licence_of
from interlingua_exporter.weights.statements.window import read_window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

METADATA = "artifact.metadata"
ARCHITECTURE = "HF_ColBERT"
PROJECTION = "linear.weight"

_QUERY, _DOCUMENT = 32, 220  # tokens, where nobody says: colbert-ai's own
_SAME = {"l2": ", which puts vectors of length 1 in the same order: write it there instead"}
_FOLLOWED = {"similarity": "cosine", "interaction": "colbert"}


def read_stanford(folder: Path) -> StatedModel:
    """What the folder says. Raises InputError: it has no projection, or is no model folder."""
    stated = StatedKeys.read(folder / METADATA)
    config, tokenizer = (
        read_object(folder / "config.json", required=True),
        read_object(folder / "tokenizer_config.json"),
    )
    window, unread = read_window(folder, config, {}, tokenizer)
    query, document = stated.length("query_maxlen"), stated.length("doc_maxlen")
    length = _QUERY if query is None else query
    return StatedModel(
        layout="Stanford",
        transformer=folder.resolve(),
        layers=(_projection(folder.resolve()),),
        query=StatedSide(
            max_tokens=length,
            marker=stated.text("query_token_id", "[unused0]"),
            expansion=StatedExpansion(length, stated.flag("attend_to_mask_tokens", usual=False)),
        ),
        document=StatedSide(
            max_tokens=_DOCUMENT if document is None else document,
            marker=stated.text("doc_token_id", "[unused1]"),
            skipped=PUNCTUATION if stated.flag("mask_punctuation", usual=True) else (),
        ),
        window=window,
        licence=licence_of(folder / "README.md"),
        first_pieces=True,
        remarks=(
            *unread,
            *_unfollowed(stated),
            *remarks(folder / "config.json", config),
            *remarks(folder / "tokenizer_config.json", tokenizer),
            *file_remarks(folder, folder.resolve(), [folder.resolve()]),
        ),
    )


def _unfollowed(stated: StatedKeys) -> Iterator[Remark]:
    if not stated.values:
        yield Remark(f"there is no {METADATA}: queries of {_QUERY} tokens and documents of {_DOCUMENT} are assumed")
    for key, known in _FOLLOWED.items():
        if (value := stated.text(key, known)) != known:
            yield Remark(
                f"{stated.path}: {key} is {value!r}; what can be exported is {known}{_SAME.get(value, '')}", True
            )


def _projection(folder: Path) -> TokenLayer:
    weight = read_tensors(folder).get(PROJECTION)
    if weight is None or weight.ndim != 2:
        raise InputError(f"{folder}: of an {ARCHITECTURE}, its weights have no {PROJECTION} of two dimensions")
    return TokenLayer(weights=folder, inputs=weight.shape[1], outputs=weight.shape[0])
