"""Lists while they are made: appended line by line, taken up again after a stop, published at the end.

begin --> lists.part.json (what they are made of)
add   --> lists.part.jsonl, a list a line; the line that a stop tore is thrown away
publish --> lists.jsonl, lists.json; the parts are removed
"""

from __future__ import annotations

import json
from collections import Counter
from typing import IO, TYPE_CHECKING, Any

from interlingua.base.file_digest import file_digest
from interlingua_adaptation.work_folder import WorkFolder, json_line, read_facts, write_facts, written_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_adaptation.mining.mine_negatives import Negatives
    from interlingua_adaptation.mining.mine_queries import MinedQuery


class GrowingLists:
    """The parts of one mining run; a context manager that holds the file open."""

    def __init__(self, work: WorkFolder, made_of: dict[str, Any]) -> None:
        """Go on with the parts where they were made of the same, begin anew where not."""
        self._work, self._made_of = work, made_of
        self._lines = work.root / "lists.part.jsonl"
        self._header = work.root / "lists.part.json"
        header = read_facts(self._header) or {}
        if header.get("made_of") != made_of:
            self._lines.unlink(missing_ok=True)
            header = {"made_of": made_of, "truncated": 0}
            write_facts(self._header, header)
        self._truncated: int = header["truncated"]
        self.done = {row["id"] for row in self._rows()}
        self._file: IO[str] = self._lines.open("a", encoding="utf-8")

    def __enter__(self) -> GrowingLists:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add_truncated(self, number: int) -> None:
        """So many more sections were longer than the network reads."""
        self._truncated += number
        write_facts(self._header, {"made_of": self._made_of, "truncated": self._truncated})

    def add(self, query: MinedQuery, negatives: Negatives) -> None:
        """One more list; kept also if it has no negatives, so that it is not made again."""
        row = {**query.row(negatives.groups), "near_duplicates": negatives.near_duplicates}
        self._file.write(json_line(row))
        self._file.flush()

    def publish(self) -> dict[str, Any]:
        """Put the lists that have negatives in place; their facts."""
        kinds: Counter[str] = Counter()
        languages: Counter[str] = Counter()
        negatives = near_duplicates = without = short = 0
        with written_whole(self._work.lists) as out:
            for row in self._rows():
                near_duplicates += row["near_duplicates"]
                if not row["negatives"]:
                    without += 1
                    continue
                kinds[row["kind"]] += 1
                languages.update(row["queries"].keys())
                negatives += len(row["negatives"])
                short += len(row["negatives"]) < self._made_of["settings"]["negatives"]
                out.write(json_line(row))
        facts = {
            **self._made_of,
            "sha256": file_digest(self._work.lists),
            "lists": kinds.total(),
            "kinds": dict(kinds),
            "languages": dict(languages.most_common()),
            "negatives": negatives,
            "short": short,
            "near_duplicates": near_duplicates,
            "without_negatives": without,
            "truncated": self._truncated,
        }
        write_facts(self._work.lists_facts, facts)
        self._lines.unlink()
        self._header.unlink()
        return facts

    def _rows(self) -> Iterator[dict[str, Any]]:
        """What was written so far; cuts a torn last line off."""
        if not self._lines.exists():
            return
        with self._lines.open("rb+") as lines:
            whole = 0
            for line in lines:
                if not line.endswith(b"\n"):
                    lines.truncate(whole)
                    return
                whole += len(line)
                yield json.loads(line)
