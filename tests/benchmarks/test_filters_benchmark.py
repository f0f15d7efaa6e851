"""The benchmark of filters, on a few passages."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np

from interlingua_benchmarks.filters.filter_cost import table
from interlingua_benchmarks.filters.synthetic_index import around_topics, build
from interlingua_client.index.search_index import SearchIndex


def test_a_row_a_share_with_all_that_was_to_be_found(tmp_path: Path) -> None:
    build(tmp_path / "index", 200)
    questions = around_topics(np.random.default_rng(0), 3)
    with closing(SearchIndex.open(tmp_path / "index")) as index:
        grid = table(index, questions, 20.0)
    assert [row[0].text for row in grid.rows] == ["no filter", "0.001", "0.01", "0.1", "0.5", "0.9"]
    assert {row[3].text for row in grid.rows if row[1].text != "0"} == {"1.000"}
    passages = [int(row[1].text.replace(",", "")) for row in grid.rows]
    assert passages[0] == 1000
    assert 400 < passages[4] < 600 < 800 < passages[5]
    assert [int(row[4].text) for row in grid.rows] == [min(50, number) for number in passages]
