"""What an export takes, worked out by hand; sizes of weights from files; what the Hub says of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from interlingua.base.errors import InputError
from interlingua_exporter.models.export_needs import ExportNeed, ExportPlan, export_need, require_room, shortages
from interlingua_exporter.models.model_facts import NetworkShape
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.models.spec import FolderSource, HubSource, ModelSpec
from interlingua_exporter.models.stored_weights import StoredWeights, of_entry, of_folder
from interlingua_exporter.models.this_machine import Machine, hub_cache, hub_cached
from interlingua_exporter.publication.warmup_text import warmup_tokens
from interlingua_exporter.weights import catalogued_folder, hub
from interlingua_exporter.weights.room_check import known_size
from tests.support.architecture_models import Tiny, save

MB = 10**6
# W = 400 MB, T = 80 MB, A = 30 MB; the Hub has them in 16 bit.
WEIGHTS = StoredWeights(100 * MB, 20 * MB, 30 * MB, 200 * MB, "a/b")


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))


def megabytes(need: ExportNeed) -> tuple[float, list[float]]:
    return need.memory / MB, [place.size / MB for place in need.disk]


@pytest.mark.parametrize(
    ("plan", "memory", "disk"),
    [
        # 600 + 2 x 400 + 80 + 30; W; download
        (ExportPlan(("fp32",), Path("r")), 1510, [400, 200]),
        # 600 + 2 x 400 + 3 x 80; W and a byte a parameter
        (ExportPlan(("int8",), Path("r")), 1640, [500, 200]),
        # W and two bytes; W again where it is emulated
        (ExportPlan(("bf16",), Path("r")), 1640, [600, 400, 200]),
        # 600 + 3 x 400; the graph before fusion beside the one after
        (ExportPlan(("fp32",), Path("r"), fuse=True), 1800, [800, 200]),
        # A folder of made-up weights, and no download
        (ExportPlan(("fp32",), Path("r"), dummy=True), 1510, [400, 400]),
        # Everything is temporary: 400 + 200 + 400
        (ExportPlan(("fp32", "fp16", "int8"), None), 1640, [1000, 200]),
        # No graph: the weights in 16 bit
        (ExportPlan(("fp16",), Path("r"), torch=True), 1510, [200, 200]),
    ],
    ids=["fp32", "int8", "bf16", "fused", "dummy", "comparison", "torch"],
)
def test_by_hand(plan: ExportPlan, memory: float, disk: list[float]) -> None:
    assert megabytes(export_need(WEIGHTS, plan)) == (memory, disk)


def test_what_the_cache_has_is_not_fetched_again(tmp_path: Path) -> None:
    blobs = tmp_path / "hub" / "models--a--b" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / "x").write_bytes(b"0" * 5000)
    (blobs / "y.incomplete").write_bytes(b"0" * 7)
    assert (hub_cache(), hub_cached("a/b"), hub_cached("a/c")) == (tmp_path / "hub", 5007, 0)
    assert export_need(WEIGHTS, ExportPlan(("fp32",), Path("r"))).disk[-1].size == 200 * MB - 5007


def test_one_file_system_has_room_for_all_of_it_or_not(tmp_path: Path) -> None:
    """400 MB and 200 MB on one disk are 600."""
    need = export_need(WEIGHTS, ExportPlan(("fp32",), tmp_path / "models"))
    assert shortages(need, Machine(need.memory, 1, lambda _: 600 * MB)) == ()
    (disk,) = shortages(need, Machine(need.memory, 1, lambda _: 600 * MB - 1))
    places = f"the model repository {tmp_path / 'models'}, the Hub's cache {tmp_path / 'hub'}"
    assert disk.startswith(f"0.60 GB of disk for {places} and 0.60 GB are free there")
    (memory,) = shortages(need, Machine(need.memory - 1, 1, lambda _: 600 * MB))
    assert memory.startswith("1.5 GB of memory and 1.5 GB are free")
    with pytest.raises(InputError, match=r"in fp32 needs 1\.5 GB of memory.*; and 0\.60 GB of disk.*--ignore-limits"):
        require_room("x", WEIGHTS, ExportPlan(("fp32",), tmp_path / "models"), Machine(0, 1, lambda _: 0))
    require_room("x", None, ExportPlan(("fp32",), tmp_path), Machine(0, 1, lambda _: 0))


def test_an_entry_states_its_sizes() -> None:
    """T = 10 x 8. A of the gate's batch, 6 rows of 4 tokens: attention 24 x 4 x (16 + 32) + 8 x 2 x 24 x 4 = 6144."""
    shape = NetworkShape(architecture="X", hidden=8, layers=2, heads=2, feed_forward=16, vocabulary=10, parameters=1000)
    spec = ModelSpec(id="a/b", role="embedder", source=HubSource(id="a/b"), max_tokens=4, network=shape)
    assert of_entry(spec) == StoredWeights(1000, 80, 6144, 4000, "a/b")
    assert of_entry(replace(spec, network=replace(shape, stored_as="bf16"))).download == 2000  # type: ignore[union-attr]
    assert of_entry(replace(spec, network=None)) is None


