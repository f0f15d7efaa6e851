"""What a reranker costs, and what int8 costs it: `make reranker-cost`.

    lists of GNOME help's test half, 50 candidates each --a published reranker, precision by precision-->
        the network in this process, perfectly batched        --> pairs a second, the limit; of late interaction
                                                                  the documents', whose queries are read but once
        the service, lists one after another and several at once --> pairs a second, ms a list
        of late interaction the questions alone, which is what is left where token vectors are stored
        the service's logits --the client's mixing--> nDCG@10 --> what int8 loses, list by list

The lists are drawn with a fixed seed from the lists across languages. Nothing else may run meanwhile.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import numpy as np

from interlingua.base.errors import InputError
from interlingua.base.extras import require
from interlingua.base.paths import PROJECT_ROOT
from interlingua.display.grid import Cell, Grid, row
from interlingua.display.terminal import print_parts
from interlingua.repository.published import Published
from interlingua_benchmarks.command import run
from interlingua_benchmarks.reranker_table import DEFAULT, datasets
from interlingua_evaluation import options
from interlingua_exporter.models.catalog import DEFAULT_MODEL

if TYPE_CHECKING:
    from interlingua_benchmarks.in_process_limit import Limit
    from interlingua_evaluation.rerankers.served_lists import Served
    from interlingua_evaluation.significance.bootstrap import Interval
    from interlingua_evaluation.systems.candidate_lists import CandidateLists

REPOSITORIES = PROJECT_ROOT / "build" / "reranker-cost"
PRECISIONS = ("fp32", "int8")
BUDGETS = (512, 1024, 2048)  # tokens of a sub-batch, tried for the in-process limit
LIMIT_PAIRS = 80
SEED = 12


class RerankerCost(NamedTuple):
    """One precision's figures.

    Attributes:
        limit: in-process.
        ndcg: of each list, mixed with the reranker's own weight.
    """

    precision: str
    limit: Limit
    served: Served
    ndcg: np.ndarray[tuple[int], np.dtype[np.float64]]


@click.command()
@click.option("--reranker", default=DEFAULT.source, show_default=True, help="A catalogue name or a folder.")
@click.option("--lists", "number", default=24, show_default=True, type=click.IntRange(2), help="Lists to rerank.")
@click.option(
    "--precision", "precisions", type=click.Choice(PRECISIONS), multiple=True, default=PRECISIONS, show_default=True
)
@click.option("--clients", default=8, show_default=True, type=click.IntRange(1), help="Clients that ask at once.")
@options.gnome
@options.model_repository
@options.cache
@click.option(
    "--repositories",
    type=click.Path(path_type=Path, file_okay=False),
    default=REPOSITORIES,
    help="Where a repository a precision is made.  [default: build/reranker-cost]",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures here.")
def main(
    reranker: str,
    number: int,
    precisions: tuple[str, ...],
    clients: int,
    gnome: Path | None,
    model_repository: Path,
    cache: Path,
    repositories: Path,
    json_file: Path | None,
) -> None:
    """Measure a reranker's speed and quality in fp32 and int8."""
    require("evaluate")
    from interlingua_evaluation.rerankers.first_stages import FirstStages
    from interlingua_evaluation.rerankers.served_lists import draw
    from interlingua_evaluation.serving import published_embedder
    from interlingua_evaluation.systems.dense_vectors import dense_vectors

    dataset = datasets(gnome)[0]
    vectors = dense_vectors(dataset, cache, published_embedder(Published.read(model_repository)))
    lists = draw(FirstStages.of(dataset, vectors).offsets, number, SEED)
    costs = [measure(reranker, precision, lists, clients, repositories / precision) for precision in precisions]
    report = _report(reranker, lists, costs, clients)
    if json_file is not None:
        json_file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print_parts([_table(report)])


def measure(reranker: str, precision: str, lists: CandidateLists, clients: int, repository: Path) -> RerankerCost:
    """Export it if need be, then the limit and the service, one after the other."""
    from interlingua_benchmarks.in_process_limit import find_limit
    from interlingua_evaluation.measures.relevance import Judge
    from interlingua_evaluation.rerankers.served_lists import rerank_through_service
    from interlingua_evaluation.systems.candidate_lists import NOTHING
    from interlingua_evaluation.systems.rerank.reranking import MixedScores
    from interlingua_exporter.models.resolve import resolve
    from interlingua_exporter.weights.checkpoint_folder import Overrides
    from interlingua_exporter.weights.sources import load

    if Published.read(repository).newest("embedder") is None:  # a client wants both services
        _export(repository, precision, DEFAULT_MODEL)
    exported = _export(repository, precision, reranker)
    checkpoint = load(resolve(reranker), Overrides())
    pairs = [
        (lists.dataset.queries[query].text, lists.dataset.documents[document].indexed.passage)
        for query, row in zip(lists.queries.tolist(), lists.documents.tolist(), strict=True)
        for document in row
        if document != NOTHING
    ]
    chosen = np.random.default_rng(SEED).permutation(len(pairs))[:LIMIT_PAIRS]
    encoded = checkpoint.long_rows(checkpoint.text_encoder(), [pairs[number] for number in chosen])
    tokens = [np.array(each.ids, np.int64) for each in encoded]
    network = repository / "reranker" / str(exported["version"]) / "model.onnx"
    click.echo(f"{precision}: in-process limit, {np.mean([len(ids) for ids in tokens]):.0f} tokens a pair", err=True)
    limit = find_limit(network, tokens, len(os.sched_getaffinity(0)), BUDGETS, pad_id=checkpoint.pad_token_id)
    click.echo(f"{precision}: service", err=True)
    served = rerank_through_service(repository, str(exported["digest"]), lists, clients)
    mixed = MixedScores.of(lists, served.logits)
    return RerankerCost(precision, limit, served, Judge(lists).ndcg(mixed.ranked(checkpoint.spec.rerank_weight)))


