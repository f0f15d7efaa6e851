"""The folder that the steps of an adaptation share; each step reads what the one before it wrote.

    corpus --> corpus.jsonl, corpus.json --> mine --> index/, lists.jsonl, lists.json --> score --> scores.jsonl
           --> train --> runs/<name>/ --> merge --> runs/<name>/

A `.json` beside a `.jsonl` says what it was made of: the digest of the step before. So a file that belongs to
another corpus is noticed, rather than mixed with this one's. Every file appears whole, or not at all; only
`lists.jsonl.part` and the like grow line by line, and are taken up again where they stopped.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.base.file_digest import file_digest
from interlingua.base.whole_file import whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_adaptation.corpus_step.section import Section


@dataclass(frozen=True)
class WorkFolder:
    """Where each step's files are."""

    root: Path

    @property
    def corpus(self) -> Path:
        return self.root / "corpus.jsonl"

    @property
    def corpus_facts(self) -> Path:
        return self.root / "corpus.json"

    @property
    def index(self) -> Path:
        return self.root / "index"

    @property
    def lists(self) -> Path:
        return self.root / "lists.jsonl"

    @property
    def lists_facts(self) -> Path:
        return self.root / "lists.json"

    @property
    def scores(self) -> Path:
        return self.root / "scores.jsonl"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    def make(self) -> None:
        """Make the folder.

        Raises:
            InputError: it cannot be made.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make the work folder {self.root}: {error.strerror or error}") from error

    def require_corpus(self) -> dict[str, Any]:
        """The facts of a corpus that is there and whole.

        Raises:
            InputError: there is none, or it is not the one that its facts tell of.
        """
        facts = read_facts(self.corpus_facts)
        if facts is None or not self.corpus.is_file():
            raise InputError(
                f"there is no corpus in {self.root}: make one with `interlingua adapt corpus` (--work names the folder)"
            )
        if facts.get("sha256") != file_digest(self.corpus):
            raise InputError(
                f"{self.corpus} is not the file that {self.corpus_facts.name} tells of: it was changed or damaged. "
                "Make it again with `interlingua adapt corpus`"
            )
        return facts

    def require_lists(self) -> dict[str, Any]:
        """The facts of lists that are there, whole, and of this folder's corpus.

        Raises:
            InputError: there are none, mining has not ended, or they are of another corpus.
        """
        corpus = self.require_corpus()
        facts = read_facts(self.lists_facts)
        if facts is None or not self.lists.is_file():
            raise InputError(f"there are no lists in {self.root}: make them with `interlingua adapt mine`")
        if facts.get("corpus_sha256") != corpus["sha256"]:
            raise InputError(
                f"{self.lists} was mined from another corpus than {self.corpus}: "
                "mine again with `interlingua adapt mine --replace`"
            )
        if facts.get("sha256") != file_digest(self.lists):
            raise InputError(
                f"{self.lists} is not the file that {self.lists_facts.name} tells of: it was changed or damaged. "
                "Make it again with `interlingua adapt mine --replace`"
            )
        return facts

    def read_sections(self) -> Iterator[Section]:
        """The corpus' sections; call `require_corpus` first."""
        from interlingua_adaptation.corpus_step.section import Section

        with self.corpus.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                yield Section(row["group"], row["language"], row["title"], row["text"])


def read_facts(path: Path) -> dict[str, Any] | None:
    """A JSON object; None where there is none that can be read."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def write_facts(path: Path, facts: dict[str, Any]) -> None:
    """A JSON object, whole or not at all."""
    with written_whole(path) as file:
        file.write(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")


@contextmanager
def written_whole(path: Path) -> Iterator[IO[str]]:
    """A file to write that takes its place when the block ends without an error.

    Raises:
        InputError: it cannot be written.
    """
    try:
        with whole(path, durable=True) as partial, partial.open("w", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error


def json_line(row: dict[str, Any]) -> str:
    """One line of a `.jsonl` file."""
    return json.dumps(row, ensure_ascii=False) + "\n"
