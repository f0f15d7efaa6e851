"""What a model repository has, read once.

ModelRepository --published--> PublishedVersion (role, version, ServiceSpec of each service, configurations)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.repository.model_repository import FAMILIES, Family, ModelRepository
from interlingua.repository.triton_config import parameters_of
from interlingua.served.kinds import PRECISIONS, Precision, Role
from interlingua.served.service import ServiceSpec

if TYPE_CHECKING:
    from tritonclient.grpc import model_config_pb2 as pb


@dataclass(frozen=True)
class PublishedVersion:
    """One version of a family as the repository has it.

    Attributes:
        specs: what each service says about itself.
        configs: of the network and the services, by name.
    """

    role: Role
    version: int
    specs: dict[str, ServiceSpec]
    configs: dict[str, pb.ModelConfig]

    @property
    def family(self) -> Family:
        return FAMILIES[self.role]

    @property
    def spec(self) -> ServiceSpec:
        """The first service's; the services differ in their prompts and templates only."""
        return self.specs[self.family.services[0]]


def published(repository: ModelRepository, version: int | None = None) -> list[PublishedVersion]:
    """Every published version, or those of one number.

    Raises:
        InputError: there is none, or a configuration cannot be read.
    """
    found = [
        _read(repository, role, number)
        for role, family in FAMILIES.items()
        for number in repository.versions(family)
        if version in (None, number)
    ]
    if not found:
        wanted = "" if version is None else f" with the number {version}"
        raise InputError(f"{repository.root} has no published version{wanted}: run `interlingua export` first")
    return found


def precision_of(found: PublishedVersion) -> Precision:
    """The version's precision. Raises InputError: it is none of ours."""
    for precision in PRECISIONS:
        if precision == found.spec.precision:
            return precision
    raise InputError(f"{found.family.network}/{found.version} has precision {found.spec.precision!r}")


def _read(repository: ModelRepository, role: Role, version: int) -> PublishedVersion:
    family = FAMILIES[role]
    configs = {name: config for name in family.models if (config := repository.config(name)) is not None}
    specs = {}
    for name in family.services:
        try:
            specs[name] = ServiceSpec.from_parameters(parameters_of(configs[name]), version)
        except (KeyError, ValueError) as error:
            raise InputError(f"{name}/config.pbtxt lacks a parameter of version {version}: {error}") from error
    return PublishedVersion(role, version, specs, configs)
