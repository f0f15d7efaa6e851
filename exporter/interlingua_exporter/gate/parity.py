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

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import ExportError
from interlingua_exporter.gate.answering import asked_of
from interlingua_exporter.gate.bounds import ARITHMETIC, BOUNDS, Bounds
from interlingua_exporter.gate.figures import GateFigure, ranking_figures, relative_errors, worst
from interlingua_exporter.gate.library_gate import Libraries
from interlingua_exporter.gate.ranking_agreement import LanguageAgreement, Values, agreements
from interlingua_exporter.gate.signature import check_signature, check_vocabulary
from interlingua_exporter.gate.torch_answers import torch_answers
from interlingua_exporter.texts.parity_texts import ParitySet, parity_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from interlingua.served.kinds import Precision
    from interlingua_exporter.gate.answering import Answering
    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.graphs.network_session import NetworkSession

BATCH = 6
_SEED = 20


@dataclass(frozen=True, kw_only=True)
class GateReport:
    """What the gate saw.

    Attributes:
        samples: texts compared.
        languages: of them.
        agreements: every language's rankings against torch's, those that fail and agree least first.
        arithmetic: what was run, where it is not what a server will run; else "".
        libraries: those that read the same folder and were asked, or why not.
    """

    figures: tuple[GateFigure, ...]
    samples: int
    languages: int
    agreements: tuple[LanguageAgreement, ...] = ()
    arithmetic: str = ""
    libraries: tuple[str, ...] = ()


def run_gate(
    checkpoint: Checkpoint,
    session: NetworkSession,
    precision: Precision,
    reference: Values | None = None,
    libraries: Libraries = Libraries(),  # noqa: B008
) -> GateReport:
    """Compare a network with torch.

    Args:
        reference: `gate_answers` of this checkpoint, where they are at hand.
        libraries: what they say of it; its figures stand in the report beside the network's.

    Raises:
        ExportError: a name, an axis, a dtype or a figure is not what it has to be; the message says which text,
            which language, which figure and the bound.
        InputError: the tokenizer gives ids that the network does not have.
    """
    check_signature(checkpoint, session)
    encoder = checkpoint.text_encoder()
    parity = parity_set(checkpoint.spec, encoder)
    asked = asked_of(checkpoint, encoder, [sample.text for sample in parity.samples])
    check_vocabulary(checkpoint, asked.rows)
    if reference is None:
        reference = torch_answers(checkpoint, asked)
    bounds = BOUNDS[checkpoint.spec.role, precision]
    alone, figures = _figures(checkpoint, session, asked, parity, reference, bounds)
    languages = agreements(parity, alone, reference, overlap=bounds.overlap, correlation=bounds.correlation)
    figures += ranking_figures(parity, languages, alone, reference, bounds)
    faults = [figure.describe() for figure in figures if not figure.passed]
    if differ := [language.describe() for language in languages if not language.passed]:
        faults.append(f"rankings differ in {len(differ)} of {len(languages)} languages: {', '.join(differ)}")
    if faults:
        raise ExportError(
            f"{checkpoint.spec.id} in {precision} does not pass the parity gate, nothing was published: "
            + "; ".join(faults)
        )
    return GateReport(
        figures=(*libraries.figures, *figures),
        samples=len(parity.samples),
        languages=len(languages),
        agreements=languages,
        arithmetic=ARITHMETIC[precision],
        libraries=libraries.asked,
    )


def gate_answers(checkpoint: Checkpoint) -> Values:
    """What torch answers to the gate's texts, [samples, D]: one reference for several gates. Raises as `run_gate`."""
    encoder = checkpoint.text_encoder()
    samples = parity_set(checkpoint.spec, encoder).samples
    asked = asked_of(checkpoint, encoder, [sample.text for sample in samples])
    check_vocabulary(checkpoint, asked.rows)
    return torch_answers(checkpoint, asked)


def _figures(
    checkpoint: Checkpoint,
    session: NetworkSession,
    asked: Answering,
    parity: ParitySet,
    reference: Values,
    bounds: Bounds,
) -> tuple[Values, tuple[GateFigure, ...]]:
    """The answers, each text alone, and how far they are from torch's and from those in batches."""

    def answer(positions: Iterable[int]) -> Values:
        return asked.answers(session.run, list(positions))

    role = checkpoint.spec.role
    described = zip(parity.samples, asked.lengths, strict=True)
    describe = [f"{sample.describe()} ({tokens} tokens)" for sample, tokens in described]
    alone = np.concatenate([answer([position]) for position in range(len(describe))])
    figures = [worst("error against torch", relative_errors(alone, reference, role), bounds.error, describe)]
    for name, order in _orders(parity.mixed):
        parts = [answer(order[start : start + BATCH]) for start in range(0, len(order), BATCH)]
        changes = relative_errors(np.concatenate(parts), alone[order], role)
        figures.append(worst(f"change in {name} batches", changes, bounds.neighbours, [describe[at] for at in order]))
    return alone, tuple(figures)


def _orders(positions: Sequence[int]) -> list[tuple[str, list[int]]]:
    """Batch compositions: every batch a random mix of lengths; and another order in other company."""
    order = np.random.default_rng(_SEED).permutation(positions).tolist()
    shift = BATCH // 2
    return [("mixed", order), ("permuted", [*order[::-1][shift:], *order[::-1][:shift]])]
