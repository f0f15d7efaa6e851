"""The files of a folder, in the order of their names; each once, however many links lead to it.

folder --walk--> SourceFile(path, place in the folder) of kinds that can be read; hidden ones and others are passed over
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from interlingua.base.errors import InputError

KINDS = {
    ".md": "markdown", ".markdown": "markdown", ".mdown": "markdown", ".txt": "markdown",
    ".html": "html", ".htm": "html", ".xhtml": "html",
    ".csv": "csv", ".tsv": "csv",
    ".pdf": "pdf",
    ".docx": "docx",
    ".json": "json",
}  # fmt: skip


class SourceFile(NamedTuple):
    """A file to convert.

    Attributes:
        place: from the folder that was given, NFC; the file's id.
        kind: of KINDS.
    """

    path: Path
    place: PurePosixPath
    kind: str


class FoundFiles(NamedTuple):
    """What a walk found; `passed_over` counts files of other kinds by their suffixes."""

    files: list[SourceFile]
    passed_over: dict[str, int]


def find_files(root: Path) -> FoundFiles:
    """The files of a folder and of those in it, or the one file that `root` is.

    Raises:
        InputError: there is none, or it is a file of no known kind.
    """
    if root.is_file():
        kind = KINDS.get(root.suffix.lower())
        if kind is None:
            raise InputError(f"{root} is none of {', '.join(KINDS)}")
        return FoundFiles([SourceFile(root, _place(PurePosixPath(root.name)), kind)], {})
    if not root.is_dir():
        raise InputError(f"{root} does not exist")
    files, passed_over = [], dict[str, int]()
    for path in _walk(root):
        suffix = path.suffix.lower()
        if suffix in KINDS:
            files.append(SourceFile(path, _place(PurePosixPath(path.relative_to(root).as_posix())), KINDS[suffix]))
        else:
            passed_over[suffix or path.name] = passed_over.get(suffix or path.name, 0) + 1
    return FoundFiles(files, passed_over)


def _walk(root: Path) -> Iterator[Path]:
    """Regular files below, a folder's own first, by their names; what links lead to too, unless it is there itself."""
    seen: set[tuple[int, int]] = set()
    files, links = list[Path](), list[Path]()
    starts = [root]
    for start in starts:
        for folder, folders, names in os.walk(start, onerror=_refuse):
            if not _is_new(Path(folder), seen):
                folders.clear()
                continue
            shown = [Path(folder) / name for name in sorted(folders) if not name.startswith(".")]
            folders[:] = [path.name for path in shown if not path.is_symlink()]
            starts += [path for path in shown if path.is_symlink()]
            for path in (Path(folder) / name for name in sorted(names) if not name.startswith((".", "~$"))):
                if path.is_symlink():
                    links.append(path)
                elif path.is_file() and _is_new(path, seen):
                    files.append(path)
    files += [path for path in links if path.is_file() and _is_new(path, seen)]
    yield from sorted(files, key=lambda path: [*((1, part) for part in path.parts[:-1]), (0, path.name)])


def _is_new(path: Path, seen: set[tuple[int, int]]) -> bool:
    """Whether a file or folder was not seen, under whatever name; from now on it was."""
    found = path.stat()
    key = (found.st_dev, found.st_ino)
    is_new = key not in seen
    seen.add(key)
    return is_new


def _refuse(error: OSError) -> None:
    raise InputError(f"cannot read {error.filename}: {error.strerror}") from error


def _place(path: PurePosixPath) -> PurePosixPath:
    name = os.fsencode(str(path)).decode("utf-8", "replace")
    return PurePosixPath(unicodedata.normalize("NFC", name))
