"""What an index costs: against real indexes, and against laws whose coefficients are known."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from math import log
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua.base.plain import build, plain
from interlingua_client.index.manifest import HnswParameters
from interlingua_client.index.vector_index import VectorIndex
from interlingua_loadtest.capacity.index.index_cost import IndexCost, IndexMeasurement
from interlingua_loadtest.capacity.index.index_fit import fit, fit_law
from interlingua_loadtest.capacity.index.index_layout import graph_bytes, graph_file_bytes
from interlingua_loadtest.capacity.index.index_measurement import LikeEmbeddings, Size, measure_all


def test_bytes_of_a_graph_by_hand() -> None:
    # 4 x 4 bytes of vector, 8 of label, 4 of count, 2 x 2 links of 4; M = 2: on 1 / (2 - 1) upper levels of 4 + 2 x 4.
    assert graph_bytes(10, 4, 2) == 10 * (16 + 8 + 4 + 16 + 12)
    # M = 5: 1 / 4 of an upper level of 4 + 5 x 4.
    assert graph_bytes(1, 1, 5) == 4 + 8 + 4 + 40 + 6


@pytest.mark.parametrize(("dimension", "m"), [(8, 16), (96, 4), (32, 48)])
def test_the_file_of_a_real_graph_has_the_size_of_the_formula(tmp_path: Path, dimension: int, m: int) -> None:
    count = 3000
    graph = VectorIndex(dimension, HnswParameters(m=m, ef_construction=20), count)
    graph.add(np.arange(count), LikeEmbeddings.draw(count, dimension).documents)
    graph.save(tmp_path / "graph")
    # Levels are drawn at random: of 3000 elements some 3000 / (M - 1) reach upper ones, give or take its root.
    chance = 4 * (3000 / (m - 1)) ** 0.5 * (4 * m + 4)
    assert (tmp_path / "graph").stat().st_size == pytest.approx(graph_file_bytes(count, dimension, m), abs=chance)


def test_the_fit_finds_the_law_that_times_were_made_with() -> None:
    def seconds(count: int, dimension: int, m: int, ef: int) -> float:
        beyond = max(0.0, 1 - 2e7 / graph_bytes(count, dimension, m))
        return float(1e-7 * log(count) * dimension**0.5 * m**0.3 * ef**0.8 * (1 + 2.5 * beyond))

    places = list(product((2000, 9000, 40_000, 90_000), (128, 768), (8, 32), (16, 128, 512)))
    law, residuals = fit_law([(place, seconds(*place)) for place in places], "searching")
    assert (law.dimension, law.m, law.ef, law.miss) == pytest.approx((0.5, 0.3, 0.8, 2.5), rel=1e-3)
    assert law.cache_bytes == pytest.approx(2e7, rel=1e-3)
    assert np.exp(law.log_scale) == pytest.approx(1e-7, rel=1e-3)
    assert residuals.worst < 1e-4
    # Ten times as many documents beyond any cache: log(10^7) / log(10^6) = 7 / 6 of the visits, each hardly slower.
    ratio = law.seconds(10**7, 384, 16, 64) / law.seconds(10**6, 384, 16, 64)
    assert ratio == pytest.approx(7 / 6, rel=0.02)


def _measurements() -> list[IndexMeasurement]:
    """With 100 bytes a vector and a million bytes of a process beyond the layout; 1 ns a number without a graph."""
    sizes = [(1000, 8, 8, 100), (1000, 64, 16, 200), (4000, 8, 16, 100), (4000, 64, 8, 400), (9000, 8, 32, 200)]
    sizes += [(9000, 32, 8, 100), (2000, 32, 16, 400)]
    return [
        IndexMeasurement(
            count=count,
            dimension=dimension,
            m=m,
            ef_construction=ef,
            memory_bytes=round(graph_bytes(count, dimension, m) + 100 * count + 1e6),
            file_bytes=round(graph_file_bytes(count, dimension, m)),
            build_s=1e-6 * count * log(count) * dimension * ef,
            queries=((10, 1e-6 * log(count) * m), (100, 1e-5 * log(count) * m)),
            exact_s=1e-9 * count * dimension,
        )
        for count, dimension, m, ef in sizes
    ]


def test_the_fit_finds_what_a_process_keeps_beyond_the_layout() -> None:
    cost = fit(_measurements(), {"cpu": "a"}, "2026-01-01", "command")
    assert cost.element_bytes == pytest.approx(100, rel=1e-3)
    assert cost.fixed_bytes == pytest.approx(1e6, rel=1e-3)
    # 10,000 x (64 x 4 + 8 + 4 + 16 x 8 + 68 / 15 + 100) + 1,000,000 bytes.
    assert cost.memory_mib(10_000, 64, 16) == pytest.approx((10_000 * (496 + 68 / 15) + 1e6) / 2**20, rel=1e-3)
    assert cost.exact_s(5000, 100) == pytest.approx(5e-4, rel=1e-3)
    assert cost.query_s(5000, 16, 8, 50) == pytest.approx(50e-7 * log(5000) * 8, rel=1e-3)
    assert cost.build_s(5000, 16, 8, 50) == pytest.approx(5000 * 50e-6 * 16 * log(5000), rel=1e-3)


def test_an_ef_beyond_the_count_changes_nothing() -> None:
    cost = IndexCost.load()
    assert cost.query_s(100, 384, 16, 5000) == cost.query_s(100, 384, 16, 100)


def test_json_keeps_all_of_it(tmp_path: Path) -> None:
    cost = fit(_measurements(), {"cpu": "a"}, "2026-01-01", "command")
    cost.write(tmp_path / "cost.json")
    assert IndexCost.load(tmp_path / "cost.json") == cost
    assert build(IndexCost, json.loads(json.dumps(plain(cost)))) == cost


def test_the_shipped_figures_are_those_of_the_shipped_measurements() -> None:
    shipped = IndexCost.load()
    again = fit(shipped.measurements, shipped.hardware, shipped.measured, shipped.command)
    assert again.query.seconds(10**6, 384, 16, 128) == pytest.approx(shipped.query_s(10**6, 384, 16, 128), rel=1e-3)
    assert again.memory_mib(10**6, 384, 16) == pytest.approx(shipped.memory_mib(10**6, 384, 16), rel=1e-6)
    assert shipped.hardware["cpu"]
    assert shipped.measured
    assert "index_measurement" in shipped.command


def test_what_was_not_measured_is_named() -> None:
    cost = fit(_measurements(), {}, "2026-01-01", "command")
    assert cost.outside(2000, 16, 16) == ""
    assert cost.outside(10**6, 16, 64) == "count 1,000,000 (measured: 1,000 to 9,000), m 64 (measured: 8 to 32)"


def test_measuring_a_small_index_in_a_process_of_its_own() -> None:
    (found,) = measure_all((Size(3000, dimension=32, m=8, ef_construction=20),))
    assert found.file_bytes == pytest.approx(graph_file_bytes(3000, 32, 8), rel=0.01)
    assert graph_bytes(3000, 32, 8) < found.memory_bytes < 3 * graph_bytes(3000, 32, 8) + 8 * 2**20
    times = [seconds for _, seconds in found.queries]
    assert min(times) > 0
    assert found.build_s > 0
    assert found.exact_s > 0


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"format": 99}, "format 99"),
        ({"query": {}}, "measure again"),
        ({"measurements": [{"count": 1}]}, "measure again"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(tmp_path: Path, change: dict[str, object], complaint: str) -> None:
    path = tmp_path / "cost.json"
    path.write_text(json.dumps({"format": 1, **plain(IndexCost.load()), **change}), encoding="utf-8")
    with pytest.raises(InputError, match=complaint):
        IndexCost.load(path)


def test_numbers_out_of_their_range_are_refused_together() -> None:
    with pytest.raises(InputError, match=r"count is 0.*m is 1, it must be at least 2"):
        IndexCost.load().memory_mib(0, 384, 1)


def test_a_fit_needs_factors_that_vary() -> None:
    same = [replace(one, m=16) for one in _measurements()]
    with pytest.raises(InputError, match="vary each of them"):
        fit(same, {}, "2026-01-01", "command")
    with pytest.raises(InputError, match="2 indexes were measured, 6 are needed"):
        fit(same[:2], {}, "2026-01-01", "command")
