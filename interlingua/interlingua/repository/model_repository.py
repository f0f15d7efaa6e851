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
from typing import TYPE_CHECKING

from interlingua.base.errors import ExportError, InputError
from interlingua.repository.families import ROLES, models_of
from interlingua.repository.published import Published
from interlingua.repository.triton_config import CONFIG_FILE, drop_version, read_config, set_promotion, write_config
from interlingua.repository.warmup_samples import FOLDER as WARMUP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tritonclient.grpc import model_config_pb2 as pb

    from interlingua.served.kinds import Role
    from interlingua.served.promotion import Promotion


class ModelRepository:
    """A folder that Triton loads models from."""

    def __init__(self, root: Path) -> None:
        """Nothing is created or read yet."""
        self.root = root.absolute()

    def read(self) -> Published:
        """What is published now."""
        return Published.read(self.root)

    def next_version(self, role: Role) -> int:
        """One more than any number that a model of the family has ever had."""
        return max((*self.folders(role), *self.read().promotion(role).pruned), default=0) + 1

    def folders(self, role: Role) -> tuple[int, ...]:
        """The numbers of all version folders of a family, served or not, ascending."""
        names = {path.name for model in models_of(role) for path in (self.root / model).glob("[0-9]*")}
        return tuple(sorted(int(name) for name in names if name.isdecimal()))

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

    def note(self, role: Role, promotion: Promotion) -> None:
        """Write down in a family's services what is promoted. Raises as `staging`."""
        self.rewrite(self.read().family(role).services, lambda config: set_promotion(config, promotion))

    def drop(self, role: Role, versions: Iterable[int]) -> None:
        """Take versions out of a family's configurations; their files stay. Raises as `staging`."""

        def without(config: pb.ModelConfig) -> None:
            for version in versions:
                drop_version(config, version)

        self.rewrite(self.read().family(role).models, without)

    def way_back(self, role: Role) -> Callable[[], None]:
        """What puts a family's configurations back as they are now."""
        models = self.read().family(role).models
        before = {model: read_config(self.root / model / CONFIG_FILE) for model in models}
        return lambda: self.rewrite(models, lambda config: config.CopyFrom(before[config.name]))

    def remove(self, role: Role, version: int) -> None:
        """Delete the folders of a version that no configuration names any more. Raises as `staging`."""
        with self._locked():
            for model in models_of(role):
                shutil.rmtree(self.root / model / str(version), ignore_errors=True)

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
        for role in ROLES:
            for model in models_of(role):
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
