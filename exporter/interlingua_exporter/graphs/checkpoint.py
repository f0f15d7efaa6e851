"""A model that has been loaded: the torch graph that is the reference, and the tokenizer that feeds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.repository.families import Family, family_of
from interlingua.repository.text_encoder import Framed, TextEncoder
from interlingua.served.graph_names import EMBEDDING, SCORE, TOKEN_VECTORS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import torch

    from interlingua.served.late_interaction.sides import LateInteraction
    from interlingua.served.networks.assembly import Assembly
    from interlingua.served.text.tokenizer import Text, Tokens
    from interlingua_exporter.models.spec import ModelSpec


@dataclass(frozen=True, kw_only=True)
class LibraryFolder:
    """A folder that transformers and sentence-transformers can read as well, and what was said against it.

    Attributes:
        folder: the whole of it; with config.json and tokenizer in `transformer`.
        unasked: why sentence-transformers has no answer that could be compared; "" where it has.
        query_prompt, document_prompt: that the user or an entry gave; None for the folder's own.
        cut: the length to which vectors are cut before they get their length, None for the folder's own.
        lowercase: whether sentence-transformers puts a lower-casing step before transformers' tokenizer.
        head: for token vectors, beside an embedder's weights, which sentence-transformers does not read by itself.
    """

    folder: Path
    transformer: Path
    unasked: str = ""
    query_prompt: str | None = None
    document_prompt: str | None = None
    cut: int | None = None
    lowercase: bool = False
    head: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Everything an export needs of a model.

    Attributes:
        graph: `EmbedderGraph`, `RerankerGraph` or one that gives token vectors, in evaluation mode, float32.
        inputs: names of the graph's inputs, in order.
        dimension: length of an embedding; 1 for a score; of token vectors a token's values, its importance among them.
        vocabulary: ids the network accepts are below this.
        tokenizer_json: the bytes that are published.
        notes: what the user should know about how the model was read.
        files: the folder with config.json and weights, which the torch backend can load; None where there is none.
        assembly: how the graph is made of the folder's network.
        token_types: how many kinds of token types it knows.
        library: what the gate asks the libraries with; None for a model that is no folder of theirs.
        interaction: how a late-interaction model, whose graph gives token vectors, reads and weighs its sides.
        empty_similarity: what each maximum counts as where a document has no row.
    """

    spec: ModelSpec
    graph: torch.nn.Module
    inputs: tuple[str, ...]
    dimension: int
    vocabulary: int
    tokenizer_json: bytes
    pad_token_id: int
    notes: tuple[str, ...] = ()
    files: Path | None = None
    assembly: Assembly | None = None
    token_types: int = 1
    library: LibraryFolder | None = None
    interaction: LateInteraction | None = None
    empty_similarity: float = -1.0

    @property
    def output(self) -> str:
        if self.interaction:
            return TOKEN_VECTORS
        return EMBEDDING if self.spec.role == "embedder" else SCORE

    @property
    def family(self) -> Family:
        """What is published together with the network."""
        return family_of(self.spec.role, (self.output,))

    def text_encoder(self) -> TextEncoder:
        """The tokenizer as the services use it; raises InputError where it cannot be read."""
        return TextEncoder(
            self.tokenizer_json,
            max_tokens=self.spec.max_tokens,
            pad_token_id=self.pad_token_id,
            padding_side=self.spec.padding_side,
        )

    def long_rows(self, encoder: TextEncoder, texts: Sequence[Text | Framed]) -> list[Tokens]:
        """What the network reads at once of texts or pairs, in order: of a pair's two sides, the document."""
        if self.interaction is None:
            return encoder.encode(texts)
        documents = [text.text if isinstance(text, Framed) else text for text in texts]
        rules = self.interaction.document
        return encoder.encode([Framed(text if isinstance(text, str) else text[1], rules) for text in documents])
