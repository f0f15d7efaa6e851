"""Which metrics there are, and which the dashboard, the alerts and the adapter ask for."""

from __future__ import annotations

import json
import re
from typing import Any

from interlingua.served.text import counters
from interlingua.served.watch.restart_metric import RESTARTS
from tests.deploy.deploy_files import DEPLOY, documents

# tis/server docs/user_guide/metrics.md (release 24.10). The summaries need --metrics-config=summary_latencies=true.
GAUGES = {
    "nv_inference_pending_request_count",
    "nv_inference_request_summary_us",
    "nv_gpu_utilization",
    "nv_gpu_memory_total_bytes",
    "nv_gpu_memory_used_bytes",
    "nv_cpu_utilization",
}
COUNTERS = {
    "nv_inference_request_success",
    "nv_inference_request_failure",
    "nv_inference_count",
    "nv_inference_exec_count",
    "nv_inference_queue_duration_us",
    "nv_inference_compute_infer_duration_us",
}


def own() -> set[str]:
    """The counters that the `text` backend registers."""
    return {*counters.COUNTERS, RESTARTS}


def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
    return loaded


def panels() -> list[dict[str, Any]]:
    """Those that show something."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def alerts() -> list[dict[str, Any]]:
    (rules,) = documents(DEPLOY / "prometheus" / "alerts.yml")
    return [rule for group in rules["groups"] for rule in group["rules"]]


def expressions() -> dict[str, str]:
    """Every PromQL expression, by where it stands."""
    shown = {
        f"panel {panel['title']} {target['refId']}": target["expr"] for panel in panels() for target in panel["targets"]
    }
    (adapter,) = documents(DEPLOY / "kubernetes" / "autoscaled" / "prometheus-adapter.yaml")
    series = adapter["rules"]["custom"][0]["seriesQuery"]
    return shown | {f"alert {rule['alert']}": rule["expr"] for rule in alerts()} | {"adapter": series}


def metrics_in(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:nv|interlingua)_\w+", expression))
