"""The indexes that change together with a version: which there are, whether they fit, and the change itself.

INDEX --find_index(digest)--> the index built for a version --same documents?--> current.json names it
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from interlingua.base.errors import InputError
from interlingua_client.index.index_root import (
    IndexPointer,
    find_index,
    folder_of,
    indexes,
    read_pointer,
    write_pointer,
)
from interlingua_client.index.reembedding import differing_documents, is_finished
from interlingua_client.index.writer_lock import writer_lock

_LOCK_WAIT_S = 2.0


@dataclass(frozen=True)
class IndexSwitch:
    """An index directory, and what is to be current in it."""

    root: Path
    before: IndexPointer
    after: IndexPointer

    @classmethod
    def to(cls, root: Path, digest: str, version: int) -> IndexSwitch:
        """The switch to the index of an embedder.

        Raises:
            InputError: there is none.
        """
        name = find_index(root, digest)
        if name is None:
            there = [f"{kept.embedder.digest[:12]} ({kept.embedder.model_id})" for kept in indexes(root).values()]
            raise InputError(
                f"{root} has no index for version {version} (digest {digest[:12]}), but for "
                f"{', '.join(there) or 'nothing'}: build one with `interlingua index --beside {version} --index {root}`"
                ", or promote with --no-index"
            )
        before = read_pointer(root)
        after = before if name == before.current else IndexPointer(name, before.current)
        return cls(root, before, after)

    @property
    def differing(self) -> int:
        """Documents that are not the same in both indexes."""
        if self.before == self.after:
            return 0
        return differing_documents(self._folder(self.before.current), self._folder(self.after.current))

    def require_same_documents(self, version: int) -> None:
        """Raises InputError where documents came, changed or went since the new index was built."""
        finished = is_finished(self._folder(self.after.current))
        differing = self.differing
        if differing or not finished:
            why = (
                f"{differing} documents differ from the current index's" if differing else "its build was not finished"
            )
            raise InputError(
                f"the index for version {version} in {self.root} is not up to date: {why}. Run `interlingua index "
                f"--beside {version} --index {self.root}` again; nothing was promoted."
            )

    def make(self) -> None:
        """Makes the pairs current."""
        if self.before != self.after:
            write_pointer(self.root, self.after)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody writes into either index while the block runs. Raises IndexBusyError."""
        names = dict.fromkeys((self.before.current, self.after.current))
        with ExitStack() as stack:
            for name in names:
                stack.enter_context(writer_lock(self._folder(name), _LOCK_WAIT_S))
            yield

    def _folder(self, name: str) -> Path:
        return folder_of(self.root, name)
