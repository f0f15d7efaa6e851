"""The parity gate: what is published answers like the torch model it came from.

    samples --torch, one at a time--> reference [n, D]
            --ONNX Runtime, alone; in mixed batches; permuted--> answers [n, D]
    names, axes, dtypes; values; independence of batch neighbours; rankings --> Figures, each with its bound
                                             rankings, language by language --> LanguageAgreements

One figure over its bound fails the export, and the message says which text, in which language, by how much. A language
whose rankings differ fails it, whatever the others do: the message names it, and the pair of languages that agrees
least.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from exporter.gate.parity_texts import ParitySet, parity_set
from exporter.gate.ranking_agreement import TOP, LanguageAgreement, agreements, translations_found
from interlingua.errors import ExportError, InputError

if TYPE_CHECKING:
    from exporter.graphs.onnx_session import OnnxSession
    from exporter.models.spec import Precision, Role
    from exporter.weights.checkpoint import Checkpoint
    from exporter.weights.text_encoder import TextEncoder, Tokens

Values = NDArray[np.float64]


BATCH = 6
_SEED = 20
_TINY = 1e-12


@dataclass(frozen=True)
class Bounds:
    """What a published network may differ from torch.

    Attributes:
        error: of one answer, relative: |ours - torch| / |torch| for an embedding; for a score |ours - torch| over
            the spread (standard deviation) of all of torch's scores.
        neighbours: of one answer between alone and in a batch, relative in the same way.
        overlap: least mean share of torch's first 10 candidates among ours, over one language's queries.
        correlation: least mean rank correlation (Spearman) with torch, over one language's queries.
    """

    error: float
    neighbours: float
    overlap: float
    correlation: float


# fp32 differs by rounding. fp16 rounds to 11 bits (at most 2^-11 = 0.0005 of a value), bf16 to 8 (2^-9 = 0.002), some
# ten times a layer; over a dozen layers independent roundings add up to a few of them (multilingual-e5-small: errors of
# 0.001 and 0.009), and the bounds leave a deeper network ten times that. A batch of another shape sums in another order
# and the last bit of an fp32 sum decides to which side a half is rounded: an answer in half precision may move with its
# neighbours by about as much as by rounding. A score hangs on its states far more in some networks (the trained
# reranker: 0.001 and 0.013, random ones up to 0.08 and 0.2): there the rankings decide.
# int8: an error of 0.1 is a cosine of 0.995; the rankings are what counts. A reranker's are of 12 pairs a language, 11
# of them as wrong as each other: one that changes places at the middle is an overlap of 0.833, two pairs that each move
# by three places and two that make room a correlation of 0.93.
BOUNDS: dict[tuple[Role, Precision], Bounds] = {
    ("embedder", "fp32"): Bounds(error=1e-4, neighbours=1e-4, overlap=0.99, correlation=0.9999),
    ("embedder", "fp16"): Bounds(error=0.02, neighbours=0.01, overlap=0.95, correlation=0.999),
    ("embedder", "bf16"): Bounds(error=0.1, neighbours=0.05, overlap=0.9, correlation=0.995),
    ("embedder", "int8"): Bounds(error=0.12, neighbours=2e-3, overlap=0.85, correlation=0.98),
    ("reranker", "fp32"): Bounds(error=1e-3, neighbours=1e-3, overlap=0.99, correlation=0.999),
    ("reranker", "fp16"): Bounds(error=0.1, neighbours=0.05, overlap=0.8, correlation=0.97),
    ("reranker", "bf16"): Bounds(error=0.25, neighbours=0.1, overlap=0.8, correlation=0.93),
    ("reranker", "int8"): Bounds(error=0.2, neighbours=5e-3, overlap=0.8, correlation=0.85),
}

# What a gate on a CPU runs; "" where a server runs the same.
ARITHMETIC: dict[Precision, str] = {
    "fp32": "",
    "fp16": "fp16 emulated in fp32, each value rounded where the graph says fp16: the true arithmetic was not run",
    "bf16": "bf16 emulated in fp32, each value rounded where the graph says bf16: the true arithmetic was not run",
    "int8": "",
}


@dataclass(frozen=True)
class Figure:
    """One measured figure, at its worst place.

    Attributes:
        sense: whether the bound is the most (`<=`) or the least (`>=`) the value may be; `info` has no bound.
        mean: over everything measured.
        where: the text or the language with the worst value.
    """

    name: str
    worst: float
    mean: float
    sense: Literal["<=", ">=", "info"]
    bound: float | None
    where: str

    @property
    def passed(self) -> bool:
        if self.bound is None:
            return True
        # A NaN is on neither side of a bound and fails.
        return self.worst <= self.bound if self.sense == "<=" else self.worst >= self.bound

    def describe(self) -> str:
        """The figure on one line of a message."""
        return f"{self.name} {self.worst:.3g}, must be {self.sense} {self.bound:g} ({self.where})"


@dataclass(frozen=True)
class GateReport:
    """What the gate saw.

    Attributes:
        samples: texts compared.
        languages: of them.
        agreements: every language's rankings against torch's, those that fail and agree least first.
        arithmetic: what was run, where it is not what a server will run; else "".
    """

    figures: tuple[Figure, ...]
    samples: int
    languages: int
    agreements: tuple[LanguageAgreement, ...] = ()
    arithmetic: str = ""


def run_gate(
    checkpoint: Checkpoint, session: OnnxSession, precision: Precision, reference: Values | None = None
) -> GateReport:
    """Compare a network with torch.

    Args:
        reference: `torch_answers` of this checkpoint, where they are at hand.

    Raises:
        ExportError: a name, an axis, a dtype or a figure is not what it has to be; the message says which text,
            which language, which figure and the bound.
        InputError: the tokenizer gives ids that the network does not have.
    """
    _check_signature(checkpoint, session)
    encoder = checkpoint.text_encoder()
    parity = parity_set(checkpoint.spec, encoder)
    rows = encoder.encode([sample.text for sample in parity.samples])
    _check_vocabulary(checkpoint, rows)
    if reference is None:
        reference = _reference(checkpoint, encoder, rows)
    bounds = BOUNDS[checkpoint.spec.role, precision]
    alone, figures = _figures(checkpoint, session, encoder, parity, rows, reference, bounds)
    languages = agreements(parity, alone, reference, overlap=bounds.overlap, correlation=bounds.correlation)
    figures += _ranking_figures(parity, languages, alone, reference, bounds)
    faults = [figure.describe() for figure in figures if not figure.passed]
    if differ := [language.describe() for language in languages if not language.passed]:
        faults.append(f"rankings differ in {len(differ)} of {len(languages)} languages: {', '.join(differ)}")
    if faults:
        raise ExportError(
            f"{checkpoint.spec.id} in {precision} does not pass the parity gate, nothing was published: "
            + "; ".join(faults)
        )
    return GateReport(figures, len(rows), len(languages), languages, ARITHMETIC[precision])


def torch_answers(checkpoint: Checkpoint) -> Values:
    """What torch answers to the gate's texts, [samples, D]: one reference for several gates. Raises as `run_gate`."""
    encoder = checkpoint.text_encoder()
    rows = encoder.encode([sample.text for sample in parity_set(checkpoint.spec, encoder).samples])
    _check_vocabulary(checkpoint, rows)
    return _reference(checkpoint, encoder, rows)


