"""A folder of the cache that is made once, whole or not at all, however many processes ask for it.

cached_folder(root, name, make): whole? --------------------> folder
                            | no                                ^
                            make(scratch, staged), beside --> rename
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from interlingua.base.errors import ArchiveError


def cached_folder(
    root: Path, name: str, make: Callable[[Path, Path], None], is_whole: Callable[[Path], bool] = Path.is_dir
) -> Path:
    """The folder `name` below `root`. The first process that asks makes it, the others wait.

    Args:
        make: gets an empty scratch folder, and the folder that it has to make below it.
        is_whole: whether what there is can be taken; anything else is thrown away and made again.

    Raises:
        ArchiveError: the cache cannot be written, or as `make`.
    """
    folder = root / name
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _locked(root / f".{name}.lock"):
            if not is_whole(folder):
                with tempfile.TemporaryDirectory(dir=root, prefix=f".{name}-") as scratch:
                    staged = Path(scratch) / "unpacked"
                    make(Path(scratch), staged)
                    shutil.rmtree(folder, ignore_errors=True)
                    staged.rename(folder)
    except OSError as error:
        raise ArchiveError(
            f"cannot write the cache {root}: {error}. Free some space, or point INTERLINGUA_CACHE elsewhere."
        ) from error
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
