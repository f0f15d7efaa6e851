"""A version on the disk becomes one that the servers answer with; nobody is moved to it.

files as published? -> default written down -> network loaded -> services loaded -> ready everywhere
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.base.errors import ServerError
from interlingua_exporter.gate.verify import check_files

if TYPE_CHECKING:
    from interlingua.repository.published import PublishedVersion
    from interlingua_releases.deployment import Deployment, Say


def publish(deployment: Deployment, version: int | None, say: Say) -> PublishedVersion:
    """Load a version into every server, the network before the services that call it.

    Args:
        version: None for the newest.
        say: called with a line before each step.

    Raises:
        InputError: there is no such version.
        ExportError: its files are not what was published.
        ServerError: no server runs, or one cannot load it; each goes on with what it served.
    """
    deployment.require_servers()
    found = deployment.find(version)
    say(f"checking the files of {found.name} and its services")
    check_files(found)
    deployment.pin_default()
    if not deployment.is_ready(found.version):
        say(f"loading {found.name} and its services into {', '.join(server.address for server in deployment.servers)}")
        _load(deployment, found)
    deployment.require_ready(found.version)
    return found


def _load(deployment: Deployment, found: PublishedVersion) -> None:
    try:
        deployment.load(found.family.models)
    except ServerError as error:
        raise ServerError(
            f"{error}\nWhat was served before is served still. Version {found.version} stays on the disk, where it "
            f"would keep a server from starting: `interlingua prune {found.version}` takes it away."
        ) from error
