"""The language that a file's place says: `de/reset.html`, `docs/pt-BR/reset.md`, `index.de.html`.

A folder speaks of languages where all folders beside it are called by language tags and there are several, or where its
tag has a region: `it/` and `hr/` beside `sales/` are departments. Three letters are a word without one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from pathlib import PurePosixPath

from interlingua_client.language_tag import is_registered, normalize_tag

_TAG = re.compile(r"([a-z]{2}|[a-z]{3}(?=[-_]))([-_](?:[A-Z][a-z]{3}|[A-Za-z]{2}|\d{3}))?")


class PathLanguages:
    """What the paths of a collection, relative to its folder, say of languages."""

    def __init__(self, paths: Collection[PurePosixPath]) -> None:
        beside: dict[PurePosixPath, set[str]] = defaultdict(set)
        for path in paths:
            for folder in path.parents:
                if folder.name:
                    beside[folder.parent].add(folder.name)
        self._folders = {
            parent / name
            for parent, names in beside.items()
            for name in names
            if _tag(name) and (_has_region(name) or (len(names) > 1 and all(map(_tag, names))))
        }

    def of(self, path: PurePosixPath) -> str:
        """The tag, of the name before the innermost folder; "" where nothing says it."""
        *_, last = path.stem.split(".")
        if last != path.stem and len(_base(last)) == 2 and (tag := _tag(last)):
            return tag
        return next((_tag(folder.name) for folder in path.parents if folder in self._folders), "")


def _tag(name: str) -> str:
    if not _TAG.fullmatch(name):
        return ""
    tag = normalize_tag(name.replace("_", "-"))
    return tag if is_registered(tag) else ""


def _base(name: str) -> str:
    return re.split("[-_]", name)[0]


def _has_region(name: str) -> bool:
    return _base(name) != name
