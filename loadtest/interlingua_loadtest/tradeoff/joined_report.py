"""An evaluation and the model repository that it was made of, checked to belong together.

LABEL=REPORT:REPOSITORY --> ReportSource;  REPORT/report.json --> JoinedReport: its systems' nDCG@10, pair by pair
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_evaluation.languages.judged_systems import gains_faults
from interlingua_evaluation.measures.relevance import NDCG
from interlingua_evaluation.report.model import Breakdown, Figure, MeasureFigures
from interlingua_evaluation.report.saved_report import FILE, SavedReport
from interlingua_evaluation.systems.system_name import SystemName

if TYPE_CHECKING:
    from interlingua.repository.published import Published
    from interlingua_evaluation.report.model import Configuration


@dataclass(frozen=True)
class ReportSource:
    """Where one model's figures and networks are."""

    label: str
    report: Path
    repository: Path

    @classmethod
    def parse(cls, text: str) -> ReportSource:
        """Reads `int8=REPORT:REPOSITORY`; the report is a folder, or the report.json in it. Raises InputError."""
        label, _, places = text.partition("=")
        report, _, repository = places.rpartition(":")
        if not (label.strip() and report and repository):
            raise InputError(f"--setting {text!r} is not as in int8=REPORT:REPOSITORY")
        path = Path(report)
        return cls(label.strip(), path.parent if path.name == FILE else path, Path(repository))


@dataclass(frozen=True, kw_only=True)
class JoinedReport:
    """What is taken from a report.

    Attributes:
        ndcg: nDCG@10 by system; systems that the search does not serve are left out.
        left_out: those.
        languages: of its dataset.
        detected: whether queries' languages were detected rather than given.
    """

    source: ReportSource
    saved: SavedReport
    models: Published
    ndcg: Mapping[SystemName, MeasureFigures]
    left_out: tuple[str, ...]
    languages: tuple[str, ...]
    detected: bool

    @classmethod
    def read(cls, source: ReportSource) -> JoinedReport:
        """Read both.

        Raises:
            InputError: one cannot be read, the report is of other models than the repository's, or its nDCG has other
                gains than the default.
        """
        from interlingua.repository.published import Published

        saved = SavedReport.load(source.report)
        models = Published.read(source.repository)
        report = saved.report
        if faults := list(gains_faults(saved)):
            raise InputError(f"--setting {source.label}: the report {source.report} does not fit: {faults[0]}")
        _require_models(source, models, report.configuration)
        named = {SystemName.parse(system.name): system for system in report.systems}
        served = {name: _known(system.measures[NDCG]) for name, system in named.items() if is_served(name)}
        if not served:
            raise InputError(f"{source.report} has no system that the search serves, such as dense+offsets+rerank@20")
        left_out = tuple(str(name) for name in named if name not in served)
        languages = tuple(counts.language for counts in report.dataset.languages)
        return cls(
            source=source,
            saved=saved,
            models=models,
            ndcg=served,
            left_out=left_out,
            languages=languages,
            detected=report.configuration.query_language == "detected",
        )


def is_served(name: SystemName) -> bool:
    """Whether the client searches like that; a quota's many searches have no cost here."""
    return name.first == "dense" and not name.calibration and not name.quota


def require_one_dataset(reports: Sequence[JoinedReport]) -> None:
    """Raises InputError: their figures cannot be compared, or two have one label."""
    first = reports[0]
    labels = [report.source.label for report in reports]
    if len(set(labels)) < len(labels):
        raise InputError(f"--setting: each needs a label of its own, there are {', '.join(labels)}")
    for other in reports[1:]:
        if (other.saved.digest, other.saved.half) != (first.saved.digest, first.saved.half):
            raise InputError(f"{_told(first)}, {_told(other)}: evaluate both on the same dataset and half")


def _told(report: JoinedReport) -> str:
    saved = report.saved
    return f"{report.source.label} was evaluated on {saved.named} ({saved.digest[:12]})"


def _require_models(source: ReportSource, models: Published, configuration: Configuration) -> None:
    faults = list(_model_faults(source, models, configuration))
    if faults:
        raise InputError(f"--setting {source.label}: {'; '.join(faults)}: name the report's own repository")


def _model_faults(source: ReportSource, models: Published, configuration: Configuration) -> Iterator[str]:
    pairs = (
        ("embedder", configuration.embedder, models.embedder),
        ("reranker", configuration.reranker, models.reranker),
    )
    for role, made, spec in pairs:
        if made is not None and spec is not None and made.digest != spec.digest:
            yield (
                f"the report's {role} is {made.model_id} in {made.precision} ({made.digest[:12]}), "
                f"{source.repository} has {spec.model_id} in {spec.precision} ({spec.digest[:12]})"
            )


def _known(figures: MeasureFigures) -> MeasureFigures:
    """Without what is no number: there is nothing to compare."""
    whole = Breakdown(*(_number(figure) for figure in (figures.all.same, figures.all.across, figures.all.mixed)))
    return MeasureFigures(whole, {}, {pair: figure for pair, figure in figures.pairs.items() if _number(figure)})


def _number(figure: Figure | None) -> Figure | None:
    return None if figure is None or math.isnan(figure.mean) else figure
