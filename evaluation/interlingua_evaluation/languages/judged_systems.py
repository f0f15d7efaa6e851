"""The systems that the plan compares, judged: by an evaluation that was just made, or by a report on the disk.

Evaluation ---------------------------------\\
report.json, values.npz, runs/ of a folder --> JudgedSystems: every list's values, and what came first in it

Each system is the one before it with one thing switched on, so that the steps between them say what each is worth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_evaluation.measures.gains import DEFAULT, FORMULAS
from interlingua_evaluation.measures.relevance import CUTOFF, NDCG
from interlingua_evaluation.report.saved_report import SavedReport

if TYPE_CHECKING:
    from interlingua.repository.published import Published
    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.evaluate import Evaluation
    from interlingua_evaluation.report.list_values import ListValues
    from interlingua_evaluation.systems.candidate_lists import CandidateLists

DENSE, OFFSETS, RERANKED = "dense", "dense+offsets", "dense+offsets+rerank@20"
STEPS = {OFFSETS: "offsets", RERANKED: "reranking"}

_RUNS = "runs"


@dataclass(frozen=True)
class JudgedSystems:
    """What was measured.

    Attributes:
        half: whose queries count.
        values: of the lists that count, R of them.
        lists: system -> all lists of both halves, with the same rows for every system.
    """

    half: str
    values: ListValues
    lists: Mapping[str, CandidateLists]

    @property
    def names(self) -> tuple[str, ...]:
        """The systems, in the order in which things are switched on."""
        return tuple(self.lists)


def wanted_systems(*, rerank: bool) -> tuple[str, ...]:
    """Names of the systems."""
    return (DENSE, OFFSETS, RERANKED) if rerank else (DENSE, OFFSETS)


def of_evaluation(evaluation: Evaluation) -> JudgedSystems:
    """Takes an evaluation that ran the wanted systems, in their order."""
    lists = {str(run.name): run.lists for run in evaluation.runs}
    return JudgedSystems(evaluation.report.dataset.half, evaluation.findings.values, lists)


def read_report(folder: Path, dataset: Dataset, models: Published, names: Sequence[str]) -> JudgedSystems:
    """From a folder that `interlingua evaluate --out` wrote.

    Raises:
        InputError: it cannot be read, is about another dataset or other models, or lacks one of the systems; the
            message names all of it.
    """
    saved = SavedReport.load(folder)
    faults = [*gains_faults(saved), *_dataset_faults(saved, dataset), *_system_faults(saved, names)]
    faults += _model_faults(saved, models, names)
    if faults:
        raise InputError(f"the report {folder} does not fit: {'; '.join(faults)}")
    return JudgedSystems(saved.half, saved.values, _lists(folder, dataset, names))


def gains_faults(saved: SavedReport) -> Iterator[str]:
    """Why its nDCG cannot be shown beside that of others."""
    if saved.gains != DEFAULT:
        yield f"its {NDCG} has {FORMULAS[saved.gains]}, not {FORMULAS[DEFAULT]}: evaluate again"


def _dataset_faults(saved: SavedReport, dataset: Dataset) -> Iterator[str]:
    if saved.digest != dataset.digest:
        yield (
            f"it is about {saved.dataset} with the digest {saved.digest[:12]}, and {dataset.name} now has "
            f"{dataset.digest[:12]} (was it evaluated with another --language?)"
        )


def _system_faults(saved: SavedReport, names: Sequence[str]) -> Iterator[str]:
    missing = [name for name in names if NDCG not in saved.values.values.get(name, {})]
    if missing:
        options = " ".join(f"--system {name}" for name in names)
        without = ", or leave reranking out with --no-rerank" if missing == [RERANKED] else ""
        yield f"it lacks {', '.join(missing)}: evaluate again with {options}{without}"


def _model_faults(saved: SavedReport, models: Published, names: Sequence[str]) -> Iterator[str]:
    """Token counts would be of other models than the figures."""
    made = saved.report.configuration
    pairs = (
        ("embedder", made.embedder, models.embedder),
        ("reranker", made.reranker, models.reranker if RERANKED in names else None),
    )
    for role, evaluated, spec in pairs:
        if spec is not None and evaluated and evaluated.digest != spec.digest:
            yield (
                f"its {role} is {evaluated.model_id} ({evaluated.digest[:12]}), and {models.root} has "
                f"{spec.model_id} ({spec.digest[:12]})"
            )


def _lists(folder: Path, dataset: Dataset, names: Sequence[str]) -> dict[str, CandidateLists]:
    from interlingua_evaluation.systems.trec_run import read_run

    return {name: read_run(folder / _RUNS / name, dataset, CUTOFF) for name in names}
