"""The language that a file's place says: `de/reset.html`, `docs/pt-BR/reset.md`, `index.de.html` beside `index.html`.

A folder speaks of languages where all folders beside it are called by language tags and there are several, or where its
tag has a region or script that is written as such: `it/` and `hr/` beside `sales/` are departments, `to-do/` is
not in Tongan. A file's name does likewise: beside the same name with another tag or with none, or with a region. Three
letters are a word.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from pathlib import PurePosixPath

from interlingua_client.language_tag import is_registered, normalize_tag

_TAG = re.compile(r"[a-z]{2}([-_](?:[A-Z][a-z]{3}|[A-Za-z]{2}|\d{3}))?")
_AS_SUCH = re.compile(r"[a-z]{2}[-_]([A-Z][a-z]{3}|[A-Z]{2}|\d{3})")


class PathLanguages:
    """What the paths of a collection, relative to its folder, say of languages."""

    def __init__(self, paths: Collection[PurePosixPath]) -> None:
        beside: dict[PurePosixPath, set[str]] = defaultdict(set)
        self._tags: dict[tuple[PurePosixPath, str], set[str]] = defaultdict(set)
        for path in paths:
            name, tag = _parted(path)
            self._tags[path.parent, name].add(tag)
            for folder in path.parents:
                if folder.name:
                    beside[folder.parent].add(folder.name)
        self._folders = {
            parent / name
            for parent, names in beside.items()
            for name in names
            if _tag(name) and (_AS_SUCH.fullmatch(name) or (len(names) > 1 and all(map(_tag, names))))
        }

    def of(self, path: PurePosixPath) -> str:
        """The tag, of the name before the innermost folder; "" where nothing says it."""
        name, tag = _parted(path)
        if tag and (_AS_SUCH.fullmatch(tag) or len(self._tags[path.parent, name]) > 1):
            return _tag(tag)
        return next((_tag(folder.name) for folder in path.parents if folder in self._folders), "")


def _parted(path: PurePosixPath) -> tuple[str, str]:
    """`index` and `de` of `index.de.html`; no tag where the name has none."""
    name, _, last = path.stem.rpartition(".")
    return (name, last) if name and _tag(last) else (path.stem, "")


def _tag(name: str) -> str:
    if not _TAG.fullmatch(name):
        return ""
    tag = normalize_tag(name.replace("_", "-"))
    return tag if is_registered(tag) else ""
