"""Starting, failing, being signalled, ending: real processes on real ports."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from interlingua.base.errors import ServerError
from interlingua_server.embedded import EmbeddedServer, ServerSettings
from interlingua_server.ports import free_ports
from tests.support.command_line import interlingua
from tests.support.services import settings_for


def serve(repository: Path, ports: list[int], *more: str) -> subprocess.Popen[str]:
    names = ("--grpc-port", "--http-port", "--metrics-port")
    arguments = [part for name, port in zip(names, ports, strict=True) for part in (name, str(port))]
    command = [sys.executable, "-m", "interlingua", "serve", "--model-repository", str(repository), *arguments, *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_until_ready(process: subprocess.Popen[str]) -> None:
    """Until it says so; the test's timeout ends a server that never does."""
    said = []
    while process.stderr and (line := process.stderr.readline()):
        said.append(line)
        if line.startswith("ready after"):
            return
    raise AssertionError("".join(said))


def wait_until_gone(pids: list[int], seconds: float = 120) -> list[int]:
    """Those that are still alive when the time is over."""
    give_up = time.monotonic() + seconds
    while (alive := [pid for pid in pids if psutil.pid_exists(pid)]) and time.monotonic() < give_up:
        time.sleep(0.1)
    return alive


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_ends_the_server_and_all_its_processes(tiny_repository: Path, number: signal.Signals) -> None:
    ports = free_ports(3)
    process = serve(tiny_repository, ports)
    wait_until_ready(process)
    children = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    assert len(children) >= 3  # tritonserver and its stubs
    asked = interlingua("ready", "--server", f"127.0.0.1:{ports[0]}")
    assert asked.stdout == "ready: embed_query answers, embed_document answers, rerank answers\n", asked.stderr
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert errors.rstrip().endswith("stopped")
    assert wait_until_gone(children) == []
    asked = interlingua("ready", "--server", f"127.0.0.1:{ports[0]}")
    assert asked.returncode == 4
    assert asked.stderr.startswith("error: cannot reach a server")


def test_the_server_dies_with_its_launcher(tiny_repository: Path) -> None:
    ports = free_ports(3)
    process = serve(tiny_repository, ports)
    wait_until_ready(process)
    children = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    process.kill()
    process.wait()
    assert wait_until_gone(children) == []


def marked(mark: str) -> list[int]:
    """The processes that inherited a variable from a test, whoever their parent is now."""
    return [one.pid for one in psutil.process_iter(["environ"]) if mark in (one.info["environ"] or {})]


def test_nothing_stays_when_launcher_and_server_are_killed(
    tiny_repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is left then who could end the stubs: they see to it themselves."""
    monkeypatch.setenv("INTERLINGUA_MARK_KILLED", "1")
    process = serve(tiny_repository, free_ports(3))
    wait_until_ready(process)
    triton = next(child for child in psutil.Process(process.pid).children() if child.name() == "tritonserver")
    process.kill()
    triton.kill()
    process.wait()
    while marked("INTERLINGUA_MARK_KILLED"):
        time.sleep(0.1)


def test_sigterm_at_any_moment_of_the_start_leaves_nothing(
    tiny_repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """INTERLINGUA_MOMENTS=20 tries more of them."""
    moments = int(os.environ.get("INTERLINGUA_MOMENTS", "4"))
    rng = random.Random(moments)
    for mark in (f"INTERLINGUA_MARK_{number}" for number in range(moments)):
        monkeypatch.setenv(mark, "1")
        process = serve(tiny_repository, free_ports(3), "--stop-timeout", "2")
        time.sleep(rng.uniform(0.3, 8))
        process.terminate()
        process.communicate()
        monkeypatch.delenv(mark)
        assert wait_until_gone(marked(mark)) == []


def test_a_taken_port_is_one_clear_line(tiny_repository: Path) -> None:
    ports = free_ports(3)
    with closing(socket.create_server(("127.0.0.1", ports[1]))):
        process = serve(tiny_repository, ports)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 4
    assert f"error: port {ports[1]} on 127.0.0.1 cannot be used" in errors
    assert "--http-port" in errors
    assert "Traceback" not in errors


def test_an_empty_repository_says_what_to_do(tmp_path: Path) -> None:
    done = interlingua("serve", "--model-repository", tmp_path)
    assert done.returncode == 4
    assert "run `interlingua export` first" in done.stderr


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(lambda folder: (folder / "embedder/1/model.onnx").write_bytes(b"no"), "embedder", id="network"),
        pytest.param(lambda folder: (folder / "embed_query/1/tokenizer.json").unlink(), "tokenizer.json", id="service"),
    ],
)
def test_a_model_that_does_not_load_is_named(
    tiny_repository: Path, tmp_path: Path, damage: Callable[[Path], object], message: str
) -> None:
    broken = tmp_path / "repository"
    shutil.copytree(tiny_repository, broken)
    damage(broken)
    server = EmbeddedServer(settings_for(broken))
    with pytest.raises(ServerError, match="ended while it was starting") as caught:
        server.start()
    assert message in str(caught.value)


def test_an_address_that_is_not_ours_is_refused(tiny_repository: Path) -> None:
    settings = ServerSettings(model_repository=tiny_repository, host="host.invalid")
    with pytest.raises(ServerError, match="not an address of this machine"):
        EmbeddedServer(settings).start()
