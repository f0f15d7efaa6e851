"""What a user should switch on, and look at: sentences, each from a figure of the report and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua_evaluation.measures.relevance import NDCG
from interlingua_evaluation.report.averages import SORTS, sort_of
from interlingua_evaluation.systems.system_name import SystemName

if TYPE_CHECKING:
    from interlingua_evaluation.report.model import Breakdown, Comparison, Figure, SystemFigures

_NAMED = 5
_FAR_BELOW = 0.15  # nDCG@10 below the average of its kind
_FAVOURED = 2.0  # times the share among the relevant
_LOW_CEILING = 0.8
_AS_GOOD = 0.01


def overall(system: SystemFigures) -> float:
    """nDCG@10, averaged over same, across and mixed, as far as there are such pairs."""
    figures = _figures(system.measures[NDCG].all)
    return sum(figure.mean for figure in figures.values()) / max(len(figures), 1)


def advice(systems: Sequence[SystemFigures], comparisons: Sequence[Comparison], best: str) -> tuple[str, ...]:
    """In the order of importance."""
    by_name = {system.name: system for system in systems}
    chosen = by_name[best]
    by_system = {comparison.system: comparison for comparison in comparisons}
    return (
        *_switches(by_name, SystemName.parse(best)),
        *_choice(best, by_system.get(best)),
        *_failing_pairs(chosen),
        *_bias(chosen),
        *_ceiling(chosen),
    )


def _switches(systems: Mapping[str, SystemFigures], best: SystemName) -> Iterator[str]:
    """What each switch of the best system changes, where both sides were evaluated."""
    first = best.before_reranking
    if first.quota:
        first = replace(first, quota=False)
    without_offsets = replace(first, offsets=False)
    if first.offsets and {str(first), str(without_offsets)} <= systems.keys():
        yield f"Language offsets ({without_offsets} -> {first}): {_change(systems, without_offsets, first)}."
    if best.depth is not None and str(first) in systems:
        yield f"Reranking {best.depth} candidates ({first} -> {best}): {_change(systems, first, best)}."
    yield from _depth(systems, best)


def _depth(systems: Mapping[str, SystemFigures], best: SystemName) -> Iterator[str]:
    """A smaller depth that is as good, within the best system's interval."""
    if best.depth is None:
        return
    floor = _figures(systems[str(best)].measures[NDCG].all)
    for name in sorted((SystemName.parse(name) for name in systems), key=lambda name: name.depth or 0):
        if name.depth is None or name.depth >= best.depth or replace(name, depth=best.depth) != best:
            continue
        figures = _figures(systems[str(name)].measures[NDCG].all)
        if all(figures[sort].mean >= floor[sort].mean - _AS_GOOD for sort in floor):
            does = f"compares {best.depth / name.depth:.1f} times fewer candidates"
            does = does if best.form else f"reads {best.depth / name.depth:.1f} times fewer pairs"
            yield f"{name} is as good within {_AS_GOOD:.2f}, and {does}."
            return


def _change(systems: Mapping[str, SystemFigures], before: SystemName, after: SystemName) -> str:
    old, new = (_figures(systems[str(name)].measures[NDCG].all) for name in (before, after))
    changes = [f"{sort} {old[sort].mean:.3f} -> {new[sort].mean:.3f}" for sort in SORTS if sort in old and sort in new]
    return f"{NDCG} {', '.join(changes)}"


def _choice(best: str, comparison: Comparison | None) -> Iterator[str]:
    if comparison is None:
        return
    worse = f", worse in {len(comparison.worse)}: {_listed(comparison.worse)}" if comparison.worse else ""
    yield (
        f"{best} is the best of these: better than {comparison.baseline} in {len(comparison.better)} pairs{worse}; "
        f"{len(comparison.undecided)} cannot be told apart with these queries."
    )


def _failing_pairs(system: SystemFigures) -> Iterator[str]:
    """Pairs far below the average of their kind, with their whole interval."""
    averages = _figures(system.measures[NDCG].all)
    pairs = system.measures[NDCG].pairs
    failing = [
        pair
        for pair, figure in pairs.items()
        if figure.mean < averages[sort_of(pair)].mean - _FAR_BELOW and figure.high < averages[sort_of(pair)].mean
    ]
    if failing:
        failing.sort(key=lambda pair: pairs[pair].mean)
        shown = ", ".join(f"{pair} {pairs[pair].mean:.2f}" for pair in failing[:_NAMED])
        yield f"{len(failing)} pairs are far below the average of their kind: {shown}. Look at their worst queries."


def _bias(system: SystemFigures) -> Iterator[str]:
    bias = system.bias
    if bias is not None and bias.own_share.low > _FAVOURED * bias.relevant_own_share:
        yield (
            f"{bias.own_share.mean:.0%} of the first ten are in the query's own language, against "
            f"{bias.relevant_own_share:.0%} of the relevant: the own language is favoured."
        )


def _ceiling(system: SystemFigures) -> Iterator[str]:
    if system.rerank is not None:
        for sort, figure in _figures(system.rerank.ceiling).items():
            if figure.mean < _LOW_CEILING:
                yield (
                    f"Of the relevant documents {figure.mean:.0%} are among the {system.rerank.depth} candidates "
                    f"({sort}): more candidates, or a quota, would let the reranker see more."
                )


def _figures(breakdown: Breakdown) -> dict[str, Figure]:
    return {sort: figure for sort in SORTS if (figure := getattr(breakdown, sort)) is not None}


def _listed(pairs: Sequence[object]) -> str:
    names = ", ".join(map(str, pairs[:_NAMED]))
    return f"{names}, ..." if len(pairs) > _NAMED else names
