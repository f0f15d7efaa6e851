"""Whether a port that gives gRPC no answer is one for HTTP: Triton's HTTP and metrics ports close the connection.

host:port --GET /v2--> "HTTP/1..." --> which port is meant
"""

from __future__ import annotations

import socket

_GRPC_PORT = 8001
_WAIT_S = 1.0


def http_port_advice(target: str) -> str:
    """What to say of a `host:port` that answers in HTTP/1 where gRPC is meant; "" where it does not."""
    host, _, port = target.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_WAIT_S) as connection:
            connection.sendall(b"GET /v2 HTTP/1.1\r\nHost: triton\r\nConnection: close\r\n\r\n")
            if not connection.recv(7).startswith(b"HTTP/1"):
                return ""
    except (OSError, ValueError):
        return ""
    return (
        f"{target} speaks HTTP, where gRPC is meant: give Triton's gRPC port, as in {host}:{_GRPC_PORT} (8000 is its "
        "HTTP port, 8002 its metrics port, unless it was started with others)"
    )
