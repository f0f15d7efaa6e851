"""Processes of a real server are killed: what ends is started again, and searches go on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from tritonclient.utils import InferenceServerException

import interlingua
from interlingua.base.errors import ServerError
from interlingua.repository.triton_config import Placement
from interlingua.served.watch.asker import Patience
from interlingua.served.watch.restarts import RestartLimits, Restarts, TritonProcessError, read_counts
from interlingua.served.watch.shared_memory import sweep
from interlingua.served.watch.stat import STOPPED, ZOMBIE, process_stat
from interlingua.served.watch.stubs import Stub, end_orphans, stubs_of, unnamed_zombies
from interlingua.served.watch.watcher import SERVER, Watcher
from interlingua_server.embedded import EmbeddedServer
from interlingua_server.ports import free_ports
from interlingua_server.supervision import supervise
from tests.end_to_end.test_server_life import serve, wait_until_gone, wait_until_ready
from tests.support.services import Services, settings_for
from tests.support.written_repository import service_spec, write_embedder

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Triton makes it
SOURCES = str(Path(interlingua.__file__).parents[1])
OFTEN = RestartLimits(most=99, first_wait_s=0)


def mend(supervisor: Watcher) -> None:
    while not supervisor.look():
        time.sleep(0.05)


def regions_of(pids: list[int]) -> set[Path]:
    """The shared memory that processes of Triton's have, by what they map."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    return {Path(line.split()[-1]) for line in lines if f"{SHARED_MEMORY}/triton_" in line}


