"""A repository's models under other configurations, for a comparison: the same files, linked.

model repository, a change of each configuration --links--> a folder beside it, for as long as it is needed
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlingua.repository.model_repository import ModelRepository
from interlingua.repository.spare import give_spare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def changed_repository(original: Path, change: Callable[[Any], None]) -> Iterator[Path]:
    """A repository of the same files, whose configurations were changed."""
    with tempfile.TemporaryDirectory(dir=original.absolute().parent, prefix=f".{original.name}-") as folder:
        changed = Path(folder) / "models"
        shutil.copytree(original, changed, copy_function=os.link)
        copy = ModelRepository(changed)  # a change replaces files, and the original's links go on
        copy.rewrite(copy.read().models, change)
        yield changed


@contextmanager
def spared_repository(original: Path, spare: int | None) -> Iterator[Path]:
    """A repository with so many instances of each network that bulk work leaves free; None: the repository itself."""
    if spare is None:
        yield original
        return
    with changed_repository(original, lambda config: give_spare(config, spare)) as changed:
        yield changed
