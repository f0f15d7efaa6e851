"""Our losses are sentence-transformers' where a query's tokens weigh alike; theirs have no place for weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from sentence_transformers.multi_vector_encoder.losses import (
    MultiVectorDistillKLDivLoss,
    MultiVectorMultipleNegativesRankingLoss,
)
from sentence_transformers.multi_vector_encoder.scoring import mean_colbert_kd_scores, mean_colbert_scores
from tokenizers import Tokenizer

from interlingua_adaptation.training.objective import ListwiseObjective, LossWeights
from interlingua_exporter.graphs.late_interaction import LateInteractionReranker
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.weights import sources
from interlingua_exporter.weights.checkpoint_folder import Overrides
from interlingua_exporter.weights.late_interaction.late_interaction_rows import SideRows
from interlingua_exporter.weights.late_interaction.sentence_folder import write_sentence_folder
from tests.exporter import late_interaction_models as models
from tests.exporter.multi_vector_folders import theirs

QUERIES = ["where is the parcel?", "Wann öffnet die Bibliothek?", "ja"]
DOCUMENTS = [["at the post office", "nowhere at all, it seems"], ["um neun Uhr", "the library"], ["nein", "yes"]]
TEACHER = torch.tensor([[3.0, 0.5], [1.0, 1.2], [0.0, 2.0]])


@pytest.mark.parametrize("weighed", [False, True], ids=["weighed alike", "weighed"])
def test_both_labels(weighed: bool, tmp_path: Path, tokenizer_json: dict[str, bytes]) -> None:
    checkpoint = sources.load(
        resolve(str(models.saved(tmp_path / "ours", tokenizer_json["xlm-roberta"], seed=3))), Overrides()
    )
    network = checkpoint.graph
    assert isinstance(network, LateInteractionReranker)
    if not weighed:
        network.importance.weight.zero_()
    write_sentence_folder(checkpoint, tmp_path / "library")
    library, scale = theirs(tmp_path / "library"), float(network.scale)

    columns = [("query", QUERIES), *(("document", [pair[place] for pair in DOCUMENTS]) for place in (0, 1))]
    features = [
        {**library.preprocess(texts, prompt=library.prompts[task], task=task), "task": task} for task, texts in columns
    ]
    with torch.no_grad():
        hard = MultiVectorMultipleNegativesRankingLoss(library, scale=scale, similarity_fct=mean_colbert_scores)
        soft = MultiVectorDistillKLDivLoss(
            library, similarity_fct=mean_colbert_kd_scores, student_temperature=1 / scale, teacher_temperature=1.0
        )
        wanted = (hard(features), soft(features, TEACHER) * scale**2)

    rows = SideRows(
        Tokenizer.from_str(checkpoint.tokenizer_json.decode()), separator_id=models.END, pad_token_id=models.PAD
    )
    queries = list(rows.batch(rows.queries(QUERIES, 64)))
    documents = [list(rows.batch(rows.documents([text for pair in DOCUMENTS for text in pair], 64)))]
    for weights, expected in zip((LossWeights(soft=0), LossWeights(hard=0)), wanted, strict=True):
        objective = ListwiseObjective(network, weights)
        found = objective(queries, documents, torch.arange(6), torch.zeros(3, 6, dtype=torch.bool), TEACHER)["loss"]
        assert (float(found) == pytest.approx(float(expected), rel=1e-4)) is not weighed
