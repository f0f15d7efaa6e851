"""The model repository on disk, and the one way anything gets into it.

    staging() -> hidden folder -> commit() renames it: published -> install() moves its parts into place

The hidden folder lies beside the repository, on the same filesystem. Its rename from `staging` to `ready` is the
moment of publication: killed before it, nothing happened and the next export throws the leftovers away; killed
after it, `recover` finishes the moves. While they run Triton sees whole versions only, the network before its
services, because a config.pbtxt names the versions it serves and is moved last.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.base.errors import ExportError, InputError
from interlingua.repository.triton_config import CONFIG_FILE, parameters_of, read_config, versions_of, write_config
from interlingua.repository.warmup_samples import FOLDER as WARMUP
from interlingua.served.graph_names import EMBEDDING, SCORE
from interlingua.served.promotion import Promotion
from interlingua.served.service import EMBED_DOCUMENT, EMBED_QUERY, RERANK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tritonclient.grpc import model_config_pb2 as pb

    from interlingua.served.kinds import Role


@dataclass(frozen=True)
class Family:
    """A network and the services on it, which are published together."""

    network: str
    output: str
    services: tuple[str, ...]
    service_inputs: tuple[str, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """In the order of their appearance: a service never without its network."""
        return (self.network, *self.services)

    @property
    def document_service(self) -> str:
        """The one that long texts go through: documents, or pairs of a question and a document."""
        return self.services[-1]


FAMILIES: dict[Role, Family] = {
    "embedder": Family("embedder", EMBEDDING, (EMBED_QUERY, EMBED_DOCUMENT), ("text",)),
    "reranker": Family("reranker", SCORE, (RERANK,), ("query", "document")),
}


class ModelRepository:
    """A folder that Triton loads models from."""

    def __init__(self, root: Path) -> None:
        """Nothing is created or read yet."""
        self.root = root.absolute()

    def version_folder(self, model: str, version: int) -> Path:
        return self.root / model / str(version)

    def config(self, model: str) -> pb.ModelConfig | None:
        """A model's configuration, None where it has none; raises InputError where it is broken."""
        path = self.root / model / CONFIG_FILE
        return read_config(path) if path.is_file() else None

    def versions(self, family: Family) -> tuple[int, ...]:
        """The versions that every model of a family serves and still has, ascending."""
        common: set[int] | None = None
        for model in family.models:
            config = self.config(model)
            served = versions_of(config) if config else ()
            present = {version for version in served if self.version_folder(model, version).is_dir()}
            common = present if common is None else common & present
        return tuple(sorted(common or ()))

    def next_version(self, family: Family) -> int:
        """One more than any number that a model of the family has ever had."""
        return max((*self.folders(family), *self.promotion(family).pruned), default=0) + 1

    def folders(self, family: Family) -> tuple[int, ...]:
        """The numbers of all version folders of a family, served or not, ascending."""
        names = {path.name for model in family.models for path in (self.root / model).glob("[0-9]*")}
        return tuple(sorted(int(name) for name in names if name.isdecimal()))

    def promotion(self, family: Family) -> Promotion:
        """What was promoted of a family; its first service says."""
        config = self.config(family.services[0])
        return Promotion.from_parameters(parameters_of(config)) if config else Promotion()

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """An empty hidden folder to build the next publication in, for one process at a time.

        What an export that was killed has left is finished or thrown away first.

        Raises:
            InputError: the repository cannot be written.
            ExportError: another export is at work in it.
        """
        with self._locked():
            self._recover()
            self._staged.mkdir()
            try:
                yield self._staged
            finally:
                shutil.rmtree(self._staged, ignore_errors=True)

    def rewrite(self, models: Iterable[str], change: Callable[[pb.ModelConfig], None]) -> None:
        """Change the configurations of some models in place, all of them or none. Raises as `staging`."""
        with self.staging() as staging:
            for model in models:
                config = read_config(self.root / model / CONFIG_FILE)
                change(config)
                (staging / model).mkdir()
                write_config(config, staging / model / CONFIG_FILE)
            self.commit()

    def remove(self, family: Family, version: int) -> None:
        """Delete the folders of a version that no configuration names any more. Raises as `staging`."""
        with self._locked():
            for model in family.models:
                shutil.rmtree(self.version_folder(model, version), ignore_errors=True)

    def recover(self) -> None:
        """Finish what a killed export had published, throw away what it had not. Raises as `staging`."""
        with self._locked():
            self._recover()

    def commit(self) -> None:
        """Publish what `staging` holds: `<model>/<version>/`, `<model>/warmup/`, `<model>/config.pbtxt`."""
        for path in self._staged.rglob("*"):
            if path.is_file():
                _flush(path)
        self._staged.rename(self._ready)
        self._install()

    @property
    def _staged(self) -> Path:
        return self.root.with_name(f".{self.root.name}.staging")

    @property
    def _ready(self) -> Path:
        return self.root.with_name(f".{self.root.name}.ready")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise InputError(f"{self.root}: not a folder that can be written ({error.strerror})") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self.root.stat().st_dev != self.root.parent.stat().st_dev:
                raise InputError(
                    f"{self.root} is a mount point: nothing can be renamed into it from beside it. "
                    "Use a folder inside it as the model repository."
                )
            yield
        except BlockingIOError as error:
            raise ExportError(f"another export is at work in {self.root}; wait until it has ended") from error
        finally:
            os.close(handle)

    def _recover(self) -> None:
        shutil.rmtree(self._staged, ignore_errors=True)
        if self._ready.is_dir():
            self._install()

    def _install(self) -> None:
        """Move every part into place; may be called again after being killed anywhere inside."""
        for family in FAMILIES.values():
            for model in family.models:
                if (self._ready / model).is_dir():
                    self._install_model(self._ready / model, self.root / model)
        shutil.rmtree(self._ready)

    def _install_model(self, source: Path, target: Path) -> None:
        if not target.exists():
            source.rename(target)  # at once: a model without a config would keep Triton from starting
            return
        for folder in (path for path in source.iterdir() if path.name.isdecimal()):
            shutil.rmtree(target / folder.name, ignore_errors=True)
            folder.rename(target / folder.name)
        if (source / WARMUP).is_dir():
            (target / WARMUP).mkdir(exist_ok=True)
            for sample in (source / WARMUP).iterdir():
                sample.replace(target / WARMUP / sample.name)
        if (source / CONFIG_FILE).is_file():
            (source / CONFIG_FILE).replace(target / CONFIG_FILE)
        self._drop_unused_samples(target)

    def _drop_unused_samples(self, target: Path) -> None:
        config = read_config(target / CONFIG_FILE)
        used = {entry.input_data_file for sample in config.model_warmup for entry in sample.inputs.values()}
        for path in (target / WARMUP).glob("*"):
            if path.name not in used:
                path.unlink()


def _flush(path: Path) -> None:
    """Bring a file's bytes to the disk, so that a rename never publishes a file that is still empty."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