class Supervised:
    """A server, who watches it, and what was said."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.said: list[str] = []
        self.server, self.services = server, Services(server)
        self.supervisor = Watcher(
            server, self.said.append, OFTEN, patience=Patience(stopped_s=1), counts=server.restart_counts
        )

    def embeds(self) -> bool:
        return bool(self.services.embed(["where is my parcel?"], "embed_query").vectors.any())


@pytest.fixture(scope="module")
def supervised(tiny_repository: Path) -> Iterator[Supervised]:
    with EmbeddedServer(settings_for(tiny_repository)) as server:
        yield Supervised(server)


@pytest.fixture
def watched(supervised: Supervised) -> Supervised:
    supervised.said.clear()
    return supervised


def test_every_stub_that_is_killed_is_started_again(watched: Supervised) -> None:
    services, said = watched.services, watched.said
    before = services.embed(["where is my parcel?"], "embed_query").vectors
    logit = services.rerank("parcel", ["It is at the post office."])
    models = sorted({stub.model for stub in stubs_of(watched.server.pid)})
    assert models == ["embed_document", "embed_query", "embedder", "rerank", "reranker"]
    for model in models:
        killed = next(stub for stub in watched.server.stubs() if stub.model == model)
        left = regions_of([killed.pid])
        assert len(left) == 1
        os.kill(killed.pid, signal.SIGKILL)
        mend(watched.supervisor)
        assert said[-1].startswith(f"{model}: answers again after"), said
        assert killed.instance in said[-2]
        assert (services.embed(["where is my parcel?"], "embed_query").vectors == before).all()
        assert (services.rerank("parcel", ["It is at the post office."]) == logit).all()
        assert not left & set(SHARED_MEMORY.iterdir())
    counts = {"tritonserver": 0} | dict.fromkeys(models, 1)
    assert watched.supervisor.restarts.counts == counts
    while watched.embeds() and restarts_on_page(watched.server) != counts:
        time.sleep(0.2)


def restarts_on_page(server: EmbeddedServer) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.settings.metrics_port}/metrics") as answer:
        page = answer.read().decode()
    lines = re.findall(r'^interlingua_restarts_total{what="(\w+)"} (\S+)', page, re.MULTILINE)
    return {what: float(count) for what, count in lines}


def test_a_model_that_was_loaded_anew_was_not_killed(watched: Supervised) -> None:
    old = {stub.pid for stub in watched.server.stubs()}
    watched.server.http.reload("embed_query")
    assert {stub.pid for stub in watched.server.stubs()} != old
    assert not any(watched.supervisor.look() for _ in range(5))
    assert not watched.said


def test_the_regions_of_a_dead_server_are_swept_and_a_living_ones_never(
    watched: Supervised, tiny_repository: Path
) -> None:
    """Killed with all its processes, so that nobody is left who could remove them."""
    while len(stubs := watched.server.stubs()) > len({stub.instance for stub in stubs}):
        watched.supervisor.look()  # those of a model that was unloaded still end, or have to be ended
        time.sleep(0.1)
    living = regions_of([stub.pid for stub in stubs])
    assert len(living) == len(stubs)
    with EmbeddedServer(settings_for(tiny_repository)) as other:
        dead = regions_of([stub.pid for stub in other.stubs()])
        sweep()
        assert dead | living <= set(SHARED_MEMORY.iterdir())
        os.killpg(other.pid, signal.SIGKILL)
        while other.runs or other.stubs():
            time.sleep(0.05)
        sweep()
        assert not dead & set(SHARED_MEMORY.iterdir())
    assert living <= set(SHARED_MEMORY.iterdir())
    assert watched.embeds()


@pytest.mark.parametrize("what", ["tritonserver", "embed_query"])
def test_a_stopped_process_is_mended_and_named(watched: Supervised, what: str) -> None:
    stubs = watched.server.stubs()
    pid = watched.server.pid if what == SERVER else next(stub.pid for stub in stubs if stub.model == what)
    os.kill(pid, signal.SIGSTOP)
    mend(watched.supervisor)
    assert watched.said[0].startswith(what)
    assert "was stopped (SIGSTOP) for " in watched.said[0]
    if what == SERVER:
        assert watched.said[0].endswith("; continuing it")
    else:
        mend(watched.supervisor)
        assert watched.said[-1].startswith(f"{what}: answers again"), watched.said
    while (stat := process_stat(pid)) and stat.state == STOPPED:
        time.sleep(0.05)
    assert watched.embeds()


def test_a_process_that_is_stopped_while_its_model_is_loaded_again_holds_nothing_up(watched: Supervised) -> None:
    """Triton would wait for it without an end, and the others may be busy meanwhile."""
    known = {stub.pid for stub in watched.server.stubs()}

    def stop_a_new_one() -> None:
        while True:
            for stub in watched.server.stubs():
                if stub.model == "embed_query" and stub.pid not in known:
                    os.kill(stub.pid, signal.SIGSTOP)
                    return
            time.sleep(0.02)

    with ThreadPoolExecutor(1) as beside:
        stopping = beside.submit(stop_a_new_one)
        youngest = max(stub.pid for stub in watched.server.stubs() if stub.model == "embed_query")
        os.kill(youngest, signal.SIGKILL)
        mend(watched.supervisor)
        stopping.result()
    assert watched.said[1] == (
        "embed_query could not be loaded again (a process of it was stopped (SIGSTOP) for 1 s); "
        "starting the server again"
    )
    assert watched.said[-1].startswith("ready again after"), watched.said
    assert watched.embeds()


def test_orphans_are_ended_and_stubs_with_a_parent_are_not() -> None:
    """Processes with a stub's arguments, the sixth of which is the Triton that it states."""

    def stub(stated: int) -> subprocess.Popen[bytes]:
        code = "import time; print(flush=True); time.sleep(600)"
        arguments = ["bin/triton_python_backend_stub", "-c", code, "region", "", str(stated), "", "", "embedder_0_0"]
        process = subprocess.Popen(arguments, executable=sys.executable, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline()
        return process

    with stub(2**22 + 1) as orphan, stub(os.getpid()) as child:  # no process has such a number
        try:
            assert end_orphans() >= 1
            assert orphan.wait() == -signal.SIGKILL
            assert child.poll() is None
        finally:
            child.kill()
            orphan.kill()


NETWORK = """
import sys
import time
from pathlib import Path
import numpy as np
import triton_python_backend_utils as pb_utils

sys.path.insert(0, {served!r})
from interlingua.served.watch.activity import Activity

MOOD = Path({mood!r})
ACTIVITY = Activity()

class TritonPythonModel:
    def initialize(self, args):
        self.hangs = args["model_instance_name"] == "embedder_0_0"

    @ACTIVITY
    def execute(self, requests):
        while self.hangs and MOOD.read_text() == "spins":
            pass
        while self.hangs and MOOD.read_text() == "sleeps":
            time.sleep(1)
        while (mood := MOOD.read_text()) == "stuck":
            time.sleep(0.1)
        while mood == "busy" and MOOD.read_text() == "busy":
            pass
        rows = [len(pb_utils.get_input_tensor_by_name(one, "input_ids").as_numpy()) for one in requests]
        value = float("inf") if mood == "wrong" else 0.5
        tensors = [pb_utils.Tensor("embedding", np.full((count, 8), value, np.float32)) for count in rows]
        return [pb_utils.InferenceResponse([tensor]) for tensor in tensors]
"""


def with_own_network(folder: Path, tokenizer_json: dict[str, bytes], mood: Path, instances: int = 1) -> Path:
    """A model repository whose embedder does what a file says."""
    models = write_embedder(
        folder / "models",
        service_spec(),
        services=("embed_query",),
        placement=Placement("cpu", instances, 1),
        tokenizer=tokenizer_json["bert"],
    )
    config = models / "embedder" / "config.pbtxt"
    config.write_text(config.read_text().replace('backend: "onnxruntime"', 'backend: "python"'))
    (models / "embedder" / "1" / "model.py").write_text(NETWORK.format(mood=str(mood), served=SOURCES))
    return models


def test_a_stuck_service_is_told_from_a_busy_one(tmp_path: Path, tokenizer_json: dict[str, bytes]) -> None:
    """The network does what a file says: it computes without an end, answers nonsense, or waits for ever."""
    mood, said = tmp_path / "mood", list[str]()
    mood.write_text("fine")
    models = with_own_network(tmp_path, tokenizer_json, mood)

    def say(line: str) -> None:
        said.append(line)
        if line.endswith(cured):
            mood.write_text("fine")

    def wait_for(line: str) -> None:
        while not (said and said[-1].startswith(line)):
            supervisor.look()
            time.sleep(0.05)

    with EmbeddedServer(settings_for(models)) as server:
        supervisor = Watcher(server, say, OFTEN, patience=Patience(every_s=0.1, silent_s=3))
        cured = "loading the model again"
        mood.write_text("busy")
        began = time.monotonic()
        while time.monotonic() - began < 8:
            assert not supervisor.look(), said
            time.sleep(0.1)
        mood.write_text("wrong")
        wait_for("embed_query: answers again after")
        assert "its answer" in said[-2]
        cured = "starting the server again"
        mood.write_text("stuck")
        wait_for("ready again after")
        assert said[-2] == (
            "embed_query gives no answer, and did nothing for 3 s, although it was loaded again; "
            "starting the server again"
        )
        assert Services(server).embed(["where is my parcel?"], "embed_query").vectors.any()
        assert supervisor.restarts.counts[SERVER] == 1


@pytest.mark.parametrize("mood", ["spins", "sleeps"])
def test_one_of_several_instances_that_hangs_is_found(
    tmp_path: Path, tokenizer_json: dict[str, bytes], mood: str
) -> None:
    """The preferred instance of two; the other one answers all questions meanwhile."""
    said, told = list[str](), tmp_path / "mood"
    told.write_text("fine")
    with EmbeddedServer(settings_for(with_own_network(tmp_path, tokenizer_json, told, instances=2))) as server:
        watcher, services = Watcher(server, said.append, OFTEN, patience=Patience(silent_s=2)), Services(server)
        told.write_text(mood)
        with ThreadPoolExecutor(4) as beside:
            asked = [beside.submit(_asks, services, said)]
            time.sleep(0.5)  # it is in the call that hangs: what is asked from here on is in another batch
            asked += [beside.submit(_asks, services, said) for _ in range(3)]
            while not said:
                watcher.look()
                time.sleep(0.05)
            told.write_text("fine")
            for one in asked:
                one.result()
        assert said[0] == (
            "embedder: embedder_0_0 has been in one call for 2 s, and the other instances have answered meanwhile; "
            "ending it"
        )
        mend(watcher)
        assert said[1].startswith("embedder: the process of embedder_0_0 ended")
        assert services.embed(["where is my parcel?"], "embed_query").vectors.any()


def _asks(services: Services, said: list[str]) -> None:
    while not said:
        with suppress(InferenceServerException):
            services.embed(["where is my parcel?"], "embed_query")


def test_a_process_that_ends_before_the_server_is_ready_is_found(tiny_repository: Path) -> None:
    said, killed = list[str](), list[int]()
    server = EmbeddedServer(settings_for(tiny_repository), say=said.append)

    def kill_one(_: float) -> None:
        if not killed and "successfully loaded 'embed_query'" in server.log_path.read_text():
            killed.append(next(stub.pid for stub in server.stubs() if stub.model == "embed_query"))
            os.kill(killed[0], signal.SIGKILL)

    try:
        server.start(kill_one)
        if not said:
            mend(Watcher(server, said.append, OFTEN))
            assert said[-1].startswith(("embed_query: answers again", "ready again")), said
        else:  # Triton does not always outlive that, and is started once more
            assert said[0].startswith("Triton ended while it was starting, with status -"), said
        assert Services(server).embed(["where is my parcel?"], "embed_query").vectors.any()
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("hurt", "told"),
    [
        (signal.SIGSTOP, r"Triton is not ready after \d+ s: embed_query_0_0 was stopped \(SIGSTOP\) for \d s; "),
        (signal.SIGKILL, r"Triton is not ready after \d+ s: none of its processes ran, or waited for .* for 5 s; "),
        (signal.SIGABRT, "Triton ended while it was starting, with status -6; "),
    ],
    ids=["a stub stands still", "a stub ends, and Triton waits for it without an end", "Triton is aborted"],
)
def test_a_start_that_something_happens_to_is_tried_once_more(
    tiny_repository: Path, hurt: signal.Signals, told: str
) -> None:
    """As soon as the first process of embed_query is there."""
    said, hurt_ones = list[str](), set[int]()
    server = EmbeddedServer(settings_for(tiny_repository, start_timeout_s=30), say=said.append)

    def hurt_one(_: float) -> None:
        for stub in server.stubs() if not hurt_ones else ():
            if stub.instance == "embed_query_0_0":
                hurt_ones.add(stub.pid)
                os.kill(server.pid if hurt == signal.SIGABRT else stub.pid, hurt)

    try:
        server.start(hurt_one)
        assert len(said) == 1
        assert re.match(told, said[0]), said
        assert re.search(r"\bembed_query\b.* had not finished loading; starting it once more$", said[0]), said
        assert Services(server).embed(["where is my parcel?"], "embed_query").vectors.any()
    finally:
        server.stop()


