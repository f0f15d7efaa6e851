"""What decides the figures, as tables: the dataset, the models, the settings, with their digests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from interlingua.display.figures import ABSENT, number
from interlingua.display.grid import Grid, row
from interlingua_evaluation.measures.gains import FORMULAS

if TYPE_CHECKING:
    from interlingua_evaluation.report.model import Configuration, ModelFacts, Report


def summary(report: Report) -> str:
    """The dataset in one line."""
    dataset = report.dataset
    return (
        f"{dataset.named}: {dataset.queries} queries in {dataset.groups} groups over "
        f"{dataset.documents} documents in {len(dataset.languages)} languages"
    )


def configuration(report: Report) -> Iterator[Grid]:
    """Settings, models, the dataset's own facts, software."""
    yield _facts("Run", _run(report))
    models = {"embedder": report.configuration.embedder, "reranker": report.configuration.reranker}
    for role, model in models.items():
        if model is not None:
            yield _facts(role.capitalize(), _model(model))
    yield _facts("Dataset", {"digest": report.dataset.digest, **report.dataset.facts})
    yield _facts("Software", report.configuration.software)


def _run(report: Report) -> dict[str, object]:
    settings: Configuration = report.configuration
    rate = settings.rerank_pairs_per_second
    return {
        "made": f"{report.created}, in {number(report.seconds, 0)} s",
        "query language": settings.query_language,
        "nDCG": FORMULAS[settings.gains],
        "list depth": settings.list_depth,
        "resamples": f"{settings.resamples}, seed {settings.seed}",
        "rerank pairs a second": "not measured" if rate is None else number(rate, 1),
        "queries by kind": report.dataset.queries_by_kind,
    }


def _model(model: ModelFacts) -> dict[str, object]:
    return {
        "model": model.model_id,
        "revision": model.revision,
        "precision": model.precision,
        "digest": model.digest,
        "answers": model.how,
    }


def _facts(title: str, facts: Mapping[str, object]) -> Grid:
    rows = tuple(row(name.replace("_", " "), _said(value)) for name, value in facts.items())
    return Grid(title, ("name", "value"), rows)


def _said(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(item)}" for key, item in value.items()) or ABSENT
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_said, value)) or ABSENT
    if isinstance(value, float):
        return number(value, 6).rstrip("0").rstrip(".")
    return ABSENT if value is None else str(value)
