"""Folders, links and files of a repository, before anything in them is understood."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from interlingua_exporter.lint import disk
from interlingua_exporter.lint.finding import Rule, RuleHit, each_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.lint.model import Model
    from interlingua_exporter.lint.repository import Repository

_POINTER = b"version https://git-lfs"


def _dangling_models(repository: Repository) -> Iterator[RuleHit]:
    for name in repository.dangling:
        yield RuleHit("", name, "", f"{name} is a link to nothing", f"rm {name!r}")


def _no_models(repository: Repository) -> Iterator[RuleHit]:
    for model in repository.models:
        if not model.has_config and not model.versions and not model.unlisted:
            yield model.hit("", "the folder has neither config.pbtxt nor a version folder", file="")


def _unlisted(repository: Repository) -> Iterator[RuleHit]:
    for model in repository.models:
        if model.unlisted:
            yield model.hit("", f"the folder cannot be listed: {model.unlisted}", file="")
        for path in model.files():
            if disk.exists(path) and not os.access(path, os.R_OK):
                yield model.hit("", f"{path.name} cannot be read", file=str(path.relative_to(model.folder)))


def _white_space(repository: Repository) -> Iterator[RuleHit]:
    for model in repository.models:
        if model.python_based and any(character.isspace() for character in model.name):
            yield model.hit("", f"the name {model.name!r} holds white space", file="")


def _dangling_files(repository: Repository) -> Iterator[RuleHit]:
    for model in repository.models:
        for path in model.files():
            if disk.is_link(path) and not disk.exists(path):
                where = str(path.relative_to(model.folder))
                yield model.hit("", f"{where} is a link to nothing", file=where)


def _outside(repository: Repository) -> Iterator[RuleHit]:
    for model in repository.models:
        for path in (model.folder, *model.files()):
            if disk.is_link(path) and disk.exists(path) and not repository.inside(path):
                where = "" if path == model.folder else str(path.relative_to(model.folder))
                yield model.hit("", f"it is a link out of the repository, to {os.path.realpath(path)}", file=where)


@each_model
def _missing(model: Model) -> Iterator[RuleHit]:
    if not model.model_file or model.backend == "ensemble" or model.config.cc_model_filenames:
        return  # cc_model_filenames names a plan for each kind of GPU
    for version in model.served:
        path = model.version_file(version)
        if not disk.exists(path) and not disk.is_link(path):
            where = f"{version}/{model.model_file}"
            yield model.hit("default_model_filename", f"{where} is missing", file=where)


@each_model
def _hollow(model: Model) -> Iterator[RuleHit]:
    if not model.model_file:
        return
    for version in model.served:
        path = model.version_file(version)
        where = f"{version}/{model.model_file}"
        try:
            if not disk.is_file(path):
                continue
            with path.open("rb") as file:
                start = file.read(len(_POINTER))
        except OSError:
            continue
        if not disk.size(path):
            yield model.hit("", "the model's file is empty", file=where)
        elif start == _POINTER:
            yield model.hit("", "the model's file is a Git LFS pointer", "git lfs pull", file=where)


RULES = (
    Rule(
        code="REP001",
        severity="error",
        title="a link to nothing in the repository's root",
        why="Triton gives up on the whole repository, not on that one model: no model is loaded (seen with 24.10).",
        mend="Remove the link, or mount what it points to.",
        check=_dangling_models,
    ),
    Rule(
        code="REP002",
        severity="error",
        title="a folder that is no model (.git, .ipynb_checkpoints, notes)",
        why="Every folder in the root is a model to Triton. One that does not load ends the server at its start, "
        "unless --exit-on-error=false.",
        mend="Move the folder out of the repository.",
        check=_no_models,
    ),
    Rule(
        code="REP003",
        severity="error",
        title="a folder or file that cannot be read",
        why="The server, which should run as a plain user, cannot read it either, and the model does not load.",
        mend="chmod -R a+rX on the model's folder.",
        check=_unlisted,
    ),
    Rule(
        code="REP004",
        severity="error",
        title="white space in the name of a Python-based model",
        why="The name becomes part of the stub process's command line; the server ends with std::invalid_argument "
        "(seen with 24.10).",
        mend="Rename the folder, with _ for the white space.",
        check=_white_space,
    ),
    Rule(
        code="REP005",
        severity="error",
        title="a link to nothing within a model",
        why="The model does not load.",
        mend="Put the file in its place.",
        check=_dangling_files,
    ),
    Rule(
        code="REP006",
        severity="warning",
        title="a link out of the repository",
        why="A copy, an image or a mount of the repository leaves the target behind, write protection of the "
        "repository does not cover it, and ONNX Runtime refuses external data behind such a link.",
        mend="Put the file itself into the repository (a hard link costs no space).",
        check=_outside,
    ),
    Rule(
        code="REP007",
        severity="error",
        title="the model's file is missing in a version that is served",
        why="The version does not load.",
        mend="Publish the file, or take the version out of version_policy.",
        check=_missing,
    ),
    Rule(
        code="REP008",
        severity="error",
        title="the model's file is empty or a Git LFS pointer",
        why="The version does not load; the error of the backend (a failed parse) does not say why.",
        mend="Publish the file again.",
        check=_hollow,
    ),
)
