"""A family of models in a repository and the servers that run on it: what all four verbs work on.

config.pbtxt --change, all models at once--> config.pbtxt --load: network, services--> every server
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError, ServerError

if TYPE_CHECKING:
    from interlingua.repository.families import Family
    from interlingua.repository.model_repository import ModelRepository
    from interlingua.repository.published import PublishedVersion
    from interlingua.served.kinds import Role
    from interlingua.served.promotion import Promotion
    from interlingua_server.model_control import ModelControl

Say = Callable[[str], None]


@dataclass(frozen=True)
class Deployment:
    """What is changed, and where it runs."""

    repository: ModelRepository
    role: Role
    servers: tuple[ModelControl, ...]

    @property
    def family(self) -> Family:
        return self.repository.read().family(self.role)

    @property
    def promotion(self) -> Promotion:
        return self.repository.read().promotion(self.role)

    @property
    def versions(self) -> tuple[int, ...]:
        """The numbers that the repository serves, ascending."""
        return self.repository.read().versions(self.role)

    def find(self, version: int | None) -> PublishedVersion:
        """A version of the repository, the newest without a number.

        Raises:
            InputError: it is not there; names those that are.
        """
        published = self.repository.read()
        there = published.versions(self.role)
        number = there[-1] if version is None and there else version
        if number is None or number not in there:
            pruned = ": it was pruned" if number in published.promotion(self.role).pruned else ""
            raise InputError(
                f"{self.repository.root} has no version {number or ''} of {self.family.network}{pruned}; there "
                f"{'are ' + ', '.join(str(n) for n in there) if there else 'is none'}"
            )
        return published.version(self.role, number)

    def require_servers(self) -> None:
        """Raises ServerError where no server runs."""
        if not self.servers:
            raise ServerError(
                f"no server of yours runs on {self.repository.root} on this machine: start one with "
                "`interlingua serve`, or name another with --server and --admin-key"
            )

    def load(self, models: Sequence[str]) -> None:
        """Have every server load some models again, one after the other. Raises ServerError."""
        for server in self.servers:
            for model in models:
                server.load(model)

    def is_ready(self, version: int) -> bool:
        """Whether every server answers with this version, network and services."""
        return all(server.is_ready(model, version) for server in self.servers for model in self.family.models)

    def require_ready(self, version: int) -> None:
        """Raises ServerError where a server does not answer with a version."""
        for server in self.servers:
            for model in self.family.models:
                if not server.is_ready(model, version):
                    raise ServerError(f"{server.address} does not answer with {model}/{version}: look at its log")

    def served(self) -> int | None:
        """The version that a client gets which names none; None where there is none."""
        ready = [version for version in self.versions if not self.servers or self.is_ready(version)]
        current = self.promotion.current
        return current if current in ready else max(ready, default=None)

    def pin_default(self) -> None:
        """Write the default down where it is not.

        Without that the highest version is the default, and a load, which takes in every version on the disk, would
        move clients to a new one unchecked.
        """
        if self.promotion.current is None and (served := self.served()) is not None:
            self.note(replace(self.promotion, current=served))

    def note(self, promotion: Promotion) -> None:
        """Write down in the configurations what is promoted; servers know it after the next load."""
        self.repository.note(self.role, promotion)

    def switch(self, promotion: Promotion) -> None:
        """Make another version the default, on disk and in every server, or leave all as it was.

        Raises:
            ServerError: a server did not take it.
        """
        before = self.promotion
        self.note(promotion)
        try:
            self.load(self.family.services)
        except ServerError:
            self.note(before)
            self.take_back(self.family.services)
            raise

    def take_back(self, models: Sequence[str]) -> None:
        """Have the servers that took a change forget it, as far as they can be reached."""
        for server in self.servers:
            for model in models:
                try:
                    server.load(model)
                except ServerError:
                    break  # it is away, or did not take the change either
