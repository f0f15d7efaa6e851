"""What a model repository has, read once; all that knows it further on takes these values.

folder --Published.read--> Published --newest, version--> PublishedVersion (network, services, ServiceSpecs, files)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.repository.families import ROLES, Family, family_of
from interlingua.repository.triton_config import CONFIG_FILE
from interlingua.repository.triton_model import TritonModel
from interlingua.served.graph_names import TOKENIZER_FILE
from interlingua.served.kinds import PRECISIONS, Precision, Role
from interlingua.served.promotion import Promotion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from interlingua.served.service import ServiceSpec


@dataclass(frozen=True)
class PublishedVersion:
    """One version of a family as the repository has it.

    Attributes:
        models: the network and its services, by name.
        specs: what each service says about itself.
    """

    role: Role
    version: int
    models: Mapping[str, TritonModel]
    specs: Mapping[str, ServiceSpec]

    @property
    def family(self) -> Family:
        """What is published together with this network."""
        return family_of(self.role, next(iter(self.models.values())).outputs)

    @property
    def name(self) -> str:
        """The network and the version, for people."""
        return f"{self.family.network}/{self.version}"

    @property
    def network(self) -> TritonModel:
        return self.models[self.family.network]

    @property
    def spec(self) -> ServiceSpec:
        """The first service's; the services differ in their prompts and templates only."""
        return self.specs[self.family.services[0]]

    @property
    def precision(self) -> Precision:
        """Raises InputError: it is none of ours."""
        for precision in PRECISIONS:
            if precision == self.spec.precision:
                return precision
        raise InputError(f"{self.name} has precision {self.spec.precision!r}")

    @property
    def folder(self) -> Path:
        """The network's files."""
        return self.network.folder / str(self.version)

    def tokenizer(self, service: str) -> Path:
        """A service's tokenizer.json."""
        return self.models[service].folder / str(self.version) / TOKENIZER_FILE

    def stated(self, key: str) -> str:
        """A parameter of the network in this version, "" where it is not stated."""
        return self.network.parameters.get(f"{self.version}/{key}", "")

    def number(self, key: str) -> int:
        """The same where it is a whole number. Raises InputError: it is missing or none."""
        return self.network.number(f"{self.version}/{key}")


@dataclass(frozen=True)
class Published:
    """A model repository at one moment.

    Attributes:
        models: all that have a configuration, whoever wrote it, by name.
        unreadable: why a configuration is none, by the model's name.
    """

    root: Path
    models: Mapping[str, TritonModel]
    unreadable: Mapping[str, InputError]

    @classmethod
    def read(cls, root: Path) -> Published:
        """Read a folder; one that is not there has no models."""
        models: dict[str, TritonModel] = {}
        unreadable: dict[str, InputError] = {}
        for path in sorted(root.glob(f"*/{CONFIG_FILE}")):
            try:
                models[path.parent.name] = TritonModel.read(path)
            except InputError as error:
                unreadable[path.parent.name] = error
        return cls(root, models, unreadable)

    def family(self, role: Role) -> Family:
        """The network of a role and its services, as they are there."""
        network = self.models.get(family_of(role).network)
        return family_of(role, network.outputs if network else ())

    def versions(self, role: Role) -> tuple[int, ...]:
        """The versions that every model of a family serves and still has, ascending. Raises InputError: see `model`."""
        models = [self.model(name) for name in self.family(role).models]
        common = [set(model.versions) if model else set() for model in models]
        return tuple(sorted(set.intersection(*common)))

    def newest(self, role: Role) -> PublishedVersion | None:
        """The highest of `versions`, None where there is none. Raises InputError: as `version`."""
        there = self.versions(role)
        return self.version(role, there[-1]) if there else None

    def newest_versions(self) -> list[PublishedVersion]:
        """The newest of every family that has one. Raises InputError: as `version`."""
        return [found for role in ROLES if (found := self.newest(role))]

    @property
    def embedder(self) -> ServiceSpec:
        """The newest embedder's, which is what a server answers with. Raises InputError: as `required`."""
        return self.required("embedder").spec

    @property
    def reranker(self) -> ServiceSpec | None:
        """The newest reranker's; None where there is none. Raises InputError: as `version`."""
        found = self.newest("reranker")
        return found.spec if found else None

    def required(self, role: Role) -> PublishedVersion:
        """The same. Raises InputError: there is none, or as `version`."""
        found = self.newest(role)
        if found is None:
            raise InputError(f"{self.root} has no published {role}: run `interlingua export` first")
        return found

    def version(self, role: Role, number: int) -> PublishedVersion:
        """One of `versions`. Raises InputError: a configuration is not as `interlingua export` writes it."""
        family = self.family(role)
        models = {name: self.models[name] for name in family.models}
        return PublishedVersion(role, number, models, {name: models[name].spec(number) for name in family.services})

    def all_versions(self, number: int | None = None) -> list[PublishedVersion]:
        """Every published version, or those of one number, family by family.

        Raises:
            InputError: there is none, or as `version`.
        """
        found = [self.version(role, n) for role in ROLES for n in self.versions(role) if number in (None, n)]
        if not found:
            wanted = "" if number is None else f" with the number {number}"
            raise InputError(f"{self.root} has no published version{wanted}: run `interlingua export` first")
        return found

    def promotion(self, role: Role) -> Promotion:
        """What was promoted of a family."""
        first = self.model(self.family(role).services[0])
        return first.promotion if first else Promotion()

    def model(self, name: str) -> TritonModel | None:
        """A model, None where it has no configuration. Raises InputError: it has one that cannot be read."""
        if name in self.unreadable:
            raise self.unreadable[name]
        return self.models.get(name)
