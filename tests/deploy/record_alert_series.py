"""Records what Prometheus would have scraped of a real server, healthy and under faults: alert_series.json.

    python -m tests.deploy.record_alert_series MODEL_REPOSITORY    # a minute; a tiny embedder and a tiny reranker do

    clients in a closed loop, a scrape every half second --> {run: {series: "value value ..."}}

A value is played as if it were two minutes after the one before (test_alerts.py): all alerts go by ratios of rates and
by gauges, which that leaves as they are. Under faults some clients send what is no text, texts that are too long and
requests that are late, hundreds wait, and the server is killed in the end.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from interlingua.repository.triton_config import read_config, write_config
from interlingua.served.service import LONGEST_WAIT
from interlingua_server.embedded import EmbeddedServer
from tests.deploy.metric_names import expressions, metrics_in
from tests.support.services import Services, settings_for, tensor

SERIES = Path(__file__).with_name("alert_series.json")
_SCRAPES = 75
_EVERY_S = 0.4
_DEAD = 5  # scrapes after the server's end
_WAITING = 600


def scrape(server: EmbeddedServer) -> dict[str, float]:
    """What alerts ask for; without a server that it is away."""
    asked = {name for where, text in expressions().items() if where.startswith("alert") for name in metrics_in(text)}
    url = f"http://127.0.0.1:{server.settings.metrics_port}/metrics"
    try:
        page = urllib.request.urlopen(url, timeout=30).read().decode()
    except (urllib.error.URLError, OSError):
        return {'up{job="triton"}': 0.0}
    rows = [line.rsplit(" ", 1) for line in page.splitlines() if line and not line.startswith("#")]
    return {'up{job="triton"}': 1.0} | {name: float(value) for name, value in rows if name.split("{")[0] in asked}


def written(values: Iterable[float | None]) -> str:
    """As promtool reads them; `_` where there was none."""
    return " ".join("_" if value is None else f"{value:.15g}" for value in values)


def record(server: EmbeddedServer, *, dies: bool) -> dict[str, str]:
    """The series, each as long as the others."""
    found: dict[str, list[float | None]] = defaultdict(lambda: [None] * number)
    for number in range(_SCRAPES):
        if dies and number == _SCRAPES - _DEAD:
            os.kill(server.pid, signal.SIGKILL)
        values = scrape(server)
        for name in {*found, *values}:
            found[name].append(values.get(name))
        time.sleep(_EVERY_S)
    return {name: written(values) for name, values in sorted(found.items())}


def keep_asking(ask: Callable[[], object], over: threading.Event) -> None:
    def loop() -> None:
        while not over.is_set():
            with suppress(InferenceServerException):
                ask()

    threading.Thread(target=loop, daemon=True).start()


def healthy(server: EmbeddedServer, over: threading.Event) -> None:
    services = Services(server)
    in_time = 60_000
    keep_asking(lambda: services.embed(["where is it?"], "embed_query", deadline_ms=now_ms() + in_time), over)
    keep_asking(lambda: services.embed(["It is here.", "A second passage"], "embed_document"), over)
    keep_asking(lambda: services.rerank("where is it?", ["It is here.", "Somewhere else"]), over)


def faulty(server: EmbeddedServer, over: threading.Event) -> None:
    services = Services(server)
    healthy(server, over)
    keep_asking(lambda: services.embed([b"caf\xe9"], "embed_document"), over)
    keep_asking(lambda: services.embed(["too long " * 200] * 4, "embed_document"), over)
    keep_asking(lambda: services.embed(["late"], "embed_query", deadline_ms=1), over)
    flood(server, over)


def flood(server: EmbeddedServer, over: threading.Event) -> None:
    """So many requests wait at any time."""
    client = triton.InferenceServerClient(server.settings.grpc_address)
    inputs = [tensor("query", ["what?"] * 8), tensor("document", ["twenty words " * 10] * 8)]

    def send(**_: Any) -> None:
        if not over.is_set():
            client.async_infer("rerank", inputs, callback=send)

    for _ in range(_WAITING):
        send()


def now_ms() -> int:
    return round(1e3 * time.time())


def main(repository: Path) -> None:
    runs: dict[str, dict[str, str]] = {}
    for name, load in (("healthy", healthy), ("faulty", faulty)):
        with tempfile.TemporaryDirectory() as folder:
            models = Path(folder) / "models"
            shutil.copytree(repository, models)
            path = models / "rerank" / "config.pbtxt"
            config = read_config(path)
            config.parameters[LONGEST_WAIT].string_value = "0"  # its queue may stand
            write_config(config, path)
            with EmbeddedServer(settings_for(models)) as server:
                over = threading.Event()
                load(server, over)
                runs[name] = record(server, dies=name == "faulty")
                over.set()
    SERIES.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
