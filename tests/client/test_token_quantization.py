"""Stored token vectors: how near they are to what was encoded, and what a row takes."""

from __future__ import annotations

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua_client.index.token_store.projection import TokenProjection
from interlingua_client.index.token_store.quantization import FORMATS, require_choice


def units(count: int, dimension: int, seed: int = 3) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("name", "dimension", "width"),
    [("int8", 128, 130), ("4bit", 128, 66), ("int8", 7, 9), ("4bit", 7, 6), ("4bit", 1, 3)],
)
def test_what_a_row_takes(name: str, dimension: int, width: int) -> None:
    rows = FORMATS[name].quantized(units(5, dimension))
    assert rows.shape == (5, width)
    assert FORMATS[name].width(dimension) == width
    assert FORMATS[name].restored(rows, dimension).shape == (5, dimension)


# The largest of a unit vector's 128 values is some 0.24, a step of int8 a 127th of it, of 4 bit a 7.5th; a value is off
# by a step / sqrt(12), a vector by sqrt(128) times that: 0.0062 and 0.104.
@pytest.mark.parametrize(("name", "error"), [("int8", 0.0065), ("4bit", 0.108)])
@pytest.mark.parametrize("scale", [1.0, 0.03])
def test_how_far_a_restored_vector_is_off(name: str, error: float, scale: float) -> None:
    vectors = scale * units(400, 128)
    restored = FORMATS[name].restored(FORMATS[name].quantized(vectors), 128)
    assert np.linalg.norm(restored - vectors, axis=1).mean() <= error * scale


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_zero_stays_zero_and_one_hot_stays(name: str) -> None:
    vectors = np.zeros((3, 9), np.float32)
    vectors[1, 8], vectors[2, 0] = 1.0, -1.0
    restored = FORMATS[name].restored(FORMATS[name].quantized(vectors), 9)
    assert not restored[0].any()
    assert restored[1].argmax() == 8
    assert restored[2].argmin() == 0
    assert FORMATS[name].quantized(np.empty((0, 9), np.float32)).shape[0] == 0


def test_rows_are_restored_alone_as_among_others() -> None:
    rows = FORMATS["4bit"].quantized(units(50, 15))
    together = FORMATS["4bit"].restored(rows, 15)
    assert (FORMATS["4bit"].restored(rows[20:21], 15) == together[20:21]).all()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("dimension", [1, 9, 128])
def test_similarities_are_those_of_what_is_restored(name: str, dimension: int) -> None:
    rows, query = FORMATS[name].quantized(units(30, dimension)), units(7, dimension, seed=8)
    expected = FORMATS[name].restored(rows, dimension) @ query.T
    np.testing.assert_allclose(FORMATS[name].similarities(rows, query), expected, atol=1e-5)


def test_a_format_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(InputError, match="'int4', they must be one of none, 4bit, 4bit-128, int8"):
        require_choice("int4")


def test_the_projection_keeps_what_the_sample_varies_in() -> None:
    """Vectors of 200 values that lie in 60 directions lose nothing; their dot products are kept."""
    basis = np.linalg.qr(np.random.default_rng(1).normal(size=(200, 60)))[0].T.astype(np.float32)
    vectors = units(500, 60) @ basis
    projection = TokenProjection.fit(vectors[:300], 128)
    assert projection.dimension == 128
    assert projection.kept(vectors) == pytest.approx(1.0, abs=1e-5)
    asked, lacking = projection.query(vectors)
    np.testing.assert_allclose(
        asked @ projection.document(vectors).T + lacking[:, None], vectors @ vectors.T, atol=1e-5
    )
    np.testing.assert_allclose(projection.matrix @ projection.matrix.T, np.eye(128), atol=1e-5)
    again = TokenProjection.from_bytes(projection.to_bytes(), 200)
    assert (again.matrix == projection.matrix).all()
    assert (again.mean == projection.mean).all()


def test_what_all_tokens_share_takes_no_direction() -> None:
    """A mean of length 10 and two directions: two values keep all."""
    spread = np.random.default_rng(5).normal(size=(300, 2)) @ np.eye(2, 9)
    vectors = (spread + 10 * np.eye(9)[8]).astype(np.float32)
    projection = TokenProjection.fit(vectors, 2)
    assert projection.document(vectors).shape == (300, 2)
    assert projection.kept(vectors) == pytest.approx(1.0, abs=1e-5)
    asked, lacking = projection.query(vectors)
    np.testing.assert_allclose(
        asked @ projection.document(vectors).T + lacking[:, None], vectors @ vectors.T, rtol=1e-4
    )


def test_the_best_directions_are_kept() -> None:
    """Of values with variance 1, 1/2, ... 1/200, no 128 keep more than the first: sum(1/i, 128) / sum(1/i, 200)."""
    scales = 1 / np.sqrt(np.arange(1, 201))
    vectors = (np.random.default_rng(2).normal(size=(20_000, 200)) * scales).astype(np.float32)
    best = sum(1 / i for i in range(1, 129)) / sum(1 / i for i in range(1, 201))
    assert TokenProjection.fit(vectors, 128).kept(vectors) == pytest.approx(best, abs=0.002)


@pytest.mark.parametrize("sample", [np.empty((0, 24), np.float32), units(1, 24)], ids=["none", "one"])
def test_few_values_or_a_poor_sample_lose_nothing(sample: np.ndarray) -> None:
    projection = TokenProjection.fit(sample, 128)
    assert projection.dimension == 24
    assert projection.kept(units(9, 24)) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("raw", [b"", b"\0" * 92, b"\0" * 96, np.full(48, np.nan, "<f4").tobytes()])
def test_bytes_that_are_no_projection(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"projection|reshape"):
        TokenProjection.from_bytes(raw, 24)
