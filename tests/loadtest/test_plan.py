"""A plan from end to end on a plain queue with a closed form; its arithmetic, its words and its files by hand."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper, numpy_helper

from interlingua.base.errors import InputError
from interlingua.repository.published import Published
from interlingua.served.graph_names import EMBEDDING
from interlingua.served.limits import GPU_BATCH_TOKENS
from interlingua_cli.plan import command
from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query
from interlingua_loadtest.capacity.plan.hardware import Hardware, hardware
from interlingua_loadtest.capacity.plan.index_size import index_size
from interlingua_loadtest.capacity.plan.instances import best_instances, instances_of, numbers, with_instances
from interlingua_loadtest.capacity.plan.machine_plan import PlanGoal, cost_of
from interlingua_loadtest.capacity.plan.make_plan import make_plan
from interlingua_loadtest.capacity.plan.outlook import outlook
from interlingua_loadtest.capacity.plan.planned_traffic import Burst, Growth, PlannedCorpus, PlannedTraffic
from interlingua_loadtest.capacity.plan.planner import RateChange, replicas_for
from interlingua_loadtest.capacity.plan.records import Plan
from interlingua_loadtest.capacity.plan.replica_memory import PROCESS_MIB, SERVER_MIB, TOKENIZER_TIMES, memory_of
from interlingua_loadtest.capacity.plan.report.page import page
from interlingua_loadtest.capacity.plan.report.sentences import paragraphs
from interlingua_loadtest.capacity.plan.run_length import runs_for, throughput
from interlingua_loadtest.capacity.plan.sensitivity import effect, questions
from interlingua_loadtest.capacity.plan.text_lengths import planned_demand
from interlingua_loadtest.capacity.plan.traffic_file import read_traffic
from interlingua_loadtest.capacity.profile import gpu_profile
from interlingua_loadtest.capacity.profile.gpu_profile import Card, card, cards, estimated_time, gpu_layout
from interlingua_loadtest.capacity.profile.hardware_profile import HardwareProfile
from interlingua_loadtest.capacity.profile.network_size import NetworkSize, of_graph
from interlingua_loadtest.capacity.profile.server_layout import ServerLayout, TextCost
from interlingua_loadtest.capacity.profile.service_time import ServiceTimeModel
from interlingua_loadtest.capacity.simulate.demand import Demand
from interlingua_loadtest.capacity.simulate.highest_rate import Runs, highest_rate
from interlingua_loadtest.capacity.simulate.published_tokens import published_counts
from interlingua_loadtest.rate_search.bisection import ImpossibleSloError
from interlingua_loadtest.record.slo import Slo
from interlingua_loadtest.traffic import schedule
from tests.loadtest.capacity_layouts import queue
from tests.support.written_repository import service_spec, write_embedder

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "traffic.toml"
QUERIES = {"en": ["where is my parcel", "a"], "de": ["wo ist mein Paket"]}
TIME = ServiceTimeModel(network="embedder", precision="fp32", threads=1, call_s=0.002, token_s=1e-4)
TRAFFIC = PlannedTraffic(source="traffic.toml", peak_rate=900.0, mean_rate=300.0, kinds={"embed_query": 1.0}, depth=0)
QUICK = Runs(requests=1500, repeats=2, precision=0.02)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, tokenizer_json: dict[str, bytes]) -> Path:
    """A published embedder of hand-made size: a table of 50 x 8, one layer of an 8 x 8 matrix, one softmax."""
    root = tmp_path_factory.mktemp("plan") / "models"
    spec = service_spec(prompt="query: ", max_tokens=96, max_batch_tokens=512, pad_token_id=0)
    write_embedder(root, spec, stated={"1/precision": "fp32"}, tokenizer=tokenizer_json["bert"])
    onnx.save(_graph(), root / "embedder" / "1" / "model.onnx")
    return root


@pytest.fixture(scope="module")
def published(repository: Path) -> Published:
    return Published.read(repository)


def _graph(int8: bool = False) -> onnx.ModelProto:
    kind = np.int8 if int8 else np.float32
    weights = [("table", np.ones((50, 8), kind)), ("matrix", np.ones((8, 8), kind)), ("bias", np.ones((1, 8), kind))]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["embedded"]),
        helper.make_node("MatMul", ["embedded", "matrix"], ["product"]),
        helper.make_node("Softmax", ["product"], [EMBEDDING]),
    ]
    inputs = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", "l"])]
    outputs = [helper.make_tensor_value_info(EMBEDDING, TensorProto.FLOAT, ["n", 8])]
    tensors = [numpy_helper.from_array(values, name) for name, values in weights]
    return helper.make_model(helper.make_graph(nodes, "tiny", inputs, outputs, tensors))


def _profile(**changes: Any) -> HardwareProfile:
    plain = HardwareProfile(
        name="bench",
        origin="measured",
        hardware={"cpu": "test", "cores": "4"},
        networks=(TIME,),
        text=TextCost(),
        cores=4,
    )
    return replace(plain, **changes)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "bench.json"
    _profile().write(path)
    return path


# -- a plain queue -------------------------------------------------------------------------------------------------

MM1 = Demand(kinds={"embed_query": 1.0}, languages={"en": 1.0}, query_tokens={"en": np.ones(1, dtype=np.int64)})
MM1_DEMAND = replace(
    MM1, query_tokens={"en": np.maximum(np.random.default_rng(1).exponential(1000.0, 20_000), 1).astype(np.int64)}
)
"""Exponential service of mean 10 ms in `queue`: M/M/1."""


def test_the_rate_of_a_plain_queue_is_that_of_theory() -> None:
    # M/M/1 with s = 10 ms: p99 = -ln(0.01) s / (1 - rho) = 200 ms at 1 - rho = 0.2303, so 76.97 a second.
    slo = Slo(99, 0.2)
    runs = runs_for(replace(TRAFFIC, peak_rate=1.0), MM1_DEMAND, queue(1), slo, Runs(requests=20_000, repeats=2))
    assert highest_rate(MM1_DEMAND, queue(1), slo, runs).rate == pytest.approx(76.97, rel=0.05)


def test_a_run_outlasts_the_objective() -> None:
    # 100 a second at once, 20 times a limit of 5 s: 10,000 requests; a limit of 1,000 s would need 2 million.
    demand = replace(MM1, query_tokens={"en": [1000]})
    assert throughput(demand, queue(1)) == pytest.approx(100.0)
    assert runs_for(TRAFFIC, demand, queue(1), Slo(99, 5.0), Runs(requests=50)).requests == 10_000
    assert runs_for(TRAFFIC, demand, queue(1), Slo(99, 1000.0), Runs(requests=50)).requests == 60_000
    assert runs_for(TRAFFIC, demand, queue(1), Slo(99, 0.1), Runs(requests=500)).requests == 500
    bursts = replace(TRAFFIC, arrivals="bursts", burst=Burst(4, 30, 0.2))
    assert runs_for(bursts, demand, queue(1), Slo(99, 1.0), Runs()).seconds == 150
    expected = schedule.bursts(5.0, 60.0, 1, factor=4, period_s=30, share=0.2)
    assert (bursts.process(5.0, 60.0, 1) == expected).all()


# -- instances -----------------------------------------------------------------------------------------------------


def test_numbers_of_instances(published: Published) -> None:
    layout = ServerLayout.of(published, _profile())
    assert instances_of(layout) == {"embedder": 1, "embed_query": 2, "embed_document": 2}
    assert numbers(layout, "embedder") == [2, 4]  # of 1, half of 4 cores, 4; 1 is there
    assert numbers(layout, "embed_query") == [1, 4]
    more = with_instances(layout, "embedder", 3)
    assert (more.networks["embedder"].instances, more.services["embed_query"].outstanding_calls) == (3, 3)
    assert with_instances(layout, "embed_query", 5).services["embed_document"] == layout.services["embed_document"]


def test_the_search_fills_the_cores(published: Published) -> None:
    """4 cores that do not hinder one another: 4 instances hold about 4 times what 1 does."""
    layout = ServerLayout.of(published, _profile())
    demand = replace(MM1, query_tokens={"en": [30]})
    chosen = best_instances(demand, layout, Slo(99, 0.1), Runs(requests=1500, repeats=1, precision=0.03))
    # Calls of a batch come one at a time, so 4 networks need 4 services; embed_document is not asked for.
    assert instances_of(chosen.layout) == {"embedder": 4, "embed_query": 4, "embed_document": 2}
    assert chosen.tried == 1 + (1 + 2) + 2  # as it is; 2 networks, 4 with 2 services and with 4; 1 service, 2
    asked = questions(demand, chosen.layout, Slo(99, 0.1))
    assert "another instance of embedder" in asked
    assert "another instance of embed_document" not in asked
    assert asked["a deadline at the objective"][0].deadline_s == 0.1


# -- the whole -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plan(published: Published) -> Plan:
    profile = _profile()
    machine = Hardware(profile, ServerLayout.of(published, profile))
    other = _profile(name="slow", networks=(replace(TIME, call_s=9.0),))
    slow = Hardware(other, ServerLayout.of(published, other))
    demand = Demand(kinds={"embed_query": 1.0}, languages={"en": 3.0, "de": 1.0}, query_tokens={"en": [20], "de": [60]})
    wanted = PlanGoal(slo=Slo(99, 0.05), prices={"bench": 0.5}, runs=QUICK)
    traffic = replace(TRAFFIC, growth=Growth(traffic=1.0, months=24))
    return make_plan(traffic, demand, [machine, slow], published, wanted, on_step=print)


def test_the_plan_s_figures_fit_together(plan: Plan) -> None:
    (one,) = plan.hardware
    assert "p99 of lone requests is 9" in plan.impossible["slow"]
    assert one.per_replica == max(one.highest.low, min(one.highest.rates))
    assert one.replicas == replicas_for(900.0, one.per_replica, headroom=0.3, spare=1)
    assert one.at_peak.rate == pytest.approx(900 / one.replicas.count)
    assert one.after_loss.rate == pytest.approx(900 / (one.replicas.count - 1))
    assert 0.002 < one.at_peak.p50_s < one.at_peak.p99_s < one.after_loss.p99_s <= 0.05 * 1.1
    assert one.cost is not None
    assert one.cost.per_million == pytest.approx(one.replicas.count * 0.5 / (300 * 3600) * 1e6)
    assert one.cost.per_month == pytest.approx(one.replicas.count * 0.5 * 730.5)
    assert [point.rate for point in one.curve] == sorted(point.rate for point in one.curve)
    assert plan.tokens == {"query": {"en": 20.0, "de": 60.0}}
    found = {one.change.name: one for one in one.effects}
    assert found["+10 points of de"].change.relative < -0.03 < 0 < found["+10 points of en"].change.relative
    assert "one more candidate" not in found
    # Twice the traffic after 12 months: four times at the horizon.
    assert one.outlook.peak_rate == pytest.approx(3600.0)
    assert one.outlook.breaks is not None


def test_the_words_say_what_is_assumed(plan: Plan) -> None:
    text = " ".join(sentence for _, sentences in paragraphs(plan) for sentence in sentences)
    for words in ("Poisson arrivals, split evenly", "docs/capacity.md", "What breaks first",
                  "estimated from file sizes, not measured", "The language whose growth costs most is de"):  # fmt: skip
        assert words in text
    assert not re.search(r"\bnan\b|\binf\b", text)


def test_json_comes_back(plan: Plan) -> None:
    raw = json.loads(json.dumps(plan.to_json(), allow_nan=False))
    assert raw == plan.to_json()
    (one,) = raw["hardware"]
    assert one["replicas"]["count"] == plan.hardware[0].replicas.count
    assert one["memory"]["total_mib"] == pytest.approx(plan.hardware[0].memory.total_mib)
    endless = replace(plan.hardware[0], at_peak=replace(plan.hardware[0].at_peak, p99_s=math.inf))
    assert replace(plan, hardware=(endless,)).to_json()["hardware"][0]["at_peak"]["p99_s"] is None


def test_the_page_needs_nothing_else(plan: Plan) -> None:
    html = page(plan)
    assert html.count("<svg") >= 2
    assert not re.search(r"(src|href|url)\s*[=(]", html)
    assert "http" not in html.replace('http-equiv="Content-Security-Policy"', "")
    assert "default-src &#x27;none&#x27;" in html or "default-src 'none'" in html
    for words in ("p99=50ms", "planned", "highest", "texts 10% longer", "95% interval of the highest rate"):
        assert words in html


# -- arithmetic by hand --------------------------------------------------------------------------------------------


def test_cost_and_effect_by_hand() -> None:
    # 100 at the peak, 50 on average, 20 a replica: exactly 5 replicas, 0.72 an hour each: 3.6 an hour for 180,000.
    traffic = replace(TRAFFIC, peak_rate=100.0, mean_rate=50.0)
    cost = cost_of(0.72, replicas_for(100, 20), 20.0, traffic)
    assert cost is not None
    assert cost.per_million_exact == pytest.approx(20.0)
    assert cost.per_million == pytest.approx(20.0 * 8 / 5)  # 100 / 14 = 7.1, so 8
    # A fifth less: 16 a replica; 100 / 11.2 = 8.9, so 9; a quarter more money for each request.
    worse = effect(
        RateChange(name="x", rate=16, relative=-0.2, low=-0.3, high=-0.1, busiest="y"),
        100.0,
        20.0,
        cost,
        headroom=0.3,
        spare=1,
    )
    assert worse.replicas == 9
    assert worse.per_million == pytest.approx(5.0)
    never = effect(
        RateChange(name="x", rate=0, relative=-1.0, low=-1.0, high=-1.0, busiest=""),
        100.0,
        20.0,
        cost,
        headroom=0.3,
        spare=1,
    )
    assert (never.replicas, never.per_million) == (0, None)
    assert cost_of(None, replicas_for(100, 20), 20.0, traffic) is None


def test_the_month_in_which_it_breaks_by_hand() -> None:
    # Doubles in a year: 100 x 2^(m/12). 10 replicas of 16: headroom until 112, m = 1.96; spare until 144, m = 6.3;
    # all of them until 160, m = 8.1. At 24 months 400: 400 / 11.2 = 35.7, so 36.
    traffic = replace(TRAFFIC, peak_rate=100.0, growth=Growth(traffic=1.0, months=24))
    found = outlook(traffic, 10, 16.0, 16.0, headroom=0.3, spare=1)
    assert (found.headroom_gone, found.spare_gone, found.objective_missed) == (2, 7, 9)
    assert (found.breaks, found.replicas) == (2, 36)
    assert found.peak_rate == pytest.approx(400.0)
    still = outlook(replace(traffic, growth=Growth()), 10, 16.0, 16.0, headroom=0.3, spare=1)
    assert (still.breaks, still.objective_missed) == (None, None)
    # The replicas lose half of their rate in 24 months, without more traffic: 16 - m / 3; 100 > 7 x that from 6 on.
    slower = outlook(replace(traffic, growth=Growth(months=24)), 10, 16.0, 8.0, headroom=0.3, spare=1)
    assert slower.headroom_gone == 6


def test_memory_by_hand(published: Published) -> None:
    measured = {"tritonserver": 100.0, "embedder_0_0": 40.0, "embedder_0_1": 60.0, "embed_query_0_0": 30.0}
    profile = _profile(memory_mb=measured)
    machine = Hardware(profile, ServerLayout.of(published, profile))
    memory = memory_of(machine, with_instances(machine.layout, "embedder", 3), published)
    parts = {part.name: part for part in memory.parts}  # of the network, a spare instance, too
    assert (parts["embedder"].mib, parts["embedder"].instances, parts["embedder"].origin) == (50.0, 4, "measured")
    tokenizer = published.required("embedder").tokenizer("embed_document")
    loaded = PROCESS_MIB + TOKENIZER_TIMES * tokenizer.stat().st_size / 2**20
    assert parts["embed_document"].mib == pytest.approx(loaded)
    assert parts["embed_document"].origin == "estimated"
    assert memory.total_mib == pytest.approx(100 + 4 * 50 + 2 * 30 + 2 * loaded)
    assert not memory.is_measured
    bare = replace(machine, profile=_profile())
    assert memory_of(bare, machine.layout, published).parts[0].mib == SERVER_MIB


class _LinearIndex:
    """A byte a number, a millisecond to insert a document, a microsecond to pass one."""

    def memory_mib(self, count: int, dimension: int, m: int) -> float:
        return count * dimension * m / 2**20

    def build_s(self, count: int, dimension: int, m: int, ef_construction: int) -> float:
        return count * dimension * m * ef_construction * 1e-3

    def query_s(self, count: int, dimension: int, m: int, ef_search: int) -> float:
        return count * dimension * m * ef_search * 1e-6

    def outside(self, count: int, dimension: int, m: int) -> str:
        return f"count {count}" if count * dimension * m > 16_000 else ""


def test_the_index_by_hand(published: Published) -> None:
    corpus = PlannedCorpus(documents=1000, m=2, ef_construction=3, ef_search=5)
    traffic = replace(TRAFFIC, corpus=corpus, growth=Growth(corpus=0.5, months=24))
    later = index_size(traffic, published, _LinearIndex(), 24)
    assert later is not None
    # 1000 x 1.5 x 1.5 documents of 8 numbers.
    assert (later.documents, later.dimension, later.outside) == (2250, 8, "count 2250")
    assert (later.memory_mib, later.build_s, later.query_s) == pytest.approx((36_000 / 2**20, 108.0, 0.18))
    assert index_size(TRAFFIC, published, _LinearIndex(), 0) is None


# -- GPUs that nobody measured -------------------------------------------------------------------------------------

SIZE = NetworkSize(weights=1_000_000, parameters=2_000_000, layers=2, attention_width=200, file_bytes=8_000_000)
CARD = Card(
    name="X",
    tflops={"fp16": 100.0, "tf32": 10.0, "fp32": 1.0},
    memory_gb=16,
    bandwidth_gb_s=100,
    source="sheet",
    url="https://example.org",
)


def test_the_size_of_a_network_by_hand() -> None:
    for int8 in (False, True):
        size = of_graph(_graph(int8=int8).graph, 7)
        assert (size.weights, size.layers, size.attention_width, size.parameters) == (64, 1, 8, 50 * 8 + 64 + 8)
    assert (SIZE.token_flop, SIZE.attention_flop) == (2e6, 800)


def test_heads_that_are_wider_than_the_network_together() -> None:
    """8 wide, its heads 12: softmax, values, a row of all heads, and the output projection of 12 x 8."""
    graph = _graph().graph
    graph.initializer.append(numpy_helper.from_array(np.ones((12, 8), np.float32), "projection"))
    graph.node.extend(
        [
            helper.make_node("MatMul", [EMBEDDING, "product"], ["heads"]),
            helper.make_node("Reshape", ["heads", "shape"], ["row"]),
            helper.make_node("MatMul", ["row", "projection"], ["projected"]),
        ]
    )
    assert of_graph(graph, 7).attention_width == 12


def test_an_estimated_service_time_by_hand() -> None:
    time = estimated_time(SIZE, CARD, "embedder", "fp32", 1)
    # 1 ms + 2 layers x 60 us + 4 MB at 100 GB/s = 40 us; 2 MFLOP a token at 3.5 TFLOP/s; 800 FLOP at 1 TFLOP/s.
    assert time.call_s == pytest.approx(1e-3 + 120e-6 + 40e-6)
    assert (time.token_s, time.attention_s) == pytest.approx((2e6 / 3.5e12, 8e-10))
    assert time.seconds(4, 50) == pytest.approx(1.16e-3 + 200 * 2e6 / 3.5e12 + 200 * 50 * 8e-10)
    assert estimated_time(SIZE, CARD, "embedder", "fp16", 1).token_s == pytest.approx(time.token_s / 10)
    assert CARD.arithmetic("int8") == "tf32"
    assert card("t4").arithmetic("fp32") == "fp32"  # it has no tf32
    assert card("T4").arithmetic("bf16") == "fp16"


def test_every_card_states_its_source() -> None:
    assert {"T4", "L4", "A10", "L40S", "A100-40GB", "A100-80GB", "H100", "H200"} <= set(cards())
    for one in cards().values():
        assert one.url.startswith("https://www.nvidia.com/")
        assert one.tflops["fp16"] > one.tflops["fp32"] > 0
        assert min(one.memory_gb, one.bandwidth_gb_s) > 0
    with pytest.raises(InputError, match=r"no GPU 'L9'.*T4, L4"):
        card("L9")


def test_a_card_s_layout_and_its_words(published: Published) -> None:
    (machine,) = hardware(published, [], ["l4"])
    assert (machine.name, machine.profile.origin) == ("L4", "estimated")
    network, service = machine.layout.networks["embedder"], machine.layout.services["embed_query"]
    assert (network.device, network.instances, service.outstanding_calls) == ("gpu", 1, 2)
    assert service.max_batch_tokens == GPU_BATCH_TOKENS
    assert gpu_layout(published, machine.profile) == machine.layout
    assert machine.profile.find("embedder", "fp32", 1).call_s == pytest.approx(1e-3 + 60e-6 + 256 / 300e9)
    demand = replace(MM1, query_tokens={"en": [20]})
    wanted = PlanGoal(slo=Slo(99, 0.01), runs=replace(QUICK, requests=400, precision=0.2))
    plan = make_plan(TRAFFIC, demand, [machine], published, wanted, on_step=print)
    text = " ".join(f"{title} {' '.join(sentences)}" for title, sentences in paragraphs(plan))
    assert "L4 (service times estimated, not measured)" in text
    assert "No L4 was measured" in text
    assert "matrix products reach 35%" in text
    assert plan.hardware[0].memory.gpu_mib == pytest.approx(gpu_profile.CONTEXT_MIB + 4 * 472 / 2**20)
    small = replace(machine, card=replace(card("L4"), memory_gb=0.1))
    with pytest.raises(InputError, match=r"has 0.1 GB, the networks need about 0.6 GiB"):
        memory_of(small, machine.layout, published)


# -- the traffic ---------------------------------------------------------------------------------------------------


def test_the_example_is_valid() -> None:
    traffic = read_traffic(EXAMPLE)
    assert (traffic.peak_rate, traffic.mean_rate) == pytest.approx((40.0, 457 / 24))
    assert (traffic.kinds, traffic.depth, traffic.deadline_s) == ({"search": 9, "embed_document": 1}, 20, 2.0)
    assert (traffic.corpus.documents, traffic.growth) == (100_000, Growth(0.5, 0.3, 24))


def test_options_stand_in_a_file_s_place() -> None:
    traffic = read_traffic(EXAMPLE, {"traffic": {"peak_rate": 7.0}, "languages": {"fr": 1.0}, "kinds": {}})
    assert (traffic.peak_rate, traffic.mean_rate, traffic.languages) == (7.0, 7.0, {"fr": 1.0})
    assert traffic.kinds == {"search": 9, "embed_document": 1}
    alone = read_traffic(None, {"traffic": {"peak_rate": 7, "mean_rate": 2, "deadline_ms": 250}})
    assert (alone.mean_rate, alone.deadline_s, alone.kinds) == (2.0, 0.25, {"search": 1.0})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[traffic]\npeak_rate = 0", r"\[traffic\] peak_rate is 0, it must be a number above 0"),
        ("[traffic]\nrate = 3", r"\[traffic\] rate is not known, there are peak_rate"),
        ("[trafic]\npeak_rate = 3", r"\[trafic\] is not known, there are traffic"),
        ("traffic = 3", r"traffic is no table"),
        ("[languages]\nen = -1", r"\[languages\] en is -1, a share must be a number, 0 or more"),
        ("[languages]\n'no tag!' = 1", r"\[languages\] no tag! is no BCP 47 tag"),
        ("[kinds]\nchat = 1", r"\[kinds\] chat is not known, there are embed_query"),
        ("[kinds]\nsearch = 0", r"\[kinds\] all shares are 0"),
        ("[traffic]\nhourly_rates = [1, 2]", r"\[traffic\] hourly_rates is \[1, 2\], it must be 24 rates"),
        ("[traffic]\npeak_rate = 3\nmean_rate = 4", r"mean_rate 4 is above peak_rate 3"),
        (
            "[traffic]\ndepth = 2.5\npeak_rate = nan",
            r"depth is 2.5, it must be a whole .* peak_rate is nan",
        ),
        ("[kinds]\nrerank = 1\n[traffic]\npeak_rate = 1\ndepth = 0", r"depth is 0, but \[kinds\] has rerank"),
        ("[growth]\nmonths = 0", r"\[growth\] months is 0, it must be a whole number from 1"),
        ("[corpus]\ndocuments = true", r"\[corpus\] documents is True"),
        ("[kinds]\nsearch = 1", r"nothing says how much comes"),
        ("[traffic", r"not a readable traffic file"),
    ],
)
def test_a_wrong_traffic_file_is_told_in_words(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=f"wrong.toml.*{words}"):
        read_traffic(path)


def test_lengths_are_the_dataset_s(published: Published, tokenizer_json: dict[str, bytes]) -> None:
    from tokenizers import Tokenizer

    dataset = _dataset()
    demand = planned_demand(replace(TRAFFIC, languages={"en": 1.0}), dataset, published)
    tokenizer = Tokenizer.from_str(tokenizer_json["bert"].decode())
    expected = [len(tokenizer.encode(f"query: {text}")) for text in QUERIES["en"]]
    assert list(demand.query_tokens["en"]) == expected
    assert (demand.document_tokens, demand.pair_tokens, demand.depth) == ({}, {}, 0)
    pair = ("where is my parcel", "parcels")
    counted = published_counts(published, "embed_query", {"en": [pair]})
    assert list(counted["en"]) == [len(tokenizer.encode(*pair))]
    # As in the dataset: two queries are English, one is German.
    assert planned_demand(TRAFFIC, dataset, published).languages == pytest.approx({"en": 2 / 3, "de": 1 / 3})
    with pytest.raises(InputError, match=r"traffic.toml: \[languages\] sw: tiny has no such queries, it has de, en"):
        planned_demand(replace(TRAFFIC, languages={"sw": 1.0}, dataset="tiny"), dataset, published)
    with pytest.raises(InputError, match=r"needs rerank, but .* has no such service"):
        planned_demand(replace(TRAFFIC, kinds={"search": 1.0}, depth=5), dataset, published)


def _dataset() -> Dataset:
    queries = tuple(
        Query(f"{tag}{number}", tag, text, "plain", "g", "test")
        for tag, texts in QUERIES.items()
        for number, text in enumerate(texts)
    )
    document = JudgedDocument("d", "en", "", "parcels", "g")
    return Dataset("tiny", (document,), queries, {queries[0].id: {"d": 1}}, {})


# -- what a user meets ---------------------------------------------------------------------------------------------


def _run(*arguments: str) -> Any:
    return CliRunner().invoke(command, list(arguments))


def test_the_command(repository: Path, profile: Path, tmp_path: Path) -> None:
    picture = tmp_path / "plan.html"
    result = _run(
        "--peak-rate", "50", "--kind", "embed_query=1", "--language", "en=1", "--slo", "p99=100ms", "--profile",
        str(profile), "--model-repository", str(repository), "--requests", "200", "--repeats", "2", "--json",
        "--html", str(picture), "--price", "bench=1", "--currency", "CHF",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    raw = json.loads(result.stdout)
    assert (raw["currency"], raw["hardware"][0]["name"], raw["index_now"]) == ("CHF", "bench", None)
    assert picture.read_text().startswith("<!DOCTYPE html>")


def test_bad_input_is_told_in_words(repository: Path, profile: Path, tmp_path: Path) -> None:
    common = ("--kind", "embed_query=1", "--slo", "p99=100ms", "--model-repository", str(repository), "--peak-rate")
    with_profile = ("--profile", str(profile))

    def error(*arguments: str) -> str:
        result = _run(*arguments)
        assert isinstance(result.exception, InputError), result.output
        return str(result.exception)

    assert "'--peak-rate': 0.0 is not in the range" in _run(*common, "0", *with_profile).output
    assert "--mean-rate 6 is above --peak-rate 5" in error(*common, "5", "--mean-rate", "6", *with_profile)
    assert "no hardware was named" in error(*common, "5")
    assert "price for gpu, but the machines are bench" in error(*common, "5", *with_profile, "--price", "gpu=1")
    assert "two profiles have this name" in error(*common, "5", *with_profile, *with_profile)
    assert "headroom is 1" in error(*common, "5", *with_profile, "--headroom", "1")
    impossible = _run(*common, "5", *with_profile, "--slo", "p99=1ms")
    assert isinstance(impossible.exception, ImpossibleSloError)
    assert "bench: the SLO (p99=1ms) cannot be held at any rate" in str(impossible.exception)
    other = tmp_path / "other.json"
    _profile(networks=(replace(TIME, precision="int8"),)).write(other)
    assert "has no embedder in fp32 with 1 threads, it has embedder int8" in error(
        *common, "5", "--profile", str(other)
    )
    assert "--price" in _run(*common, "5", *with_profile, "--price", "bench").output
