"""One index directory that may hold several indexes side by side, one of which is current.

    INDEX/documents.sqlite, ...                      "." is the index that was there first
    INDEX/versions/<beginning of a digest>/          one built beside it, for the embedder of that digest
    INDEX/current.json                               says which is current, and which was before; without it, "."

`current.json` is renamed into place: a reader that opens the directory gets the one index or the other, and with it
the embedder that its manifest names. What is open already stays open.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.base.plain import build, plain, saved
from interlingua.base.whole_file import whole
from interlingua_client.index.document_store import DocumentStore

if TYPE_CHECKING:
    from interlingua_client.index.manifest import Manifest

POINTER_FILE = "current.json"
FIRST = "."

_FOLDER = "versions"
_DIGITS = 16


@saved
@dataclass(frozen=True)
class IndexPointer:
    """Folders relative to the index directory."""

    current: str = FIRST
    previous: str | None = None


def read_pointer(root: Path) -> IndexPointer:
    """What is current. Raises InputError: the file is damaged."""
    path = root / POINTER_FILE
    try:
        pointer = build(IndexPointer, json.loads(path.read_text()))
    except (FileNotFoundError, NotADirectoryError):
        return IndexPointer()
    except (OSError, ValueError, InputError) as error:
        raise InputError(f"{path} cannot be read ({error}): it names the folder of the current index") from error
    if not (_is_ours(pointer.current) and (pointer.previous is None or _is_ours(pointer.previous))):
        raise InputError(f"{path} names a folder that is not inside {root}")
    return pointer


def write_pointer(root: Path, pointer: IndexPointer) -> None:
    """Make an index current, from one moment to the next and for good."""
    with whole(root / POINTER_FILE, durable=True) as partial:
        partial.write_text(json.dumps(plain(pointer)))


def as_path(directory: object) -> Path:
    """A directory as its user names it. Raises InputError: it is no path."""
    if isinstance(directory, str | Path):
        return Path(directory)
    raise InputError(f"the index's directory is {directory!r}, it must be a path")


def current_folder(root: Path) -> Path:
    """The folder of the current index; `root` itself where nothing else was promoted. Raises as `read_pointer`."""
    return folder_of(root, read_pointer(root).current)


def embedder_digest(root: Path) -> str | None:
    """The digest of the embedder that the current index was built with; None where there is no index."""
    folder = current_folder(root)
    return _manifest(folder).embedder.digest if DocumentStore.exists(folder) else None


def folder_of(root: Path, name: str) -> Path:
    """The folder of an index by the name that a pointer gives it."""
    return root if name == FIRST else root / name


def indexes(root: Path) -> dict[str, Manifest]:
    """Every index in the directory, by its name in a pointer."""
    names = [FIRST, *sorted(f"{_FOLDER}/{path.name}" for path in (root / _FOLDER).glob("*") if path.is_dir())]
    return {name: _manifest(folder_of(root, name)) for name in names if DocumentStore.exists(folder_of(root, name))}


def find_index(root: Path, digest: str) -> str | None:
    """The name of the index of an embedder; the current one first, should there be two."""
    found = [name for name, manifest in indexes(root).items() if manifest.embedder.digest == digest]
    current = read_pointer(root).current
    return current if current in found else next(iter(found), None)


def name_beside(digest: str) -> str:
    """The name for a new index of an embedder."""
    return f"{_FOLDER}/{digest[:_DIGITS]}"


def _is_ours(name: str) -> bool:
    return name == FIRST or Path(name) == Path(_FOLDER) / Path(name).name


def _manifest(folder: Path) -> Manifest:
    with closing(DocumentStore.open(folder)) as store:
        return store.manifest()
