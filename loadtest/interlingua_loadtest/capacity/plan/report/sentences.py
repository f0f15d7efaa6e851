"""A plan in sentences: what it says, what it was told, and what it assumed.

Plan --> paragraphs, each a title and its sentences
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from interlingua.display.figures import gib, money, signed_share
from interlingua_loadtest.capacity.plan import sensitivity
from interlingua_loadtest.capacity.plan.instances import GAIN
from interlingua_loadtest.capacity.plan.report.phrases import ESTIMATED, counted, ms, percent_money, rate, replicas
from interlingua_loadtest.traffic.request_kinds import SEARCH

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.plan.records import Effect, HardwarePlan, IndexSize, Outlook, Plan, RatePoint


class Paragraph(NamedTuple):
    """Sentences under a title."""

    title: str
    sentences: tuple[str, ...]


def paragraphs(plan: Plan) -> Iterator[Paragraph]:
    """In the order in which they are read."""
    yield Paragraph("The traffic", tuple(_traffic(plan)))
    for one in plan.hardware:
        yield Paragraph(f"{one.name} ({marked(one)})", tuple(_hardware(plan, one)))
    for name, reason in plan.impossible.items():
        yield Paragraph(f"{name}: not possible", (f"{reason}.",))
    if plan.index_now and plan.index_later:
        yield Paragraph("The index", tuple(_index(plan, plan.index_now, plan.index_later)))
    yield Paragraph("What was assumed", tuple(_assumed(plan)))


def marked(one: HardwarePlan) -> str:
    """Where its service times come from."""
    return "service times measured" if one.origin == "measured" else f"service times {ESTIMATED}"


def _traffic(plan: Plan) -> Iterator[str]:
    traffic = plan.traffic
    total = sum(traffic.kinds.values())
    kinds = ", ".join(f"{100 * share / total:.0f}% {kind}" for kind, share in traffic.kinds.items())
    yield f"{rate(traffic.peak_rate)} at the peak, {rate(traffic.mean_rate)} over the day: {kinds}."
    if SEARCH in traffic.kinds or "rerank" in traffic.kinds:
        way = " by stored token vectors: the reranker encodes the question" if traffic.token_vectors else ""
        yield f"{traffic.depth} candidates of a search are reranked{way}." if traffic.depth else "Nothing is reranked."
    deadline = f"{ms(traffic.deadline_s)} deadline" if traffic.deadline_s else "no deadline"
    yield f"Objective: {plan.slo}, {plan.slo.goodput:.0%} answered at all; {deadline}."
    for what, by_language in plan.tokens.items():
        shown = ", ".join(f"{tag} {mean:.0f}" for tag, mean in by_language.items())
        yield f"Mean tokens of a {what} of {traffic.dataset}, by language: {shown}."


def _hardware(plan: Plan, one: HardwarePlan) -> Iterator[str]:
    needed, highest = one.replicas, one.highest
    yield (
        f"{replicas(needed.count)} of {one.described}: {needed.for_headroom} for {plan.headroom:.0%} headroom, "
        f"{needed.for_loss} so that the others hold the peak with {plan.spare} away."
    )
    yield (
        f"One holds {rate(highest.rate)} (95% interval {rate(highest.low)} to {rate(highest.high)}) and is counted "
        f"with {rate(one.per_replica)}, {'the lower end' if one.per_replica == highest.low else 'its lowest repeat'}."
    )
    chosen = ", ".join(counted(number, name) for name, number in one.instances.items())
    exported = ", ".join(counted(number, name) for name, number in one.exported.items())
    as_exported = "as exported" if one.instances == one.exported else f"exported: {exported}"
    yield f"Instances: {chosen} ({as_exported}; {one.tried} layouts were simulated)."
    yield (
        f"At the peak each is loaded to {needed.load:.0%}: {_latency(one.at_peak)}; with {plan.spare} away to "
        f"{needed.load_after_loss:.0%}: {_latency(one.after_loss)}."
    )
    yield from _memory(one)
    yield from _cost(plan, one)
    yield from _breaks_first(one)
    yield from _hangs_on(plan, one)
    yield _outlook(plan, one.outlook)


def _latency(at: RatePoint) -> str:
    return f"p50 {ms(at.p50_s)}, p99 {ms(at.p99_s)}"


def _memory(one: HardwarePlan) -> Iterator[str]:
    origins = "measured" if one.memory.is_measured else "in part or whole estimated from file sizes, not measured"
    parts = ", ".join(f"{counted(part.instances, part.name)} {gib(part.total_mib)}" for part in one.memory.parts)
    yield f"Memory of a replica: {gib(one.memory.total_mib)} ({origins}): {parts}."
    if one.memory.gpu_mib:
        yield f"Memory of its GPU: {gib(one.memory.gpu_mib)} ({ESTIMATED}), and what the activations of a call take."


def _cost(plan: Plan, one: HardwarePlan) -> Iterator[str]:
    if one.cost:
        yield (
            f"At {money(one.cost.per_hour, plan.currency)} an hour for each: "
            f"{money(one.cost.per_month, plan.currency)} a month, "
            f"{money(one.cost.per_million, plan.currency)} for a million requests."
        )


def _breaks_first(one: HardwarePlan) -> Iterator[str]:
    busy = sorted(one.highest.usage.items(), key=lambda item: -item[1].busy)
    first, *others = [f"{name} ({100 * usage.busy:.0f}% busy)" for name, usage in busy if usage.busy > 0]
    sentence = f"What breaks first: at the highest rate {first}"
    yield sentence + (f", next {', '.join(others[:2])}." if others else ".")
    name = one.highest.busiest
    more = sensitivity.find(one.effects, sensitivity.CORE if name == "cores" else sensitivity.INSTANCE + name)
    if more:
        change = more.change
        then = f"; then {change.busiest} is the limit" if change.busiest not in ("", name) else ""
        by = signed_share(change.relative)
        yield f"{change.name.capitalize()} changes a replica's rate by {by}{_unsure(more)}{then}."


def _hangs_on(plan: Plan, one: HardwarePlan) -> Iterator[str]:
    for name in (sensitivity.CANDIDATE, "texts 10% longer", sensitivity.DEADLINE, sensitivity.NO_DEADLINE):
        if found := sensitivity.find(one.effects, name):
            yield f"{name.capitalize()}: {effect_in_words(plan, found)}."
    if worst := sensitivity.costliest_language(one.effects):
        tag = worst.change.name.removeprefix(sensitivity.LANGUAGE)
        yield f"The language whose growth costs most is {tag}: 10 points more of it, {effect_in_words(plan, worst)}."


def effect_in_words(plan: Plan, effect: Effect) -> str:
    """Rate, replicas, money."""
    if effect.replicas == 0:
        return "the objective cannot be held at any rate then"
    price = f", {percent_money(effect, plan.currency)} a million requests" if effect.per_million is not None else ""
    by = signed_share(effect.change.relative)
    return f"{by} of a replica's rate{_unsure(effect)}, {replicas(effect.replicas)}{price}"


def _unsure(effect: Effect) -> str:
    change = effect.change
    if change.is_decided or change.low == change.high:
        return ""
    return f" (interval {signed_share(change.low)} to {signed_share(change.high)}: may be chance)"


def _outlook(plan: Plan, outlook: Outlook) -> str:
    growth = plan.traffic.growth
    if growth.traffic <= 0 and outlook.breaks is None:
        return f"Growth: none of the traffic is expected in {growth.months} months, and the plan holds."
    grown = f"Growth of {growth.traffic:.0%} a year: {rate(outlook.peak_rate)} at the peak in {growth.months} months"
    needs = f", which needs {replicas(outlook.replicas)}" if outlook.replicas else ", for which no number would do"
    if outlook.breaks is None:
        return f"{grown}{needs}; the plan holds until then."
    what = "headroom" if outlook.breaks == outlook.headroom_gone else "spare"
    missed = (
        "" if outlook.objective_missed is None else f", the objective is missed from month {outlook.objective_missed}"
    )
    return f"{grown}{needs}; the plan breaks in month {outlook.breaks} ({what} gone){missed}."


def _index(plan: Plan, now: IndexSize, later: IndexSize) -> Iterator[str]:
    for when, size in (("Now", now), (f"In {plan.traffic.growth.months} months", later)):
        outside = f" Beyond what was measured: {size.outside}." if size.outside else ""
        yield (
            f"{when}: {size.documents:,} documents of {size.dimension} numbers, {gib(size.memory_mib)} in each client "
            f"that searches, built in {size.build_s:,.0f} s on one core (embedding them not counted), "
            f"{1e3 * size.query_s:.2g} ms to find a query's candidates.{outside}"
        )


def _assumed(plan: Plan) -> Iterator[str]:
    arrivals = "Poisson arrivals" if plan.traffic.arrivals == "poisson" else "arrivals in bursts"
    yield f"{arrivals.capitalize()}, split evenly at random over replicas that are all alike; nothing is cached."
    yield (
        "Latency and rates come from a simulation of this server's queues and batches, not from a server; how far off "
        "it is on runs it has not seen stands in docs/capacity.md. Rates are found to within 2%."
    )
    yield (
        f"Instances were searched one station after the other; a number was taken if it gave more than {GAIN:.0%}. "
        "What differs from the export has to be exported so."
    )
    if plan.hardware and any(one.cost for one in plan.hardware):
        yield "Prices are those given; all replicas run all day. Effects on the price leave replicas unrounded."
    for one in plan.hardware:
        if one.origin != "measured":
            yield f"No {one.name} was measured. Every figure under it is {ESTIMATED}: {'; '.join(one.assumptions)}."
