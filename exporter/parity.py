"""The parity gate: what is published answers like the torch model it came from.

    samples --torch, one at a time--> reference [n, D]
            --ONNX Runtime, alone; in mixed batches; permuted--> answers [n, D]
    names, axes, dtypes; values; independence of batch neighbours; rankings --> Figures, each with its bound

One figure over its bound fails the export, and the message says which text, in which language, by how much.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from exporter.parity_texts import ParitySet, Ranking, parity_set
from interlingua.errors import ExportError, InputError

if TYPE_CHECKING:
    from exporter.checkpoint import Checkpoint
    from exporter.onnx_session import OnnxSession
    from exporter.spec import Precision, Role
    from exporter.text_encoder import TextEncoder, Tokens

Values = NDArray[np.float64]

TOP = 10
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


# fp32 differs by rounding. int8: an error of 0.1 is a cosine of 0.995; the rankings are what counts. A reranker's are
# of 12 pairs a language, 11 of them as wrong as each other: one that changes places at the middle is an overlap of
# 0.833, two pairs that each move by three places and two that make room a correlation of 0.93.
BOUNDS: dict[tuple[Role, Precision], Bounds] = {
    ("embedder", "fp32"): Bounds(error=1e-4, neighbours=1e-4, overlap=0.99, correlation=0.9999),
    ("embedder", "int8"): Bounds(error=0.12, neighbours=2e-3, overlap=0.85, correlation=0.98),
    ("reranker", "fp32"): Bounds(error=1e-3, neighbours=1e-3, overlap=0.99, correlation=0.999),
    ("reranker", "int8"): Bounds(error=0.2, neighbours=5e-3, overlap=0.8, correlation=0.85),
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
    """

    figures: tuple[Figure, ...]
    samples: int
    languages: int


def run_gate(checkpoint: Checkpoint, session: OnnxSession, precision: Precision) -> GateReport:
    """Compare a network with torch.

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
    reference = _reference(checkpoint, encoder, rows)
    figures = _figures(checkpoint, session, encoder, parity, rows, reference, BOUNDS[checkpoint.spec.role, precision])
    if failed := [figure for figure in figures if not figure.passed]:
        raise ExportError(
            f"{checkpoint.spec.id} in {precision} does not pass the parity gate, nothing was published: "
            + "; ".join(figure.describe() for figure in failed)
        )
    languages = {ranking.language for ranking in parity.rankings}
    return GateReport(figures, samples=len(rows), languages=len(languages))


def relative_errors(ours: Values, theirs: Values, role: Role) -> Values:
    """How far answers are from others, as `Bounds.error` says: [n, D] twice -> [n]."""
    distance: Values = np.linalg.norm(ours - theirs, axis=1)
    scale = np.linalg.norm(theirs, axis=1) if role == "embedder" else np.full(len(theirs), theirs.std())
    errors: Values = distance / np.maximum(scale, _TINY)
    return errors


def top_overlap(ours: Values, theirs: Values, k: int = TOP) -> float:
    """The share of the reference's k best that are among ours: scores [c] twice -> 0 to 1."""
    k = min(k, max(len(ours) // 2, 1))  # of few candidates, all of them would always overlap
    return len(set(np.argsort(-ours)[:k]) & set(np.argsort(-theirs)[:k])) / k


def rank_correlation(ours: Values, theirs: Values) -> float:
    """Spearman's rho of two score lists [c]; 1 where the order is the same."""
    ranks = [np.argsort(np.argsort(scores)).astype(np.float64) for scores in (ours, theirs)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


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
) -> tuple[Figure, ...]:
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
    figures += _ranking_figures(parity, alone, reference, bounds)
    return tuple(figures)


def _orders(positions: Sequence[int]) -> list[tuple[str, list[int]]]:
    """Batch compositions: every batch a random mix of lengths; and another order in other company."""
    order = np.random.default_rng(_SEED).permutation(positions).tolist()
    shift = BATCH // 2
    return [("mixed", order), ("permuted", [*order[::-1][shift:], *order[::-1][:shift]])]


def _worst(name: str, values: Values, bound: float, describe: Sequence[str]) -> Figure:
    at = int(np.argmax(np.where(np.isnan(values), np.inf, values)))
    return Figure(name, float(values[at]), float(values.mean()), "<=", bound, describe[at])


def _ranking_figures(parity: ParitySet, ours: Values, theirs: Values, bounds: Bounds) -> list[Figure]:
    overlaps: dict[str, list[float]] = {}
    correlations: dict[str, list[float]] = {}
    for ranking in parity.rankings:
        pair = (_scores(ranking, ours), _scores(ranking, theirs))
        overlaps.setdefault(ranking.language, []).append(top_overlap(*pair))
        correlations.setdefault(ranking.language, []).append(rank_correlation(*pair))
    found = [_translations_found(parity.rankings, answers) for answers in (ours, theirs)]
    return [
        _least(f"top-{TOP} overlap, per language", overlaps, bounds.overlap),
        _least("rank correlation, per language", correlations, bounds.correlation),
        Figure("translations found first", found[0], found[0], "info", None, f"torch: {found[1]:.3f}"),
    ]


def _least(name: str, by_language: dict[str, list[float]], bound: float) -> Figure:
    means = {language: float(np.mean(values)) for language, values in by_language.items()}
    worst = min(means, key=lambda language: np.nan_to_num(means[language], nan=-np.inf))
    return Figure(name, means[worst], float(np.mean(list(means.values()))), ">=", bound, worst)


def _scores(ranking: Ranking, answers: Values) -> Values:
    candidates = answers[list(ranking.candidates)]
    if ranking.query is None:
        return candidates[:, 0]
    query = answers[ranking.query]
    lengths = np.linalg.norm(candidates, axis=1) * np.linalg.norm(query)
    scores: Values = (candidates @ query) / np.maximum(lengths, _TINY)
    return scores


def _translations_found(rankings: Sequence[Ranking], answers: Values) -> float:
    """The mean share of a query's translations among as many best candidates."""
    shares = []
    for ranking in rankings:
        best = np.argsort(-_scores(ranking, answers))[: len(ranking.answers)]
        shares.append(np.mean([ranking.candidates[place] in ranking.answers for place in best]))
    return float(np.mean(shares))
