"""Where the server is and how it is reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_SERVER = "127.0.0.1:8001"

_GRPC_PORT = 8001


@dataclass(frozen=True)
class ServerAddress:
    """A Triton's gRPC endpoint.

    Attributes:
        target: host:port.
        tls: whether the channel is encrypted.
        root_certificates: PEM file of the authorities to trust; the system's own when None.
    """

    target: str
    tls: bool = False
    root_certificates: Path | None = None

    @classmethod
    def parse(cls, url: str, root_certificates: Path | None = None) -> ServerAddress:
        """Read `host`, `host:port`, `grpc://host:port` or `grpcs://host:port` (TLS).

        Raises:
            InputError: another scheme, no host, or a port that is none.
        """
        if not isinstance(url, str):
            raise InputError(f"the server is {url!r}: give host:port, as in {DEFAULT_SERVER}")
        scheme, separator, rest = url.strip().rpartition("://")
        if scheme not in ("", "grpc", "grpcs"):
            raise InputError(
                f"{url!r} is not a gRPC address: give host:port, as in {DEFAULT_SERVER}, or grpcs://host:port for "
                "TLS. Triton's HTTP port does not serve this client."
            )
        target = rest.rstrip("/") if separator else url.strip()
        return cls(_with_port(target, url), scheme == "grpcs" or root_certificates is not None, root_certificates)


def _with_port(target: str, url: str) -> str:
    host, port = target, str(_GRPC_PORT)
    if target.startswith("[") and target.endswith("]"):
        pass  # a bare IPv6 address
    elif ":" in target:
        host, _, port = target.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InputError(f"{url!r} is not a gRPC address: give host:port, as in {DEFAULT_SERVER}")
    return f"{host}:{port}"
