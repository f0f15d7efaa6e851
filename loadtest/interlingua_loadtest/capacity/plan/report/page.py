"""The plan as one page that needs nothing else: the picture of each machine, the sentences, the tables.

Plan --> latency against rate, bars of what the plan hangs on (SVG) --> HTML
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.display.page import Html, document, joined, table, tag
from interlingua_loadtest.capacity.plan.report import tables
from interlingua_loadtest.capacity.plan.report.effect_bars import effect_bars
from interlingua_loadtest.capacity.plan.report.latency_chart import latency_chart
from interlingua_loadtest.capacity.plan.report.phrases import rate
from interlingua_loadtest.capacity.plan.report.sentences import marked, paragraphs

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.plan.records import HardwarePlan, Plan


def page(plan: Plan) -> str:
    """The whole page."""
    title = f"Capacity for {rate(plan.traffic.peak_rate)} within {plan.slo}"
    parts = [
        tag("header", tag("h1", title), table(tables.machines(plan))),
        tag("main", *(_picture(plan, one) for one in plan.hardware), _sentences(plan), _tables(plan)),
    ]
    return document(title, *parts)


def _picture(plan: Plan, one: HardwarePlan) -> Html:
    charts = tag("div", latency_chart(plan, one), effect_bars(one), class_="figures")
    return tag("section", tag("h2", one.name), tag("p", f"{marked(one).capitalize()}.", class_="how"), charts)


def _sentences(plan: Plan) -> Html:
    return joined(
        tag("section", tag("h2", title), tag("ul", *(tag("li", sentence) for sentence in sentences)))
        for title, sentences in paragraphs(plan)
    )


def _tables(plan: Plan) -> Html:
    return joined(table(tables.effects(plan, one)) for one in plan.hardware)
