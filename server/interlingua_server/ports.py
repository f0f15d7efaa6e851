"""Ports on this machine."""

from __future__ import annotations

import socket
from contextlib import closing

from interlingua.base.errors import ServerError


def check_port_is_free(host: str, port: int) -> None:
    """Refuse a port that somebody listens on, before Triton half starts on it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with closing(socket.socket(family, kind, protocol)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise ServerError(f"{host!r} is not an address of this machine ({error})") from error
    except OSError as error:
        raise ServerError(
            f"port {port} on {host} cannot be used ({error.strerror}): another server may be running, or one is "
            "still ending. Stop it, or choose others with --grpc-port, --http-port and --metrics-port."
        ) from error


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody uses now, all different."""
    opened = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [listening.getsockname()[1] for listening in opened]
    for listening in opened:
        listening.close()
    return ports