def test_an_ended_process_without_a_name_is_seen() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    while process_stat(child).state != ZOMBIE:
        time.sleep(0.01)
    assert child in unnamed_zombies(os.getpid(), [])
    assert child not in unnamed_zombies(os.getpid(), [Stub(child, "embedder", "embedder_0_0", "")])
    os.waitpid(child, 0)


def test_serve_starts_a_killed_server_again(tiny_repository: Path) -> None:
    process = serve(tiny_repository, free_ports(3))
    wait_until_ready(process)
    assert process.stderr is not None
    triton = next(child for child in psutil.Process(process.pid).children() if child.name() == "tritonserver")
    children = [triton.pid, *(child.pid for child in triton.children())]
    regions = regions_of(children)
    triton.kill()
    assert process.stderr.readline() == "Triton ended with status -9; starting the server again\n"
    assert process.stderr.readline().startswith("ready again after")
    process.terminate()
    assert process.wait() == 0
    assert wait_until_gone(children) == []
    assert regions
    assert not regions & set(SHARED_MEMORY.iterdir())


def test_a_server_that_was_started_again_takes_its_key_and_shows_it_to_nobody(tiny_repository: Path) -> None:
    with EmbeddedServer(settings_for(tiny_repository)) as server:
        for _ in range(2):
            server.restart()
            server.http.reload("embed_query")  # refused with any other key
            assert server.admin_key.encode() not in Path(f"/proc/{server.pid}/cmdline").read_bytes()


