"""Version folders against the version policy."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from interlingua_exporter.lint import disk
from interlingua_exporter.lint.finding import Rule, RuleHit, each_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interlingua_exporter.lint.model import Model
    from interlingua_exporter.lint.repository import Repository

_COPYING_S = 60.0  # files of two versions that are copied together are not this far apart


@each_model
def _none(model: Model) -> Iterator[RuleHit]:
    if not model.served:
        there = ", ".join(map(str, model.versions)) or "none"
        yield model.hit("version_policy", f"no version is served (version folders: {there})", file="")


@each_model
def _absent(model: Model) -> Iterator[RuleHit]:
    absent = [version for version in model.config.version_policy.specific.versions if version not in model.versions]
    if absent and model.served:
        numbers = ", ".join(map(str, absent))
        yield model.hit("version_policy.specific.versions", f"there is no version folder {numbers}")


def _leading_zeros(repository: Repository) -> Iterator[RuleHit]:
    for model in repository.models:
        for name in model.entries:
            if name.isascii() and name.isdecimal() and name[0] == "0" and name != "0":
                yield model.hit("", f"Triton ignores the folder {name}", f"mv {name} {int(name)}", file=name)


@each_model
def _many(model: Model) -> Iterator[RuleHit]:
    choice = model.config.version_policy.WhichOneof("policy_choice")
    if choice in ("all", "latest") and len(model.served) > 1:
        what = f"versions {', '.join(map(str, model.served))} are in memory together"
        yield model.hit(f"version_policy.{choice}", what)


@each_model
def _no_policy(model: Model) -> Iterator[RuleHit]:
    if len(model.versions) > 1 and model.config.version_policy.WhichOneof("policy_choice") is None:
        numbers = ", ".join(map(str, model.versions))
        mend = f"version_policy {{ specific {{ versions: [{numbers}] }} }}"
        yield model.hit("version_policy", f"of the versions {numbers} only {model.versions[-1]} is served", mend)


@each_model
def _overwritten(model: Model) -> Iterator[RuleHit]:
    newest = [(version, _newest(model.folder / str(version))) for version in model.versions]
    for (older, time), (newer, next_time) in itertools.pairwise(newest):
        if time > next_time + _COPYING_S and next_time:
            yield model.hit("", f"files of version {older} are newer than those of version {newer}", file=str(older))


def _newest(folder: Path) -> float:
    return max((disk.changed(path) for path in disk.listed(folder) if disk.is_file(path)), default=0.0)


RULES = (
    Rule(
        code="VER001",
        severity="error",
        title="no version is served",
        why="The model does not load: at least one version must be available under its policy.",
        mend="Publish a version folder (an ensemble needs an empty one), or name one that is there.",
        check=_none,
    ),
    Rule(
        code="VER002",
        severity="warning",
        title="version_policy names versions that are not there",
        why="Triton serves the others and says nothing; who asks for the missing one gets an error.",
        mend="Take the number out of version_policy, or publish the version.",
        check=_absent,
    ),
    Rule(
        code="VER003",
        severity="warning",
        title="a version folder with leading zeros",
        why="Triton ignores it: only plain numbers are versions.",
        mend="Rename it.",
        check=_leading_zeros,
    ),
    Rule(
        code="VER004",
        severity="note",
        title="the policy loads old versions as well",
        why="Every version that is served has weights, arenas and instances of its own, on the host and on the GPU.",
        mend="version_policy { specific { versions: [N] } } with the versions that clients still ask for.",
        check=_many,
    ),
    Rule(
        code="VER005",
        severity="note",
        title="several versions, and no version policy",
        why="At the next load the highest number is served, whole or not, and it alone: clients lose the old version.",
        mend="version_policy { specific { versions: [N] } }",
        check=_no_policy,
    ),
    Rule(
        code="VER006",
        severity="note",
        title="a version seems to have been overwritten",
        why="A version that changes in place gives other answers under the same number: caches, indexes and clients "
        "that pinned it mix old and new. (Copying a repository without its times looks the same.)",
        mend="Publish the change as a new version.",
        check=_overwritten,
    ),
)
