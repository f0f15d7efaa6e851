"""`interlingua languages`: what each language costs and how it fares, and what to do about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlingua_evaluation import options

if TYPE_CHECKING:
    from interlingua.repository.published import Published
    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.languages.judged_systems import JudgedSystems
    from interlingua_evaluation.languages.plan import LanguagePlan
    from interlingua_evaluation.languages.text_counts import PublishedTokens
    from interlingua_evaluation.systems.rerank.scorer_choice import Through


@click.command()
@click.argument("source")
@click.option(
    "--report",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder that `interlingua evaluate --out` wrote of SOURCE: nothing is evaluated again.",
)
@click.option("--no-rerank", is_flag=True, help="Leave reranking out of the evaluation.")
@click.option("--language", "languages", multiple=True, help="Look at these languages only; repeat.")
@click.option("--skip-bad", is_flag=True, help="Leave bad lines of a corpus file out and say how many.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@options.ignore_identical_ids
@options.model_repository
@options.server
@options.rerank_through
@options.reranker_checkpoint
@options.gnome
@options.cache
def command(
    source: str,
    report: Path | None,
    no_rerank: bool,
    languages: tuple[str, ...],
    skip_bad: bool,
    as_json: bool,
    ignore_identical_ids: bool,
    model_repository: Path,
    server: str | None,
    rerank_through: Through,
    reranker_checkpoint: str | None,
    gnome: Path | None,
    cache: Path,
) -> None:
    """Say for every language of SOURCE what it costs, how it fares, and what to do.

    SOURCE is a dataset as `interlingua evaluate` takes it, or a JSON-lines corpus without judgments, or - for standard
    input; then there is no quality to tell of.
    """
    from interlingua.base.extras import require

    require("evaluate")
    from interlingua.repository.published import Published
    from interlingua_evaluation.languages.plan import dataset_plan
    from interlingua_evaluation.languages.text_counts import PublishedTokens

    models = Published.read(model_repository)
    tokens = PublishedTokens.of(models)
    if _is_corpus(source):
        if report is not None:
            raise click.UsageError("--report needs a dataset with judgments, and SOURCE is a corpus file")
        plan = _corpus_plan(source, tokens, languages, skip_bad=skip_bad)
    else:
        from interlingua_evaluation.datasets.sources import open_dataset
        from interlingua_evaluation.languages.judged_systems import read_report, wanted_systems

        dataset = open_dataset(source, gnome=gnome, languages=languages, ignore_identical_ids=ignore_identical_ids)
        rerank = models.reranker is not None and not no_rerank
        if report is None:
            judged = _evaluated(dataset, models, server, rerank_through, reranker_checkpoint, cache, rerank=rerank)
        else:
            judged = read_report(report, dataset, models, wanted_systems(rerank=rerank))
        plan = dataset_plan(dataset, judged, tokens)
    _print(plan, as_json=as_json)


def _is_corpus(source: str) -> bool:
    return source == "-" or Path(source).is_file()


def _corpus_plan(source: str, tokens: PublishedTokens, languages: tuple[str, ...], *, skip_bad: bool) -> LanguagePlan:
    from interlingua_client.corpus import Corpus
    from interlingua_client.search.query_language import LanguageDetector
    from interlingua_evaluation.datasets.language_choice import wanted_tags
    from interlingua_evaluation.languages.plan import corpus_plan

    corpus = Corpus(source, LanguageDetector().tag_of, skip_bad=skip_bad)
    return corpus_plan(corpus, tokens, wanted_tags(languages))


def _evaluated(
    dataset: Dataset,
    models: Published,
    server: str | None,
    through: Through,
    checkpoint: str | None,
    cache: Path,
    *,
    rerank: bool,
) -> JudgedSystems:
    from interlingua_evaluation.evaluate import EvaluationSettings, evaluate
    from interlingua_evaluation.languages.judged_systems import of_evaluation, wanted_systems
    from interlingua_evaluation.systems.system_name import SystemName

    names = [SystemName.parse(name) for name in wanted_systems(rerank=rerank)]
    settings = EvaluationSettings(
        systems=names, baseline=names[0], half="test", query_language="detected", cost=False, cache=cache
    )
    return of_evaluation(evaluate(dataset, models, settings, server, through, checkpoint))


def _print(plan: LanguagePlan, *, as_json: bool) -> None:
    from interlingua.display.terminal import print_parts
    from interlingua_evaluation.languages.plan_tables import parts
    from interlingua_evaluation.report.plain import plain

    if as_json:
        click.echo(json.dumps(plain(plan), ensure_ascii=False, allow_nan=False))
        return
    print_parts(parts(plan))
