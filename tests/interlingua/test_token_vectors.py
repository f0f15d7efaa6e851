"""Token vectors on the wire, written and read by hand, and scores worked out on paper and by torch."""

from __future__ import annotations

import itertools
import struct

import numpy as np
import pytest
import torch

from interlingua.served.token_vectors import TokenVectors, dot_products, max_sim, packed, unpacked

FLOAT = np.float32


def test_the_wire_form_is_header_weights_rows_in_little_endian() -> None:
    text = TokenVectors(np.array([[1, 2, 3], [4, 5, 6]], FLOAT), np.array([0.5, 0.25], FLOAT))
    assert packed(text) == struct.pack("<II2f6f", 2, 3, 0.5, 0.25, 1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize("tokens", [0, 1, 7], ids=lambda tokens: f"{tokens} tokens")
def test_what_was_packed_is_read_back(tokens: int) -> None:
    random = np.random.default_rng(tokens)
    text = TokenVectors(random.normal(size=(tokens, 5)).astype(FLOAT), random.normal(size=tokens).astype(FLOAT))
    read = unpacked(packed(text))
    np.testing.assert_array_equal(read.vectors, text.vectors)
    np.testing.assert_array_equal(read.weights, text.weights)
    assert read.vectors.shape == (tokens, 5)
    assert read.vectors.dtype == read.weights.dtype == FLOAT


def test_rows_that_do_not_lie_one_after_the_other_are_packed_in_order() -> None:
    wide = np.arange(12, dtype=np.float64).reshape(2, 6)
    read = unpacked(packed(TokenVectors(wide[:, ::2], wide[:, 0])))
    np.testing.assert_array_equal(read.vectors, [[0, 2, 4], [6, 8, 10]])


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        (b"", "0 bytes are no token vectors: their header has 8"),
        (b"1234567", "7 bytes"),
        (struct.pack("<II", 1, 0) + bytes(4), "1 token vectors of 0 values"),
        (struct.pack("<II", 1, 2) + bytes(8), "1 token vectors of 2 values take 20 bytes, not 16"),
        (struct.pack("<II", 1, 2) + bytes(13), "take 20 bytes, not 21"),
        (struct.pack("<II", 2**32 - 1, 2**32 - 1), "not 8"),
    ],
    ids=["nothing", "half a header", "no dimension", "a row short", "a byte more", "a header of ones"],
)
def test_other_bytes_are_refused(wire: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        unpacked(wire)


def test_weights_are_one_a_row() -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 3\) with weights of shape \(3,\)"):
        packed(TokenVectors(np.zeros((2, 3), FLOAT), np.zeros(3, FLOAT)))


def test_a_score_is_the_weighted_sum_of_the_closest_rows() -> None:
    query = TokenVectors(np.array([[1, 0], [0, 1]], FLOAT), np.array([3, 0.5], FLOAT))
    documents = np.array([[0.6, 0.8], [0.8, -0.6], [-1, 0]], FLOAT)
    starts = np.array([0, 0, 2, 2, 3, 3])  # nothing, two rows, nothing, one row, nothing
    scores = max_sim(query, documents, starts, empty=-1.0)
    np.testing.assert_allclose(scores, [-3.5, 3 * 0.8 + 0.5 * 0.8, -3.5, -3.0, -3.5], rtol=1e-6)
    assert scores.dtype == FLOAT


def test_a_query_without_rows_scores_nothing_and_documents_without_rows_need_no_product() -> None:
    nothing = TokenVectors(np.zeros((0, 2), FLOAT), np.zeros(0, FLOAT))
    assert max_sim(nothing, np.ones((3, 2), FLOAT), np.array([0, 1, 3]), -1.0).tolist() == [0, 0]
    query = TokenVectors(np.ones((1, 2), FLOAT), np.ones(1, FLOAT))
    assert max_sim(query, np.zeros((0, 2), FLOAT), np.array([0, 0, 0]), -2.0).tolist() == [-2, -2]
    assert max_sim(query, np.zeros((0, 2), FLOAT), np.array([0]), -2.0).tolist() == []


def test_a_part_of_the_rows_is_scored_where_starts_begin_and_end_within_them() -> None:
    query = TokenVectors(np.array([[1, 0]], FLOAT), np.ones(1, FLOAT))
    documents = np.array([[9, 0], [1, 0], [2, 0], [9, 0]], FLOAT)
    assert max_sim(query, documents, np.array([1, 2, 3]), -1.0).tolist() == [1, 2]


def test_scores_are_those_of_torch_on_padded_documents() -> None:
    random, lengths = np.random.default_rng(3), [4, 1, 9, 3]
    query = TokenVectors(random.normal(size=(6, 8)).astype(FLOAT), random.random(6).astype(FLOAT))
    flat = random.normal(size=(sum(lengths), 8)).astype(FLOAT)
    starts = np.cumsum([0, *lengths])
    padded = torch.full((4, 9, 8), float("nan"))
    for number, (begin, end) in enumerate(itertools.pairwise(starts)):
        padded[number, : end - begin] = torch.from_numpy(flat[begin:end])
    closest = (padded @ torch.from_numpy(query.vectors).T).nan_to_num(-1e9).amax(1)
    np.testing.assert_allclose(
        max_sim(query, flat, starts, -1.0), closest @ torch.from_numpy(query.weights), rtol=1e-5, atol=1e-6
    )


def test_another_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match="mismatch"):
        max_sim(TokenVectors(np.ones((1, 3), FLOAT), np.ones(1, FLOAT)), np.ones((1, 2), FLOAT), np.array([0, 1]), -1.0)


@pytest.mark.parametrize(
    ("rows", "asked", "values"), [(0, 3, 4), (5, 0, 4), (1000, 16, 128), (128, 16, 128), (3, 999, 999)]
)
def test_dot_products_in_pieces_are_those_of_the_whole(rows: int, asked: int, values: int) -> None:
    random = np.random.default_rng(4)
    left, right = (random.normal(size=(count, values)).astype(np.float32) for count in (rows, asked))
    np.testing.assert_allclose(dot_products(left, right), left @ right.T, rtol=1e-4, atol=1e-3)
