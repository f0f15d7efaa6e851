"""What fills the warm-up calls: a real text, framed as its service frames it.

the gate's sentences, ModelSpec --frame_of--> Tokens
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.gate.parity_texts import sentences
from exporter.weights.text_encoder import Framed
from exporter.weights.text_frame import frame_of
from interlingua.service import EMBED_DOCUMENT, RERANK

if TYPE_CHECKING:
    from exporter.weights.checkpoint import Checkpoint
    from exporter.weights.text_encoder import Tokens

_SENTENCES = 2  # of English


def warmup_tokens(checkpoint: Checkpoint) -> Tokens:
    """A real document's tokens, or a real pair's, in the prompt or template that its service puts around it."""
    spec = checkpoint.spec
    text = " ".join(row["en"] for row in sentences()[:_SENTENCES])
    service, sample = (EMBED_DOCUMENT, text) if spec.role == "embedder" else (RERANK, (text, text))
    return checkpoint.text_encoder().encode([Framed(sample, frame_of(spec, service))])[0]
