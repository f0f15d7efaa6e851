"""A whole model repository as rules see it, and what is known of how it will be served.

folder --one listing--> Model, Model, ...; settings from the command line --> Repository
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_exporter.lint import disk
from interlingua_exporter.lint.model import Model

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua_exporter.lint.launch_line import LaunchLine


@dataclass(frozen=True)
class LintSettings:
    """What the files do not say; None is unknown.

    Attributes:
        launch: the flags of `tritonserver`.
        shm_size: bytes of /dev/shm where the server runs.
        gpu: whether that machine has a GPU.
        vnni: whether its CPU multiplies int8 without saturating.
    """

    launch: LaunchLine | None = None
    shm_size: int | None = None
    gpu: bool | None = None
    vnni: bool | None = None


@dataclass(frozen=True)
class Repository:
    """Everything a rule may look at.

    Attributes:
        dangling: names in the root that are links to nothing.
    """

    root: Path
    models: tuple[Model, ...]
    dangling: tuple[str, ...]
    settings: LintSettings = field(default_factory=LintSettings)

    @classmethod
    def read(cls, root: Path, settings: LintSettings | None = None) -> Repository:
        """Read a repository, without following it any further than its files.

        Raises:
            InputError: `root` is no folder, or cannot be listed.
        """
        try:
            names = sorted(path.name for path in root.iterdir())
        except OSError as error:
            raise InputError(f"{root}: not a model repository that can be read ({error.strerror})") from error
        paths = [root / name for name in names]
        return cls(
            root=root,
            models=tuple(Model.read(path) for path in paths if disk.is_folder(path)),
            dangling=tuple(path.name for path in paths if disk.is_link(path) and not disk.exists(path)),
            settings=settings or LintSettings(),
        )

    @cached_property
    def configured(self) -> tuple[Model, ...]:
        """The models whose configuration can be read."""
        return tuple(model for model in self.models if model.configured)

    @cached_property
    def by_name(self) -> dict[str, Model]:
        return {model.name: model for model in self.models}

    def inside(self, path: Path) -> bool:
        """Whether a path, links followed, lies in the repository."""
        return disk.lies_in(path, self.root)
