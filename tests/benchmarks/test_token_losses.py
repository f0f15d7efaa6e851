"""The rows of the loss table that change what is compared, and not how it is stored."""

from __future__ import annotations

import numpy as np
import torch

from interlingua_benchmarks.token_store.loss_table import clustered, evenly
from interlingua_evaluation.systems.rerank.late_interaction_scores import Side


def test_documents_keep_half_of_their_vectors_and_queries_lose_their_weights() -> None:
    rows = np.random.default_rng(1).standard_normal((11, 4)).astype(np.float16)
    vectors = torch.nn.functional.normalize(torch.from_numpy(rows).float(), dim=1)
    side = Side(vectors.half(), torch.arange(11.0), torch.tensor([0, 6, 6, 7, 11]))
    few = clustered(side)
    assert few.starts.tolist() == [0, 3, 3, 4, 6]
    np.testing.assert_allclose(few.vectors.float().norm(dim=1), 1, atol=1e-3)
    np.testing.assert_allclose(few.vectors[3], side.vectors[6], atol=1e-3)
    assert evenly(side).importance.tolist() == [1.0] * 11
    assert evenly(side).vectors is side.vectors