def test_too_many_restarts_end_the_supervisor(tiny_repository: Path) -> None:
    with EmbeddedServer(settings_for(tiny_repository)) as server:
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(ServerError, match="Triton ended with status -9; tritonserver was restarted 0 times"):
            supervise(server, lambda _: None, RestartLimits(most=0))


def test_waits_grow_and_old_restarts_are_forgotten() -> None:
    now = 0.0
    restarts = Restarts(RestartLimits(most=4, within_s=60, first_wait_s=2, longest_wait_s=5), clock=lambda: now)
    assert [restarts.wait_s("embedder", "it ended") for _ in range(4)] == [0, 2, 4, 5]
    assert [restarts.wait_s(SERVER, "it ended") for _ in range(2)] == [0, 2]  # a budget of its own
    with pytest.raises(TritonProcessError) as refused:
        restarts.wait_s("embedder", "embedder: the process of embedder_0_0 ended")
    assert str(refused.value).startswith(
        "embedder: the process of embedder_0_0 ended; embedder was restarted 4 times within 60 s, which is the most "
        "(all restarts since the beginning: embedder 4, tritonserver 2): "
    )
    now = 61.0
    assert restarts.wait_s("embedder", "it ended") == 0


def test_a_full_disk_makes_counts_late_and_nothing_else(tmp_path: Path) -> None:
    restarts = Restarts(file=tmp_path / "missing" / "restarts.json")
    restarts.begin([SERVER])
    assert restarts.wait_s(SERVER, "it ended") == 0
    (tmp_path / "missing").mkdir()
    restarts.wait_s(SERVER, "it ended")
    assert read_counts(tmp_path / "missing" / "restarts.json") == {SERVER: 2}
