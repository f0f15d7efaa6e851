"""The command line of `tritonserver`, as the embedded server and the container start it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ADMIN_HEADER = "interlingua-admin-key"
PORTS = {"http": 8000, "grpc": 8001, "metrics": 8002}
LOOPBACK = "127.0.0.1"
STOP_TIMEOUT_S = 10
_RESTRICTED = "model-repository,shared-memory,trace,logging"


def launch_flags(
    models: object,
    backends: object,
    *,
    address: str,
    admin_key: str,
    http_address: str = LOOPBACK,
    gpu_metrics: bool,
    ports: Mapping[str, int] = PORTS,
    stop_timeout_s: int = STOP_TIMEOUT_S,
    log_verbose: int = 0,
) -> list[str]:
    """Flags as `--name=value`.

    Args:
        models: the model repository's path; `backends`: that of the folder of backends.
        address: to listen on, with every protocol of `ports` but HTTP.
        http_address: that of HTTP, whose reader a hostile request can take down, and all else with it.
        admin_key: opens loading of models, shared memory, tracing and log settings, which are closed without it.
        stop_timeout_s: seconds that running requests may take at the end.
    """
    return [
        f"--model-repository={models}",
        f"--backend-directory={backends}",
        *(f"--{protocol}-address={http_address if protocol == 'http' else address}" for protocol in ports),
        *(f"--{protocol}-port={port}" for protocol, port in ports.items()),
        f"--http-restricted-api={_RESTRICTED}:{ADMIN_HEADER}={admin_key}",
        f"--grpc-restricted-protocol={_RESTRICTED}:{ADMIN_HEADER}={admin_key}",
        "--model-control-mode=explicit",
        "--load-model=*",
        "--rate-limit=execution_count",  # instances are preferred in order (repository/triton_config.py)
        "--disable-auto-complete-config",
        f"--allow-gpu-metrics={'true' if gpu_metrics else 'false'}",
        "--metrics-interval-ms=1000",
        f"--exit-timeout-secs={stop_timeout_s}",
        f"--log-verbose={log_verbose}",
    ]
