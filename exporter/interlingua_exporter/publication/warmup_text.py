"""What fills the warm-up calls: a real text, framed as its service frames it.

the gate's sentences, ModelSpec --frame_of--> Tokens
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.repository.text_encoder import Framed
from interlingua_exporter.texts.parity_texts import sentences
from interlingua_exporter.texts.text_frame import frame_of

if TYPE_CHECKING:
    from interlingua.served.text.tokenizer import Tokens
    from interlingua_exporter.graphs.checkpoint import Checkpoint

_SENTENCES = 2  # of English


def warmup_tokens(checkpoint: Checkpoint) -> Tokens:
    """A real document's tokens, or for a cross-encoder a real pair's, with what its service puts around it."""
    spec = checkpoint.spec
    text = " ".join(row["en"] for row in sentences()[:_SENTENCES])
    sample = text if spec.role == "embedder" else (text, text)
    frame = frame_of(spec, checkpoint.family.document_service)
    return checkpoint.long_rows(checkpoint.text_encoder(), [Framed(sample, frame)])[0]
