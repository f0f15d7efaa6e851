"""Ward's clusters of a document's vectors, against sentence-transformers' own, which has scipy's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sentence_transformers.multi_vector_encoder.modules import HierarchicalTokenPooling

from interlingua.served.late_interaction.sides import TokenPooling
from interlingua.served.late_interaction.token_pooling import pooled


@pytest.mark.parametrize("tokens", [0, 1, 2, 3, 7, 40, 180])
@pytest.mark.parametrize("factor", [1.5, 2, 4, 100])
@pytest.mark.parametrize(("protected", "normalize"), [(1, True), (0, False), (5, True)])
def test_the_librarys_clusters_in_its_order(tokens: int, factor: float, protected: int, normalize: bool) -> None:
    rows = np.random.default_rng(tokens).standard_normal((tokens, 8)).astype(np.float32)
    vectors = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    theirs = HierarchicalTokenPooling(factor, num_protected_tokens=protected, normalize_embeddings=normalize)
    expected = theirs.pool([torch.from_numpy(vectors)])[0].numpy()
    found = pooled(vectors, TokenPooling(factor, protected, normalize))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_equal_vectors_are_one_cluster() -> None:
    vectors = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    found = pooled(vectors, TokenPooling(2.0, 0, normalize=False))
    assert sorted(map(tuple, found)) == sorted(map(tuple, np.eye(3)))
