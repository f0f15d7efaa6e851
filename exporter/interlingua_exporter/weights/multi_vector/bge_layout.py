"""The token vectors of an embedder with a head for them beside its weights, as FlagEmbedding has it (bge-m3).

colbert_linear.pt --> StatedModel: neither prompt nor expansion, both sides alike, the start token does not count
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.base.json_object import read_object
from interlingua_exporter.weights.multi_vector.stated_sides import StatedModel, StatedSide
from interlingua_exporter.weights.multi_vector.token_layers import TokenLayer, read_tensors
from interlingua_exporter.weights.statements.sentence_layout import licence_of
from interlingua_exporter.weights.statements.window import read_window

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "colbert_linear.pt"

_LONGEST = 512  # tokens: FlagEmbedding's own for both sides, though the model takes 8,192
_START = "<s>"


def read_bge(folder: Path) -> StatedModel:
    """What the folder says. Raises InputError: the head has not its two tensors."""
    folder = folder.resolve()
    config, tokenizer = (
        read_object(folder / "config.json", required=True),
        read_object(folder / "tokenizer_config.json"),
    )
    window, unread = read_window(folder, config, {}, tokenizer)
    state = read_tensors(folder / HEAD)
    weight = state.get("weight")
    if weight is None or weight.ndim != 2 or "bias" not in state:
        raise InputError(f"{folder / HEAD}: holds {', '.join(sorted(state)) or 'nothing'}, not a weight and a bias")
    outputs, inputs = weight.shape
    layer = TokenLayer(weights=folder / HEAD, inputs=inputs, outputs=outputs, names=("weight", "bias", ""), bias=True)
    side = StatedSide(max_tokens=_LONGEST, skipped=(_START,))
    return StatedModel(
        layout="bge-m3",
        transformer=folder,
        layers=(layer,),
        query=side,
        document=side,
        window=window,
        licence=licence_of(folder / "README.md"),
        weighting="mean",
        remarks=tuple(unread),
    )
