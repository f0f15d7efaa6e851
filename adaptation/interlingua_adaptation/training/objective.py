"""What training minimizes: hard labels, soft labels, or both, over the scores of a batch of lists.

    logits [queries, all documents of the batch]
        hard: cross-entropy, the positive against every document of the batch
        soft: Kullback-Leibler divergence from the teacher's distribution over a list to the student's

The soft labels are the teacher's scores of the same list in one language, where it sees best: learning them
for a query and documents in other languages is distillation across languages (Reimers and Gurevych 2020, "Making
Monolingual Sentence Embeddings Multilingual using Knowledge Distillation", with scores in place of vectors).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from interlingua_exporter.graphs.late_interaction import LateInteractionReranker


@dataclass(frozen=True)
class LossWeights:
    """How much each kind of label counts.

    Attributes:
        hard, soft: weights of the two losses; 0 switches one off.
        teacher_temperature: the teacher's logits are divided by it: higher is softer.
    """

    hard: float = 1.0
    soft: float = 1.0
    teacher_temperature: float = 1.0


class ListwiseObjective(nn.Module):
    """The network with its loss, as a trainer calls it."""

    def __init__(self, network: LateInteractionReranker, weights: LossWeights) -> None:
        super().__init__()
        self.network = network
        self.weights = weights

    def forward(
        self, queries: list[Tensor], documents: list[list[Tensor]], order: Tensor, same_group: Tensor, teacher: Tensor
    ) -> dict[str, Tensor]:
        """The loss of a batch of n lists with k documents each.

        Args:
            queries: input_ids and attention_mask, int64 [n, Lq].
            documents: the same for chunks of the n * k documents, each [rows, its own length].
            order: int64 [n * k], where each document stands among the chunks' rows.
            same_group: bool [n, n * k], documents of a query's own section outside its place; left out.
            teacher: float32 [n, k] logits of the teacher, or [n, 0].
        """
        query_tokens = self.network.token_vectors(*queries)
        logits = torch.cat(
            [self.network.score_all(query_tokens, self.network.token_vectors(*chunk)) for chunk in documents], dim=1
        )[:, order]
        n, k = logits.shape[0], logits.shape[1] // logits.shape[0]
        own = torch.arange(n, device=logits.device) * k
        loss = logits.new_zeros(())
        if self.weights.hard:
            candidates = logits.masked_fill(same_group, -1e4)
            loss = loss + self.weights.hard * nn.functional.cross_entropy(candidates, own)
        if self.weights.soft and teacher.shape[1]:
            lists = logits.gather(1, own.unsqueeze(1) + torch.arange(k, device=logits.device))
            wanted = torch.log_softmax(teacher / self.weights.teacher_temperature, dim=1)
            found = torch.log_softmax(lists, dim=1)
            loss = loss + self.weights.soft * nn.functional.kl_div(
                found, wanted, log_target=True, reduction="batchmean"
            )
        return {"loss": loss}
