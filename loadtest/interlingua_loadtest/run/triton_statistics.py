"""What the server itself counted during a run: asked before, asked after, subtracted.

    gRPC ModelStatistics, /metrics --snapshot--> triton-before.json, triton-after.json --difference--> ModelCounts of
    each model

Counters only rise while a server lives; one that fell says that it was started anew in between.
"""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import ServerError
from interlingua.served.text.counters import REQUESTS
from interlingua.served.text.outcomes import OUTCOMES

if TYPE_CHECKING:
    from interlingua_client.triton.server_address import ServerAddress

METRICS_PORT = 8002

_WITHIN_S = 10.0
_NS = 1e-9
_LINE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
# Durations that Triton sums up a request.
_STAGES = ("queue", "compute_input", "compute_infer", "compute_output")


@dataclass(frozen=True, kw_only=True)
class ModelCounts:
    """What one version of one model did between two snapshots.

    Attributes:
        requests, failures: answered, and answered with an error: by a service's own count, where it has one, as Triton
            counts the errors that a Python backend answers as successes.
        timed: requests that the durations are summed over.
        inferences: texts (pairs) computed; executions: batches they were computed in.
        queue_s, compute_input_s, compute_infer_s, compute_output_s: summed over the `timed` requests.
        batches: executions by batch size.
        counters: the services' own, by name, such as interlingua_tokens_total, or with an outcome
            interlingua_requests_total:shed.
    """

    model: str
    version: str
    requests: int
    failures: int
    timed: int
    inferences: int
    executions: int
    queue_s: float
    compute_input_s: float
    compute_infer_s: float
    compute_output_s: float
    batches: Mapping[int, int]
    counters: Mapping[str, float]

    @property
    def mean_batch(self) -> float:
        """Texts an execution; NaN without one."""
        return self.inferences / self.executions if self.executions else float("nan")

    @property
    def mean_queue_s(self) -> float:
        """Seconds that a request waited."""
        return self.queue_s / max(self.timed, 1)

    @property
    def mean_compute_s(self) -> float:
        """Seconds that a request was worked on."""
        return self.compute_infer_s / max(self.timed, 1)


def snapshot(server: ServerAddress, metrics_url: str | None) -> dict[str, Any]:
    """Everything the server counts, as it is now; for JSON.

    Args:
        metrics_url: of the metrics page; None where there is none.

    Raises:
        ServerError: the server is away. A metrics page that is away is said in the snapshot instead.
    """
    statistics = _statistics(server)
    text, fault = _page(metrics_url)
    return {
        "taken_at": time.time(),
        "statistics": statistics,
        "metrics": text,
        "metrics_url": metrics_url,
        "metrics_fault": fault,
    }


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[ModelCounts]:
    """What was counted in between, a version of a model each, those that did nothing left out.

    Raises:
        ServerError: the server was started anew in between: its counts are not those of the run.
    """
    earlier = {_key(entry): entry for entry in before["statistics"]}
    metrics = _rises(counters(before["metrics"]), counters(after["metrics"]))
    found = [_counts(earlier.get(_key(entry), {}), entry, metrics) for entry in after["statistics"]]
    return [counts for counts in found if counts.requests or counts.failures or counts.executions]


def counters(page: str) -> dict[tuple[str, str, str], float]:
    """The page's values that carry a model: (name, model, version) -> value, those of several GPUs added up."""
    values: dict[tuple[str, str, str], float] = {}
    for line in page.splitlines():
        if not (found := _LINE.match(line)):
            continue
        labels = dict(_LABEL.findall(found["labels"] or ""))
        if "model" in labels:
            name = f"{found['name']}:{labels['outcome']}" if "outcome" in labels else found["name"]
            key = (name, labels["model"], labels.get("version", ""))
            values[key] = values.get(key, 0.0) + float(found["value"])
    return values


def _statistics(server: ServerAddress) -> list[dict[str, Any]]:
    import tritonclient.grpc as triton
    from tritonclient.utils import InferenceServerException

    roots = str(server.root_certificates) if server.root_certificates else None
    client = triton.InferenceServerClient(server.target, ssl=server.tls, root_certificates=roots)
    try:
        reply: dict[str, Any] = client.get_inference_statistics(as_json=True, client_timeout=_WITHIN_S)
    except InferenceServerException as error:
        raise ServerError(f"{server.target} does not say what it has counted: {error}") from error
    finally:
        client.close()
    statistics: list[dict[str, Any]] = reply.get("model_stats", [])
    return statistics


def _page(url: str | None) -> tuple[str, str]:
    """The metrics page's text, and why there is none."""
    if url is None:
        return "", "no address of a metrics page is known"
    try:
        with urllib.request.urlopen(url, timeout=_WITHIN_S) as page:  # noqa: S310 - http, from our own settings
            return page.read().decode(), ""
    except (urllib.error.URLError, OSError, ValueError) as error:
        return "", f"{url}: {error}"


def _key(entry: Mapping[str, Any]) -> tuple[str, str]:
    return entry["name"], entry["version"]


def _counts(
    old: Mapping[str, Any], new: Mapping[str, Any], metrics: Mapping[tuple[str, str, str], float]
) -> ModelCounts:
    """JSON of protobuf leaves zeros out, and writes 64-bit numbers as strings."""

    def rise(*path: str) -> int:
        risen = _number(new, path) - _number(old, path)
        if risen < 0:
            raise ServerError(f"the server was started anew during the run: {new['name']} has counted less than before")
        return risen

    own = {
        name: value
        for (name, model, version), value in metrics.items()
        if name.startswith("interlingua_") and name.split(":")[0].endswith("_total") and (model, version) == _key(new)
    }
    succeeded, failed = rise("inference_stats", "success", "count"), rise("inference_stats", "fail", "count")
    outcomes = {outcome: round(own.get(f"{REQUESTS}:{outcome}", 0)) for outcome in OUTCOMES}
    told = sum(outcomes.values())
    return ModelCounts(
        model=new["name"],
        version=new["version"],
        requests=outcomes["answered"] if told else succeeded,
        failures=failed + told - outcomes["answered"],
        timed=succeeded,
        inferences=rise("inference_count"),
        executions=rise("execution_count"),
        batches=_batches(old, new),
        counters=own,
        **{f"{stage}_s": _NS * rise("inference_stats", stage, "ns") for stage in _STAGES},
    )


def _number(entry: Mapping[str, Any], path: tuple[str, ...]) -> int:
    value: Any = entry
    for name in path:
        value = value.get(name, {}) if isinstance(value, Mapping) else {}
    return int(value) if value else 0


def _batches(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[int, int]:
    def sizes(entry: Mapping[str, Any]) -> dict[int, int]:
        rows = entry.get("batch_stats", [])
        return {int(row["batch_size"]): _number(row, ("compute_infer", "count")) for row in rows}

    before = sizes(old)
    risen = {size: count - before.get(size, 0) for size, count in sizes(new).items()}
    return {size: count for size, count in sorted(risen.items()) if count}


def _rises(
    old: Mapping[tuple[str, str, str], float], new: Mapping[tuple[str, str, str], float]
) -> dict[tuple[str, str, str], float]:
    return {key: value - old.get(key, 0.0) for key, value in new.items()}
