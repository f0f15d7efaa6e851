"""What a server opens to the network when it listens beyond loopback, and what must not be so then."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

from interlingua.base.errors import ServerError

_OTHERS_WRITE = 0o002


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; names other than localhost may lead anywhere."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def exposed(host: str, model_repository: Path) -> str:
    """What a server on an address opens, in a line; "" where it opens nothing, or has nothing to serve.

    Raises:
        ServerError: others on this machine may write the repository of a server that is open: a model there is code.
    """
    if is_loopback(host) or not model_repository.is_dir():
        return ""
    for path in (model_repository, *model_repository.glob("*"), *model_repository.glob("*/*")):
        if path.stat().st_mode & _OTHERS_WRITE and not path.is_symlink():
            raise ServerError(
                f"--host {host} with {path}, which every user of this machine may write: what lies there is run; "
                f"chmod -R o-w {model_repository}"
            )
    root = "; this is root: start it as a plain user" if os.getuid() == 0 else ""
    return (
        f"open to whoever reaches {host}: inference, statistics and metadata over gRPC, and the metrics page, without "
        f"encryption and without a key; HTTP stays on this machine{root}"
    )
