"""Writes outcomes without end, for a test that kills it: FOLDER. Says how many are in finished parts."""

from __future__ import annotations

import sys
from pathlib import Path

from interlingua_loadtest.record.parquet_parts import PartWriter
from interlingua_loadtest.record.record import OUTCOME_COLUMNS, Outcome

PART_ROWS = 200


def main() -> None:
    columns = tuple(OUTCOME_COLUMNS)
    writer: PartWriter[Outcome] = PartWriter(
        Path(sys.argv[1]),
        OUTCOME_COLUMNS,
        lambda outcome: tuple(getattr(outcome, name) for name in columns),
        part_rows=PART_ROWS,
    )
    number = 0
    while True:
        writer.add(
            Outcome(
                number=number,
                kind="search",
                language="de",
                query_kind="plain",
                depth=20,
                scheduled_s=number / 100,
                sent_s=number / 100,
                finished_s=number / 100 + 0.5,
                status="ok",
            )
        )
        number += 1
        sys.stdout.write(f"{number} {writer.written}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
