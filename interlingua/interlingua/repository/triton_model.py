"""One model of a repository as values.

<model>/config.pbtxt, <model>/<version>/ --TritonModel.read--> tensors, placement, versions, parameters
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.base.file_digest import file_digest
from interlingua.repository.triton_config import (
    CONFIG_FILE,
    PLATFORMS,
    inexact_versions,
    kind_of,
    parameters_of,
    read_config,
    spare_instances,
    versions_of,
)
from interlingua.served.promotion import Promotion
from interlingua.served.service import ServiceSpec, not_as_exported

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from interlingua.served.kinds import Device

_BACKENDS = {platform: backend for backend, platform in PLATFORMS.items()}


@dataclass(frozen=True, kw_only=True)
class TritonModel:
    """A network or a service, as its config.pbtxt describes it.

    Attributes:
        folder: of the model, with its versions.
        config_digest: SHA-256 of its config.pbtxt.
        outputs: numbers of one item, or of one token, by the output's name.
        count: of its instances on each CPU or GPU that compute at a time; 0 where that is left to Triton.
        spare: instances beyond those.
        named: the versions that the configuration serves, ascending.
        versions: those of them whose folders are there, ascending.
        inexact: versions that an x86 CPU without VNNI gets wrong (`triton_config.inexact_versions`).
        warmup: numbers in each warm-up file, by the file's name.
        accelerators: names of what runs it on GPUs.
    """

    name: str
    folder: Path
    config_digest: str
    backend: str
    inputs: tuple[str, ...]
    outputs: Mapping[str, int]
    max_batch: int
    kind: Device
    count: int
    spare: int
    named: tuple[int, ...]
    versions: tuple[int, ...]
    inexact: tuple[int, ...]
    parameters: Mapping[str, str]
    warmup: tuple[tuple[str, int], ...]
    accelerators: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> TritonModel:
        """Read a config.pbtxt. Raises InputError: it is not one."""
        config, folder = read_config(path), path.parent
        named = versions_of(config)
        samples = [tensor for sample in config.model_warmup for tensor in sample.inputs.values()]
        accelerators = config.optimization.execution_accelerators.gpu_execution_accelerator
        return cls(
            name=folder.name,
            folder=folder,
            config_digest=file_digest(path),
            backend=config.backend or _BACKENDS.get(config.platform, ""),
            inputs=tuple(entry.name for entry in config.input),
            outputs={entry.name: entry.dims[-1] if entry.dims else 0 for entry in config.output},
            max_batch=config.max_batch_size,
            kind=kind_of(config),
            count=sum(group.count for group in config.instance_group) - spare_instances(config),
            spare=spare_instances(config),
            named=named,
            versions=tuple(version for version in named if (folder / str(version)).is_dir()),
            inexact=inexact_versions(config),
            parameters=parameters_of(config),
            warmup=tuple((tensor.input_data_file, tensor.dims[0] if tensor.dims else 0) for tensor in samples),
            accelerators=tuple(entry.name for entry in accelerators),
        )

    @property
    def dimension(self) -> int:
        """Numbers of the first output's items."""
        return next(iter(self.outputs.values()), 0)

    @property
    def promotion(self) -> Promotion:
        """What was promoted of the model's family; its first service says."""
        return Promotion.from_parameters(self.parameters)

    @property
    def instances(self) -> int:
        """Instances that compute at a time, over all groups. Raises InputError: they are left to Triton."""
        if not self.count:
            raise self._strange(ValueError("no instance_group"))
        return self.count

    @property
    def threads(self) -> int:
        """Threads of one instance. Raises InputError: they are not stated."""
        return self.number("intra_op_thread_count")

    def number(self, key: str) -> int:
        """A parameter that is a whole number. Raises InputError: it is missing or none."""
        try:
            return int(self.parameters[key])
        except (KeyError, ValueError) as error:
            raise self._strange(error) from error

    def spec(self, version: int) -> ServiceSpec:
        """What a service says of one version. Raises InputError: a parameter is missing or malformed."""
        try:
            return ServiceSpec.from_parameters(self.parameters, version)
        except (KeyError, ValueError) as error:
            raise self._strange(error) from error

    def _strange(self, error: Exception) -> InputError:
        return InputError(not_as_exported(self.folder / CONFIG_FILE, error))
