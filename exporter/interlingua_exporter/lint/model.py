"""One model of a repository as its files show it; nothing is loaded or run.

<model>/config.pbtxt --protobuf--> Model.config;  <model>/<version>/ --names and sizes--> versions, files
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tritonclient.grpc import model_config_pb2 as pb

from interlingua.base.errors import InputError
from interlingua.repository.triton_config import CONFIG_FILE, parameters_of, read_config
from interlingua_exporter.lint import disk
from interlingua_exporter.lint.finding import RuleHit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LARGEST_CONFIG = 16 * 2**20  # bytes; a configuration has some kilobytes

_PLATFORMS = {
    "onnxruntime_onnx": "onnxruntime",
    "tensorrt_plan": "tensorrt",
    "pytorch_libtorch": "pytorch",
    "ensemble": "ensemble",
}
MODEL_FILES = {
    "onnxruntime": "model.onnx",
    "tensorrt": "model.plan",
    "pytorch": "model.pt",
    "python": "model.py",
    "openvino": "model.xml",
    "text": "tokenizer.json",
    "torch": "network.json",
}
PYTHON_BASED = frozenset({"python", "text", "torch"})
_OURS = ("text", "torch")  # whose files tell nothing to Triton


@dataclass(frozen=True, kw_only=True)
class Model:
    """A folder of the repository.

    Attributes:
        entries: names in the folder, sorted; empty where it cannot be listed.
        config: what config.pbtxt says; empty where it is missing or damaged.
        damage: why config.pbtxt cannot be read, "" where it can or where there is none.
    """

    name: str
    folder: Path
    entries: tuple[str, ...]
    config: pb.ModelConfig
    has_config: bool
    damage: str
    unlisted: str = ""

    @classmethod
    def read(cls, folder: Path) -> Model:
        """Read a folder; whatever is wrong with it stands in the result."""
        try:
            entries = tuple(sorted(path.name for path in folder.iterdir()))
        except OSError as error:
            return cls(
                name=folder.name,
                folder=folder,
                entries=(),
                config=pb.ModelConfig(),
                has_config=False,
                damage="",
                unlisted=str(error.strerror or error),
            )
        if CONFIG_FILE not in entries:
            return cls(
                name=folder.name, folder=folder, entries=entries, config=pb.ModelConfig(), has_config=False, damage=""
            )
        config, damage = _read_config(folder / CONFIG_FILE)
        return cls(name=folder.name, folder=folder, entries=entries, config=config, has_config=True, damage=damage)

    @property
    def configured(self) -> bool:
        return self.has_config and not self.damage

    @cached_property
    def versions(self) -> tuple[int, ...]:
        """Numbers of the version folders, ascending; Triton ignores names with leading zeros."""
        names = (name for name in self.entries if is_version(name) and disk.is_folder(self.folder / name))
        return tuple(sorted(int(name) for name in names))

    @cached_property
    def served(self) -> tuple[int, ...]:
        """The versions that the version policy loads and that are there, ascending."""
        policy = self.config.version_policy
        match policy.WhichOneof("policy_choice"):
            case "all":
                return self.versions
            case "specific":
                return tuple(version for version in self.versions if version in set(policy.specific.versions))
            case "latest":
                count = policy.latest.num_versions
                return self.versions[-count:] if count else ()
            case _:
                return self.versions[-1:]

    @cached_property
    def backend(self) -> str:
        """The backend's name, as stated or as Triton would find it; "" where it cannot be told."""
        config = self.config
        if config.backend:
            return str(config.backend)
        if config.HasField("ensemble_scheduling"):
            return "ensemble"
        if config.platform:
            return _PLATFORMS.get(config.platform, "")
        stated = {config.default_model_filename} if config.default_model_filename else self._names_of_first_version()
        return next((name for name, file in MODEL_FILES.items() if file in stated and name not in _OURS), "")

    @cached_property
    def parameters(self) -> dict[str, str]:
        return parameters_of(self.config)

    @property
    def model_file(self) -> str:
        """Name of the file a version must have, "" where that cannot be told."""
        return self.config.default_model_filename or MODEL_FILES.get(self.backend, "")

    @property
    def python_based(self) -> bool:
        return self.backend in PYTHON_BASED

    @cached_property
    def instances(self) -> tuple[tuple[str, int], ...]:
        """(kind, count) of every instance group; ONNX Runtime's default is two on a CPU, others have one."""
        default = 2 if self.backend == "onnxruntime" else 1
        groups = self.config.instance_group or [pb.ModelInstanceGroup()]
        kinds = pb.ModelInstanceGroup.Kind
        return tuple((enum_name(kinds, group.kind), group.count if group.count > 0 else default) for group in groups)

    @property
    def gpu_possible(self) -> bool:
        """Whether an instance may be placed on a GPU."""
        return any(kind in ("KIND_GPU", "KIND_AUTO") for kind, _ in self.instances)

    def version_file(self, version: int) -> Path:
        """The model's file in a version; of an ONNX directory the graph in it."""
        path = self.folder / str(version) / self.model_file
        return path / "model.onnx" if self.backend == "onnxruntime" and disk.is_folder(path) else path

    def hit(self, field: str, what: str, mend: str = "", file: str = CONFIG_FILE) -> RuleHit:
        return RuleHit(self.name, f"{self.name}/{file}" if file else self.name, field, what, mend)

    def files(self) -> Iterator[Path]:
        """Every file and link in the folder and one level below, in order; what cannot be listed is left out."""
        for name in self.entries:
            path = self.folder / name
            yield path
            if disk.is_folder(path) and not disk.is_link(path):
                yield from disk.listed(path)

    def _names_of_first_version(self) -> set[str]:
        return {path.name for path in disk.listed(self.folder / str(self.versions[0]))} if self.versions else set()


def enum_name(enum: Any, number: int) -> str:
    """What protobuf calls a value; the number itself where it has no name, which text format lets through."""
    return str(enum.Name(number) if number in enum.values() else number)


def is_version(name: str) -> bool:
    return name.isascii() and name.isdecimal() and (name == "0" or name[0] != "0") and len(name) < 19


def _read_config(path: Path) -> tuple[pb.ModelConfig, str]:
    try:
        if not disk.is_file(path):  # a pipe would be waited for, for ever
            return pb.ModelConfig(), "it is not a regular file"
        if disk.size(path) > _LARGEST_CONFIG:
            return pb.ModelConfig(), f"it has more than {_LARGEST_CONFIG} bytes"
        return read_config(path), ""
    except (InputError, OSError, ValueError, RecursionError) as error:
        return pb.ModelConfig(), str(error.__cause__ or error)
