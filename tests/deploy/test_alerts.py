"""Prometheus's own rule tests: every alert fires on a run with faults, and none on a healthy one.

The series are those of a real server (record_alert_series.py), but for alerts that no fault here raises: padding,
which the service keeps below by itself, a GPU's memory, and restarts, of which a server that nobody watches has none.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from tests.deploy.deploy_files import DEPLOY
from tests.deploy.metric_names import alerts
from tests.deploy.record_alert_series import SERIES, written

_EVERY_MIN = 2
WRITTEN = {
    "PaddingHigh": {
        'interlingua_tokens_total{model="rerank",version="1"}': written(range(0, 7500, 100)),
        'interlingua_padded_tokens_total{model="rerank",version="1"}': written(range(0, 22500, 300)),
    },
    "ProcessesRestarted": {'interlingua_restarts_total{what="embed_query"}': written([0] * 5 + [1] * 5)},
    "GpuMemoryNearlyFull": {
        'nv_gpu_memory_used_bytes{gpu_uuid="GPU-1"}': written([79e9] * 75),
        'nv_gpu_memory_total_bytes{gpu_uuid="GPU-1"}': written([80e9] * 75),
    },
}


def fired(series: Mapping[str, str], folder: Path, expected: Iterable[str]) -> str:
    """What promtool says where others than the expected alerts fired; "" where just these did."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: it is in Debian's package prometheus")
    minutes = _EVERY_MIN * max(len(values.split()) for values in series.values())
    test = {
        "interval": f"{_EVERY_MIN}m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'group by (alertname) (max_over_time(ALERTS{{alertstate="firing"}}[{minutes}m]))',
                "eval_time": f"{minutes}m",
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(expected)],
            }
        ],
    }
    rules = DEPLOY / "prometheus" / "alerts.yml"
    whole = {"rule_files": [str(rules)], "evaluation_interval": f"{_EVERY_MIN}m", "tests": [test]}
    file = folder / "alerts_test.yml"
    file.write_text(json.dumps(whole), encoding="utf-8")  # JSON is YAML
    done = subprocess.run([promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_every_alert_fires_on_a_run_with_faults(tmp_path: Path) -> None:
    faulty = json.loads(SERIES.read_text(encoding="utf-8"))["faulty"]
    expected = {str(rule["alert"]) for rule in alerts()} - set(WRITTEN)
    assert fired(faulty, tmp_path, expected) == ""


@pytest.mark.parametrize("alert", WRITTEN)
def test_an_alert_fires_on_what_it_is_for(alert: str, tmp_path: Path) -> None:
    assert fired(WRITTEN[alert], tmp_path, [alert]) == ""


def test_no_alert_fires_on_a_healthy_run(tmp_path: Path) -> None:
    healthy = json.loads(SERIES.read_text(encoding="utf-8"))["healthy"]
    assert fired(healthy, tmp_path, []) == ""
