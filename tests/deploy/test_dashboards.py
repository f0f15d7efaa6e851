"""Dashboard and alerts ask for metrics that exist, in ways that make sense of counters."""

from __future__ import annotations

import re

import pytest

from interlingua.base.paths import PROJECT_ROOT
from interlingua.served.text import counters
from tests.deploy.deploy_files import compose, container
from tests.deploy.metric_names import COUNTERS, GAUGES, alerts, dashboard, expressions, metrics_in, own, panels

EXPRESSIONS = [pytest.param(text, id=where) for where, text in expressions().items()]


def test_the_backend_s_counters_are_those_of_the_docs() -> None:
    listed = (PROJECT_ROOT / "docs" / "serving.md").read_text(encoding="utf-8").partition("## Metrics")[2]
    assert own() == set(re.findall(r"interlingua_\w+_total", listed))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_query_asks_for_metrics_that_exist(expression: str) -> None:
    assert metrics_in(expression) <= GAUGES | COUNTERS | own()
    assert metrics_in(expression) or expression.startswith("up{")


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_counters_are_differenced_and_gauges_are_not(expression: str) -> None:
    differenced = set(re.findall(r"\brate\((\w+)", expression))
    assert differenced == metrics_in(expression) & (COUNTERS | own())


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_brackets_are_balanced(expression: str) -> None:
    closing = {")": "(", "]": "[", "}": "{"}
    opened: list[str] = []
    for sign in re.sub(r'"[^"]*"', "", expression):
        if sign in closing.values():
            opened.append(sign)
        elif sign in closing:
            assert opened
            assert opened.pop() == closing[sign]
    assert opened == []


def test_every_counter_of_ours_is_shown() -> None:
    shown = {name for panel in panels() for target in panel["targets"] for name in metrics_in(target["expr"])}
    assert own() - {counters.SHED} <= shown  # what is shed is shown by outcome


def test_summaries_are_switched_on_where_the_dashboard_runs() -> None:
    flag = "--metrics-config=summary_latencies=true"
    assert "nv_inference_request_summary_us" in " ".join(expressions().values())
    assert flag in compose()["services"]["triton-gpu"]["command"]
    assert flag in container()["args"]


def test_panels_are_laid_out_without_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    ids = [panel["id"] for panel in dashboard()["panels"]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("panel", [pytest.param(panel, id=panel["title"]) for panel in panels()])
def test_a_panel_says_what_it_shows(panel: dict[str, object]) -> None:
    assert panel["description"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "interlingua-prometheus"}


@pytest.mark.parametrize("alert", [pytest.param(alert, id=alert["alert"]) for alert in alerts()])
def test_an_alert_says_why_and_what_to_do(alert: dict[str, dict[str, str]]) -> None:
    assert set(alert["annotations"]) == {"summary", "why", "do"}
    assert alert["labels"]["severity"] in ("page", "warning", "info")
    assert re.fullmatch(r"[0-9]+[mh]", str(alert["for"]))
