"""Processes of a real server are killed: what ends is started again, and searches go on."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from interlingua.base.errors import ServerError
from interlingua_server.embedded import EmbeddedServer
from interlingua_server.ports import free_ports
from interlingua_server.stubs import stubs_of
from interlingua_server.supervisor import RestartLimits, Restarts, Supervisor
from tests.end_to_end.test_server_life import serve, wait_until_gone, wait_until_ready
from tests.support.services import Services, settings_for

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Triton makes it


def mend(supervisor: Supervisor) -> None:
    while not supervisor.look():
        time.sleep(0.05)


def test_every_stub_that_is_killed_is_started_again(tiny_repository: Path) -> None:
    said: list[str] = []
    with EmbeddedServer(settings_for(tiny_repository)) as server:
        services = Services(server)
        before = services.embed(["where is my parcel?"], "embed_query").vectors
        logit = services.rerank("parcel", ["It is at the post office."])
        supervisor = Supervisor(server, said.append, RestartLimits(most=99, first_wait_s=0))
        models = sorted({stub.model for stub in stubs_of(server.pid)})
        assert models == ["embed_document", "embed_query", "embedder", "rerank", "reranker"]
        for model in models:
            killed = next(stub for stub in server.stubs() if stub.model == model)
            os.kill(killed.pid, signal.SIGKILL)
            mend(supervisor)
            assert said[-1].startswith(f"{model}: answers again after"), said
            assert killed.instance in said[-2]
            assert (services.embed(["where is my parcel?"], "embed_query").vectors == before).all()
            assert (services.rerank("parcel", ["It is at the post office."]) == logit).all()
            assert not (SHARED_MEMORY / killed.region).exists()
        assert supervisor.restarts.counts == dict.fromkeys(models, 1)


def test_a_model_that_was_loaded_anew_was_not_killed(tiny_repository: Path) -> None:
    said: list[str] = []
    with EmbeddedServer(settings_for(tiny_repository)) as server:
        supervisor = Supervisor(server, said.append)
        old = {stub.pid for stub in server.stubs()}
        server.control.restart("embed_query")
        assert {stub.pid for stub in server.stubs()} != old
        assert not any(supervisor.look() for _ in range(5))
        assert not said


def test_serve_starts_a_killed_server_again(tiny_repository: Path) -> None:
    process = serve(tiny_repository, free_ports(3))
    wait_until_ready(process)
    assert process.stderr is not None
    triton = next(child for child in psutil.Process(process.pid).children() if child.name() == "tritonserver")
    children = [triton.pid, *(child.pid for child in triton.children())]
    regions = [stub.region for stub in stubs_of(triton.pid)]
    triton.kill()
    assert process.stderr.readline() == "Triton ended with status -9; starting the server again\n"
    assert process.stderr.readline().startswith("ready again after")
    process.terminate()
    assert process.wait() == 0
    assert wait_until_gone(children) == []
    assert not [region for region in regions if (SHARED_MEMORY / region).exists()]


def test_too_many_restarts_end_the_supervisor(tiny_repository: Path) -> None:
    with EmbeddedServer(settings_for(tiny_repository)) as server:
        supervisor = Supervisor(server, lambda _: None, RestartLimits(most=0))
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(ServerError, match="tritonserver ended again after 0 restarts"):
            supervisor.run()


def test_waits_grow_and_old_restarts_are_forgotten() -> None:
    now = 0.0
    restarts = Restarts(RestartLimits(most=4, within_s=60, first_wait_s=2, longest_wait_s=5), clock=lambda: now)
    assert [restarts.wait_s("embedder") for _ in range(4)] == [0, 2, 4, 5]
    with pytest.raises(ServerError, match=r"rerank ended again after 4 restarts within 60 s \(embedder 4 times\)"):
        restarts.wait_s("rerank")
    now = 61.0
    assert restarts.wait_s("rerank") == 0
