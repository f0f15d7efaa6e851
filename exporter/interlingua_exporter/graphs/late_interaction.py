"""A reranker that compares token by token: late interaction. What is served is the encoder of one side a row.

    <s> query </s>  |  </s> document </s>      --encoder--> states [n, L, D] --projection--> unit vectors [n, L, d]
                                                                             --importance--> w [n, L]
    logit = scale * sum_i w_i max_j (q_i . d_j) / sum_i w_i       i: query tokens, j: document tokens

ColBERT's score (Khattab and Zaharia 2020, "ColBERT: Efficient and Effective Passage Search via Contextualized Late
Interaction over BERT") as a weighted mean, so that it does not grow with the query. Because a side never sees the
other one, each text is encoded once and all pairs are scored by matrix products. `score_pairs` has both sides in one
row, each attending to itself alone with its own positions: the export's gate holds the sides against it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

_NEVER = -1e4  # below every similarity, and finite in fp16


class EncodedTokens(NamedTuple):
    """The tokens of texts, ready to be compared.

    Attributes:
        vectors: float32 [n, L, d], of unit length.
        importance: float32 [n, L], positive; what a token weighs in a query.
        content: bool [n, L], false for padding and special tokens.
    """

    vectors: Tensor
    importance: Tensor
    content: Tensor

    def row(self, number: int, length: int) -> EncodedTokens:
        """One text, cut to its length."""
        return EncodedTokens(*(part[number : number + 1, :length] for part in self))

    def half(self) -> EncodedTokens:
        """In half the memory; vectors of unit length lose three digits."""
        return EncodedTokens(self.vectors.half(), self.importance.half(), self.content)

    def float(self) -> EncodedTokens:
        """In float32 again."""
        return EncodedTokens(self.vectors.float(), self.importance.float(), self.content)


class LateInteractionReranker(nn.Module):
    """An encoder, a projection of its token states, and the score.

    Args:
        encoder: a transformers model with absolute positions whose first output is the token states.
        dimension: d, the length of a token's vector.
        separator_id: the id that ends the query.
        special_ids: ids that take no part in the score, the separator and padding among them.
    """

    def __init__(self, encoder: nn.Module, *, dimension: int, separator_id: int, special_ids: tuple[int, ...]) -> None:
        super().__init__()
        hidden = int(encoder.config.hidden_size)  # type: ignore[union-attr, arg-type]
        self.encoder = encoder
        self.projection = nn.Linear(hidden, dimension)
        self.importance = nn.Linear(hidden, 1)
        self.scale = nn.Parameter(torch.tensor(20.0))
        self.separator_id = separator_id
        self.special_ids = special_ids
        nn.init.zeros_(self.importance.weight)
        nn.init.zeros_(self.importance.bias)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Texts, one a row, int64 [n, L] twice -> each token's vector and its importance, float32 [n, L, d + 1]."""
        tokens = self.token_vectors(input_ids, attention_mask)
        return torch.cat((tokens.vectors, tokens.importance.unsqueeze(-1)), dim=-1)

    def score_pairs(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Pairs, int64 [n, L] twice -> their logits, float32 [n, 1]."""
        in_document = self._in_document(input_ids)
        real = attention_mask.bool()
        same_side = in_document.unsqueeze(2) == in_document.unsqueeze(1)
        # Padding attends to itself, so that no row of the softmax is empty.
        visible = (same_side & real.unsqueeze(1)) | torch.eye(
            input_ids.shape[1], dtype=torch.bool, device=input_ids.device
        )
        # A float mask is added to the attention's scores, whichever attention the encoder was loaded with.
        bias = torch.where(visible, 0.0, _NEVER).unsqueeze(1)
        tokens = self._tokens(*self.token_states(input_ids, attention_mask, bias, _positions(in_document)))
        similarities = tokens.vectors @ tokens.vectors.transpose(1, 2)
        in_document = in_document & tokens.content
        closest = similarities.masked_fill(~in_document.unsqueeze(1), _NEVER).amax(dim=2).clamp(min=-1.0)
        weights = tokens.importance * (tokens.content & ~self._in_document(input_ids))
        return self.scale * (weights * closest).sum(1, keepdim=True) / weights.sum(1, keepdim=True).clamp(min=1e-6)

    def token_vectors(self, input_ids: Tensor, attention_mask: Tensor) -> EncodedTokens:
        """Texts, one a row, int64 [n, L] twice. A document's row starts with the separator, a query's does not."""
        return self._tokens(*self.token_states(input_ids, attention_mask))

    def score_all(self, queries: EncodedTokens, documents: EncodedTokens) -> Tensor:
        """The logit of every query with every document, float32 [queries, documents]; what `score_pairs` gives it."""
        length = documents.vectors.shape[1]
        flat = documents.vectors.flatten(0, 1)
        similarities = (queries.vectors @ flat.T).unflatten(2, (-1, length))  # type: ignore[no-untyped-call]
        closest = similarities.masked_fill(~documents.content, _NEVER).amax(dim=3).clamp(min=-1.0)
        weights = queries.importance * queries.content
        weights = weights / weights.sum(1, keepdim=True).clamp(min=1e-6)
        return self.scale * torch.einsum("qi,qid->qd", weights, closest)

    def token_states(
        self, input_ids: Tensor, attention_mask: Tensor, visible: Tensor | None = None, positions: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The encoder's states before the projection, float32 [n, L, hidden], and which tokens are content.

        Args:
            visible: what attends to what, if not all real tokens to all others; added to the attention's scores.
            positions: int64 [n, L], if not 0, 1, ...
        """
        states = self.encoder(
            input_ids=input_ids,
            attention_mask=attention_mask if visible is None else visible,
            position_ids=positions,
            token_type_ids=torch.zeros_like(input_ids),
        )[0].float()
        special = (input_ids.unsqueeze(-1) == torch.tensor(self.special_ids, device=input_ids.device)).any(-1)
        return states, attention_mask.bool() & ~special

    def _tokens(self, states: Tensor, content: Tensor) -> EncodedTokens:
        vectors = nn.functional.normalize(self.projection(states).float(), dim=-1)
        importance = nn.functional.softplus(self.importance(states).float()).squeeze(-1)
        return EncodedTokens(vectors, importance, content)

    def _in_document(self, input_ids: Tensor) -> Tensor:
        """True after the first separator, [n, L] bool; the separator itself ends the query."""
        separators = (input_ids == self.separator_id).to(torch.int64)
        return separators.cumsum(1) - separators > 0


def _positions(in_document: Tensor) -> Tensor:
    """0, 1, ... over the query and again over the document, int64 [n, L]."""
    columns = torch.arange(in_document.shape[1], device=in_document.device).expand(in_document.shape)
    query_length = (~in_document).sum(1, keepdim=True)
    return torch.where(in_document, columns - query_length, columns)
