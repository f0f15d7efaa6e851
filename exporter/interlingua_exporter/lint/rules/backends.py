"""The folder that `--backend-directory` names, where it can be seen from here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua_exporter.lint import disk
from interlingua_exporter.lint.finding import Rule, RuleHit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.lint.repository import Repository


def _directory(repository: Repository) -> Path | None:
    launch = repository.settings.launch
    path = Path(launch.value("--backend-directory")) if launch and launch.value("--backend-directory") else None
    return path if path and disk.is_folder(path) else None


def _missing(repository: Repository) -> Iterator[RuleHit]:
    folder = _directory(repository)
    for model in repository.configured if folder else ():
        if folder and model.backend not in ("", "ensemble") and not disk.is_folder(folder / model.backend):
            yield model.hit("backend", f"{folder} has no folder {model.backend!r}")


def _links(repository: Repository) -> Iterator[RuleHit]:
    folder = _directory(repository)
    if folder is None:
        return
    for name in sorted({model.backend for model in repository.configured if model.backend}):
        home = folder / name
        for path in (home, *disk.listed(home)):
            if disk.is_link(path) and not disk.lies_in(path, folder):
                yield RuleHit("", str(path), "--backend-directory", f"it is a link to {os.path.realpath(path)}")


RULES = (
    Rule(
        code="BKD001",
        severity="error",
        title="a backend that is not in --backend-directory",
        why="The model does not load: unable to find backend library.",
        mend="Copy the backend's folder there.",
        check=_missing,
    ),
    Rule(
        code="BKD002",
        severity="error",
        title="a backend that is a link out of --backend-directory",
        why="Triton refuses a backend library that resolves to a place outside of the folder.",
        mend="Copy the files instead.",
        check=_links,
    ),
)
