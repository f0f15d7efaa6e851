"""`interlingua evaluate`: which language pair fails, by how much, and what to switch on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlingua.base.paths import PROJECT_ROOT
from interlingua_cli.options.common import FOLDER
from interlingua_client.index.passages.passage_plan import DEFAULT_PLAN, PassagePlan
from interlingua_evaluation import options

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset, Half
    from interlingua_evaluation.datasets.finding import DatasetFinding
    from interlingua_evaluation.evaluate import Evaluation, QueryLanguage
    from interlingua_evaluation.measures.gains import Gains
    from interlingua_evaluation.systems.rerank.scorer_choice import Through
    from interlingua_evaluation.systems.system_name import SystemName

_WITHOUT_RERANKER = ("bm25", "dense", "dense+offsets", "hybrid+offsets")
_WITH_RERANKER = (
    "bm25+rerank@50",
    "dense+rerank@50",
    "dense+offsets+rerank@10",
    "dense+offsets+rerank@20",
    "dense+offsets+rerank@50",
    "dense+offsets+rerank@100",
    "hybrid+offsets+rerank@50",
)
_PIPED_WIDTH = 100
_REPORTS = PROJECT_ROOT / "var" / "reports"


@click.command()
@click.argument("dataset")
@click.option(
    "--system",
    "systems",
    multiple=True,
    metavar="NAME",
    help="What to evaluate, such as bm25, dense+offsets, hybrid+offsets+rerank@50; repeat.  "
    "[default: a dozen, with reranking at four depths where a reranker is published]",
)
@click.option("--baseline", metavar="NAME", help="The system that the others are compared with.  [default: dense]")
@click.option("--no-rerank", is_flag=True, help="Leave out the default systems that rerank.")
@click.option("--language", "languages", multiple=True, help="Evaluate only these languages; repeat.")
@click.option(
    "--half",
    type=click.Choice(["test", "development"]),
    default="test",
    show_default=True,
    help="The half of a dataset that is split. Choose settings on development, look at test when nothing changes.",
)
@click.option(
    "--query-language",
    type=click.Choice(["detected", "given"]),
    default="detected",
    show_default=True,
    help="How a search knows a query's language.",
)
@click.option(
    "--gains",
    type=click.Choice(["linear", "exponential"]),
    default="linear",
    show_default=True,
    help="What a grade is worth in nDCG: itself, as in trec_eval, BEIR and MTEB, or 2^grade - 1.",
)
@click.option(
    "--out",
    type=FOLDER,
    help="Folder for report.html, report.json, values.npz and runs/.  [default: var/reports/DATASET]",
)
@click.option(
    "--fail-under",
    "thresholds",
    multiple=True,
    metavar="SPEC",
    help="Exit with 1 if a figure is lower, such as mixed:ndcg@10=0.5; repeat (docs/evaluation.md).",
)
@click.option(
    "--passage-tokens",
    type=int,
    help=f"How long passages are, for systems with `passages`.  [default: {DEFAULT_PLAN.size}]",
)
@click.option(
    "--passage-overlap",
    type=float,
    help=f"Share of a passage that may repeat the one before it.  [default: {DEFAULT_PLAN.overlap}]",
)
@click.option("--check", "check_only", is_flag=True, help="Only say what is wrong with the dataset.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON instead of tables.")
@options.ignore_identical_ids
@options.model_repository
@options.server
@options.rerank_through
@options.reranker_checkpoint
@click.option("--no-cost", is_flag=True, help="Do not measure how fast the rerank service reads.")
@options.gnome
@options.cache
def command(
    dataset: str,
    check_only: bool,
    gnome: Path | None,
    languages: tuple[str, ...],
    ignore_identical_ids: bool,
    **options: Any,
) -> int:
    """Measure retrieval on DATASET per language pair.

    DATASET is helpdesk12, helpdesk12-codes, gnome-help, gnome-help-descriptions, debian-reference, ir_datasets:ID,
    mteb:TASK[/SPLIT], or a folder in BEIR's layout whose documents and queries have a language.
    """
    from interlingua.base.extras import require

    require("evaluate")
    from interlingua_evaluation.datasets.sources import open_dataset

    opened = open_dataset(
        dataset,
        gnome=gnome,
        languages=languages,
        gains=options["gains"],
        ignore_identical_ids=ignore_identical_ids,
    )
    if check_only:
        return _checked(opened, as_json=options["as_json"])
    return _evaluated(opened, **options)


def _checked(dataset: Dataset, *, as_json: bool) -> int:
    """Prints the findings; 1 where one is an error."""
    from interlingua_evaluation.datasets.dataset_check import check
    from interlingua_evaluation.report.plain import plain

    findings = check(dataset)
    if as_json:
        click.echo(json.dumps({"dataset": dataset.name, "findings": plain(findings)}, indent=1, ensure_ascii=False))
    else:
        click.echo(f"{dataset.name}: {len(dataset.documents)} documents, {len(dataset.queries)} queries")
        _show_findings(findings)
    return int(any(finding.severity == "error" for finding in findings))


def _show_findings(findings: tuple[DatasetFinding, ...]) -> None:
    if not findings:
        click.echo("nothing was found to be wrong")
    for finding in findings:
        click.echo(f"{finding.severity}: {finding.kind} ({finding.count}): {finding.message}")
        for example in finding.examples:
            click.echo(f"    {example}")


def _evaluated(
    dataset: Dataset,
    *,
    systems: tuple[str, ...],
    baseline: str | None,
    no_rerank: bool,
    half: Half,
    query_language: QueryLanguage,
    gains: Gains,
    out: Path | None,
    thresholds: tuple[str, ...],
    as_json: bool,
    model_repository: Path,
    server: str | None,
    rerank_through: Through,
    reranker_checkpoint: str | None,
    no_cost: bool,
    cache: Path,
    passage_tokens: int | None,
    passage_overlap: float | None,
) -> int:
    from interlingua.repository.published import Published
    from interlingua_evaluation.evaluate import EvaluationSettings, evaluate
    from interlingua_evaluation.report.changes.thresholds import parse_all

    wanted = parse_all(thresholds)
    models = Published.read(model_repository)
    reranks = models.reranker is not None and not no_rerank
    names = _names(systems or (_WITHOUT_RERANKER + (_WITH_RERANKER if reranks else ())))
    settings = EvaluationSettings(
        systems=names,
        baseline=_baseline(baseline, names),
        half=half,
        query_language=query_language,
        gains=gains,
        cost=not no_cost,
        cache=cache,
        plan=PassagePlan(
            size=DEFAULT_PLAN.size if passage_tokens is None else passage_tokens,
            overlap=DEFAULT_PLAN.overlap if passage_overlap is None else passage_overlap,
        ).checked(),
    )
    evaluation = evaluate(dataset, models, settings, server, rerank_through, reranker_checkpoint)
    folder = _REPORTS / dataset.name if out is None else out
    _write(evaluation, folder)
    return _shown(evaluation, folder, wanted, as_json=as_json)


def _names(systems: tuple[str, ...]) -> list[SystemName]:
    from interlingua_evaluation.systems.system_name import SystemName

    return list(dict.fromkeys(SystemName.parse(name) for name in systems))


def _baseline(name: str | None, names: list[SystemName]) -> SystemName:
    from interlingua_evaluation.systems.system_name import SystemName

    plain_dense = SystemName(first="dense")
    if name is None:
        return plain_dense if plain_dense in names else names[0]
    baseline = SystemName.parse(name)
    if baseline not in names:
        raise click.UsageError(f"the baseline {baseline} is not among the systems: {', '.join(map(str, names))}")
    return baseline


def _write(evaluation: Evaluation, folder: Path) -> None:
    from interlingua_evaluation.report.files import write_report

    write_report(evaluation, folder)


def _shown(evaluation: Evaluation, folder: Path, wanted: Any, *, as_json: bool) -> int:
    from interlingua.display.terminal import print_parts
    from interlingua_evaluation.report.changes.thresholds import check
    from interlingua_evaluation.report.terminal import parts

    if as_json:
        click.echo(json.dumps(evaluation.report.to_json(), ensure_ascii=False))
    else:
        print_parts(parts(evaluation.report), _PIPED_WIDTH)
    print(f"written: {folder / 'report.html'}", file=sys.stderr)
    failures = check(evaluation.report, wanted)
    for failure in failures:
        print(f"too low: {failure}", file=sys.stderr)
    return int(bool(failures))