def _export(repository: Path, precision: str, model: str) -> dict[str, object]:
    command = [sys.executable, "-P", "-m", "interlingua", "export", model, "--precision", precision, "--json"]
    done = subprocess.run(
        [*command, "--model-repository", str(repository)], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise InputError(f"`interlingua export {model} --precision {precision}` failed: its message is above")
    facts: dict[str, object] = json.loads(done.stdout)
    return facts


def _report(reranker: str, lists: CandidateLists, costs: list[RerankerCost], clients: int) -> dict[str, object]:
    from interlingua_benchmarks.serving_benchmark import machine
    from interlingua_evaluation.measures.relevance import Judge

    dense = Judge(lists).ndcg(lists.documents)
    first = costs[0]
    return {
        "machine": machine(),
        "reranker": reranker,
        "lists": len(lists.queries),
        "pairs": int(lists.filled.sum()),
        "clients": clients,
        "dense_ndcg": float(dense.mean()),
        "precisions": {
            cost.precision: {
                "limit_pairs_per_s": cost.limit.texts_per_second,
                "limit_split": str(cost.limit.split),
                "service_pairs_per_s": cost.served.pairs_per_second,
                "lone_pairs_per_s": cost.served.lone_pairs_per_second,
                "lone_list_p50_ms": cost.served.lone_list_p50_ms,
                "questions_per_s": cost.served.questions_per_second,
                "lone_question_p50_ms": cost.served.lone_question_p50_ms,
                "ndcg": float(cost.ndcg.mean()),
                "over_dense": list(_difference(lists, cost.ndcg - dense)),
                f"over_{first.precision}": list(_difference(lists, cost.ndcg - first.ndcg)),
            }
            for cost in costs
        },
    }


def _difference(lists: CandidateLists, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Interval:
    """The mean over all lists, whatever their pair, with its interval."""
    from interlingua_evaluation.significance.bootstrap import resample
    from interlingua_evaluation.systems.candidate_lists import Pair

    every = Pair("any", "any")
    return resample(values, [every] * len(values), lists.groups).of_pair(every)


def _table(report: dict[str, object]) -> Grid:
    figures: dict[str, dict[str, object]] = report["precisions"]  # type: ignore[assignment]
    machine: dict[str, str] = report["machine"]  # type: ignore[assignment]
    title = (
        f"{report['reranker']}: {report['lists']} lists, {report['pairs']} pairs; {machine['cores']} cores of "
        f"{machine['cpu']}, {machine['date']}, commit {machine['commit']}"
    )
    rows: list[tuple[Cell, ...]] = []

    def add(label: str, cell: str, *names: str) -> None:
        rows.append(row(label, *(cell.format(*(each[name] for name in names)) for each in figures.values())))

    add("in-process limit, pairs/s", "{:.1f} ({})", "limit_pairs_per_s", "limit_split")
    add(f"service, {report['clients']} clients, pairs/s", "{:.1f}", "service_pairs_per_s")
    add("service, one client, pairs/s", "{:.1f}", "lone_pairs_per_s")
    add("service, one list alone, p50 ms", "{:.0f}", "lone_list_p50_ms")
    if all(each["questions_per_s"] is not None for each in figures.values()):
        add(f"stored token vectors, {report['clients']} clients, questions/s", "{:.1f}", "questions_per_s")
        add("stored token vectors, one question alone, p50 ms", "{:.1f}", "lone_question_p50_ms")
    add("nDCG@10, mixed", "{:.3f}", "ndcg")
    first = next(iter(figures))
    dense = f"over dense ({report['dense_ndcg']:.3f})"
    for name, label in (("over_dense", dense), (f"over_{first}", f"over {first}")):
        add(label, "{0[0]:+.3f} [{0[1]:+.3f}, {0[2]:+.3f}]", name)
    return Grid(title, ("", *figures), tuple(rows))


if __name__ == "__main__":
    run(main)
