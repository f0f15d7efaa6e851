"""What is published, and how it is to be run.

Checkpoint, network's folder --Candidate.of--> Candidate;  the user's wishes --> ServingOptions
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from interlingua.repository.families import family_of
from interlingua.served.graph_names import TOKEN_VECTORS
from interlingua.served.limits import MAX_BATCH_TEXTS, MAX_BATCH_TOKENS, MAX_TEXT_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua.repository.families import Family
    from interlingua.repository.triton_config import Placement
    from interlingua.served.kinds import Precision, WeightBits
    from interlingua.served.language_vectors import LanguageVectors
    from interlingua.served.late_interaction.sides import LateInteraction
    from interlingua.served.text.tokenizer import Tokens
    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.models.spec import ModelSpec
    from interlingua_exporter.publication.tensorrt_serving import TensorRtServing

Backend = Literal["onnxruntime", "torch"]


@dataclass(frozen=True, kw_only=True)
class ServingOptions:
    """How the published models are to be run; none of it changes an answer.

    Attributes:
        max_batch_size: texts in one request or batch.
        max_batch_tokens: padded tokens that one call to the network may hold.
        max_text_bytes: a service refuses a longer text.
        warmup: (texts, tokens) of the calls that the network is warmed up with; none: what suits the placement.
        tensorrt: None without TensorRT.
    """

    placement: Placement
    max_batch_size: int = MAX_BATCH_TEXTS
    max_batch_tokens: int = MAX_BATCH_TOKENS
    max_text_bytes: int = MAX_TEXT_BYTES
    warmup: tuple[tuple[int, int], ...] = ()
    tensorrt: TensorRtServing | None = None


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A network in the staging folder, and what has to be known to serve it.

    Attributes:
        network: the folder with model.onnx and its data, or with what the torch backend loads.
        inputs: names of the network's inputs, in order.
        vocabulary: ids the network accepts are below this.
        sample: a real text's tokens, for the warm-up.
        backend: of Triton, which runs the network.
        weight_bits: of the matrices of an int8 network's products; None in other precisions.
        scripts: that the tokenizer knows (texts/known_scripts.py).
        interaction, empty_similarity: as `Checkpoint`.
        languages: where the network puts each language; its digest is that of the publication.
    """

    spec: ModelSpec
    precision: Precision
    network: Path
    inputs: tuple[str, ...]
    dimension: int
    vocabulary: int
    pad_token_id: int
    tokenizer_json: bytes
    sample: Tokens
    backend: Backend = "onnxruntime"
    weight_bits: WeightBits | None = None
    scripts: tuple[str, ...] = ()
    interaction: LateInteraction | None = None
    empty_similarity: float = -1.0
    languages: LanguageVectors | None = None

    @property
    def family(self) -> Family:
        """What is published together."""
        return family_of(self.spec.role, (TOKEN_VECTORS,) if self.interaction else ())

    @classmethod
    def of(
        cls,
        checkpoint: Checkpoint,
        precision: Precision,
        network: Path,
        sample: Tokens,
        backend: Backend = "onnxruntime",
        weight_bits: WeightBits | None = None,
        languages: LanguageVectors | None = None,
    ) -> Candidate:
        """The candidate that a checkpoint's export is."""
        from interlingua_exporter.texts.known_scripts import known_scripts

        return cls(
            spec=checkpoint.spec,
            precision=precision,
            network=network,
            inputs=checkpoint.inputs,
            dimension=checkpoint.dimension,
            vocabulary=checkpoint.vocabulary,
            pad_token_id=checkpoint.pad_token_id,
            tokenizer_json=checkpoint.tokenizer_json,
            sample=sample,
            backend=backend,
            weight_bits=weight_bits,
            scripts=known_scripts(checkpoint.tokenizer_json),
            interaction=checkpoint.interaction,
            empty_similarity=checkpoint.empty_similarity,
            languages=languages,
        )