def test_a_folder_is_measured_by_its_headers(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(3, 5), "b": torch.zeros(4, dtype=torch.bfloat16)}, tmp_path / "model.safetensors")
    (tmp_path / "2_Dense").mkdir()
    save_file({"linear.weight": torch.zeros(2, 7)}, tmp_path / "2_Dense" / "model.safetensors")
    (tmp_path / "pytorch_model.bin").write_bytes(b"0" * 1000)  # the same once more, which nobody reads
    assert of_folder(tmp_path) == StoredWeights(15 + 4 + 14, 15)
    assert known_size(resolve(str(tmp_path)), None) == StoredWeights(33, 15)


@pytest.mark.parametrize(("config", "parameters"), [({}, 250), ({"torch_dtype": "float16"}, 500)])
def test_pickled_weights_by_their_size(tmp_path: Path, config: dict[str, str], parameters: int) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "pytorch_model.bin").write_bytes(b"0" * 1000)
    (tmp_path / "training_args.bin").write_bytes(b"0" * 1000)
    assert of_folder(tmp_path) == StoredWeights(parameters)


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"\x02" + b"\0" * 7 + b"[]", b"\x08" + b"\0" * 7 + b'{"a": 1}'])
def test_what_is_no_safetensors_file_is_of_no_size(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.safetensors").write_bytes(content)
    assert of_folder(tmp_path) is None


class _Hub(BaseHTTPRequestHandler):
    """Answers one question: what files a model has."""

    def do_GET(self) -> None:
        files = {
            "model.safetensors": 4 * 10**15,
            "onnx/model.safetensors": 9,
            "pytorch_model.bin": 9,
            "2_Dense/pytorch_model.bin": 8,
            "config.json": 7,
        }
        siblings = [{"rfilename": name, "size": size} for name, size in files.items()]
        body = json.dumps({"id": "a/b", "sha": "0" * 40, "siblings": siblings}).encode()
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def hub_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A Hub on this machine; yields the paths that were asked for."""
    server = HTTPServer(("127.0.0.1", 0), _Hub)
    server.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    try:
        yield server.asked  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


def test_a_model_of_the_hub_is_refused_before_a_byte_of_it_is_fetched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its weights are 4,000,000 GB and 8 bytes of a dense layer."""
    with hub_of_ones_own(monkeypatch) as asked:
        found = hub.published_weights("a/b")
        assert (found.download, found.parameters, found.hub_id) == (4 * 10**15 + 8, 10**15 + 2, "a/b")
        weights = known_size(resolve("a/b"), None)
        with pytest.raises(InputError, match=r"8000000\.\d GB of memory.*the Hub's cache"):
            require_room("a/b", weights, ExportPlan(("fp32",), tmp_path / "models"), Machine.here())
        assert any(path.casefold() == "/api/models/a/b?blobs=true" for path in asked), asked
        assert not any("/resolve/" in path for path in asked)  # where a file's bytes would come from


def test_warm_up_tokens_are_those_of_the_service(tmp_path: Path, tokenizer_json: dict[str, bytes]) -> None:
    """A template is around the text: without it the tokens would not start with those of its first words."""
    folder = save(Tiny(family="Bert", kind="BertModel", modules=("mean",)), tmp_path / "tiny", tokenizer_json)
    spec = ModelSpec(id="a/b", role="embedder", source=FolderSource(folder), max_tokens=64)
    templated = catalogued_folder.load(replace(spec, document_template="title: none | text: {text} | end"))
    prompted = catalogued_folder.load(replace(spec, document_prompt="title: none | text: "))
    ids, plain = warmup_tokens(templated).ids, warmup_tokens(catalogued_folder.load(spec)).ids
    before = prompted.text_encoder().encode(["title: none | text:"])[0].ids
    assert ids[: len(before) - 1] == before[:-1]  # all but the closing token
    assert ids != plain
    assert warmup_tokens(prompted).ids[: len(before) - 1] == before[:-1]