def relative_errors(ours: Values, theirs: Values, role: Role) -> Values:
    """How far answers are from others, as `Bounds.error` says: [n, D] twice -> [n]."""
    distance: Values = np.linalg.norm(ours - theirs, axis=1)
    scale = np.linalg.norm(theirs, axis=1) if role == "embedder" else np.full(len(theirs), theirs.std())
    errors: Values = distance / np.maximum(scale, _TINY)
    return errors


def _check_signature(checkpoint: Checkpoint, session: OnnxSession) -> None:
    faults = []
    inputs = {entry.name: entry for entry in session.inputs}
    if set(inputs) != set(checkpoint.inputs):
        faults.append(f"inputs {sorted(inputs)} instead of {sorted(checkpoint.inputs)}")
    faults += [
        f"input {entry.name} is {entry.kind} {list(entry.shape)}, not int64 [batch, length]"
        for entry in inputs.values()
        if entry.kind != "tensor(int64)" or len(entry.shape) != 2 or any(isinstance(n, int) for n in entry.shape)
    ]
    outputs = session.outputs
    if [entry.name for entry in outputs] != [checkpoint.output]:
        faults.append(f"outputs {[entry.name for entry in outputs]} instead of [{checkpoint.output!r}]")
    for entry in outputs:
        dynamic_batch = len(entry.shape) == 2 and not isinstance(entry.shape[0], int)
        if entry.kind != "tensor(float)" or not dynamic_batch or entry.shape[1] != checkpoint.dimension:
            faults.append(
                f"output {entry.name} is {entry.kind} {list(entry.shape)}, not float [batch, {checkpoint.dimension}]"
            )
    if faults:
        raise ExportError(f"{checkpoint.spec.id}: the exported graph has {'; '.join(faults)}. Nothing was published.")


def _check_vocabulary(checkpoint: Checkpoint, rows: Sequence[Tokens]) -> None:
    largest = max(max(row.ids) for row in rows)
    if largest >= checkpoint.vocabulary:
        raise InputError(
            f"{checkpoint.spec.id}: the tokenizer gives token {largest}, the network has {checkpoint.vocabulary}: "
            "they do not belong together"
        )


def _reference(checkpoint: Checkpoint, encoder: TextEncoder, rows: Sequence[Tokens]) -> Values:
    import torch

    answers = []
    threads = torch.get_num_threads()
    # One text gives several threads little to do, and they spin while they wait: on a busy machine of two cores
    # this took 180 s with two threads and 7.5 s with one.
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            for row in rows:
                batch = encoder.collate([row], checkpoint.inputs)
                answers.append(checkpoint.graph(*(torch.from_numpy(batch[name]) for name in checkpoint.inputs)).numpy())
    finally:
        torch.set_num_threads(threads)
    return np.concatenate(answers).astype(np.float64)


def _figures(
    checkpoint: Checkpoint,
    session: OnnxSession,
    encoder: TextEncoder,
    parity: ParitySet,
    rows: Sequence[Tokens],
    reference: Values,
    bounds: Bounds,
) -> tuple[Values, tuple[Figure, ...]]:
    """The answers, each text alone, and how far they are from torch's and from those in batches."""

    def answer(positions: Iterable[int]) -> Values:
        batch = encoder.collate([rows[position] for position in positions], checkpoint.inputs)
        return session.run(batch).astype(np.float64)

    role = checkpoint.spec.role
    describe = [f"{sample.describe()} ({len(row)} tokens)" for sample, row in zip(parity.samples, rows, strict=True)]
    alone = np.concatenate([answer([position]) for position in range(len(rows))])
    figures = [_worst("error against torch", relative_errors(alone, reference, role), bounds.error, describe)]
    for name, order in _orders(parity.mixed):
        parts = [answer(order[start : start + BATCH]) for start in range(0, len(order), BATCH)]
        changes = relative_errors(np.concatenate(parts), alone[order], role)
        figures.append(_worst(f"change in {name} batches", changes, bounds.neighbours, [describe[at] for at in order]))
    return alone, tuple(figures)


def _orders(positions: Sequence[int]) -> list[tuple[str, list[int]]]:
    """Batch compositions: every batch a random mix of lengths; and another order in other company."""
    order = np.random.default_rng(_SEED).permutation(positions).tolist()
    shift = BATCH // 2
    return [("mixed", order), ("permuted", [*order[::-1][shift:], *order[::-1][:shift]])]


def _worst(name: str, values: Values, bound: float, describe: Sequence[str]) -> Figure:
    at = int(np.argmax(np.where(np.isnan(values), np.inf, values)))
    return Figure(name, float(values[at]), float(values.mean()), "<=", bound, describe[at])


def _ranking_figures(
    parity: ParitySet, languages: Sequence[LanguageAgreement], ours: Values, theirs: Values, bounds: Bounds
) -> tuple[Figure, ...]:
    overlaps = {each.language: each.overlap for each in languages}
    correlations = {each.language: each.correlation for each in languages}
    found = [translations_found(parity.rankings, answers) for answers in (ours, theirs)]
    return (
        _least(f"top-{TOP} overlap, per language", overlaps, bounds.overlap),
        _least("rank correlation, per language", correlations, bounds.correlation),
        Figure("translations found first", found[0], found[0], "info", None, f"torch: {found[1]:.3f}"),
    )


def _least(name: str, means: dict[str, float], bound: float) -> Figure:
    worst = min(means, key=lambda language: np.nan_to_num(means[language], nan=-np.inf))
    return Figure(name, means[worst], float(np.mean(list(means.values()))), ">=", bound, worst)
