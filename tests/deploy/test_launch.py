"""What the container starts, against what the embedded server starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from interlingua_exporter.lint import LaunchLine, LintSettings, Repository, lint
from interlingua_server.embedded import EmbeddedServer, ServerSettings
from interlingua_server.environment import Runtime
from tests.deploy.deploy_files import DEPLOY, PORTS, compose, container, launch

KEY = "0123456789abcdef"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(f"{KEY}\n")
    return path


def embedded_flags() -> list[str]:
    server = EmbeddedServer(ServerSettings(model_repository=Path("/models"), host="0.0.0.0", admin_key=KEY))  # noqa: S104
    try:
        paths = Runtime(**dict.fromkeys(Runtime.__annotations__, Path("tritonserver")))
        return server._command(paths, Path("/opt/tritonserver/backends"))
    finally:
        server.stop()


def test_the_flags_are_the_embedded_servers(key_file: Path) -> None:
    """In the container there are GPUs, and a DCGM that reads them: that is the one difference."""
    ours = launch().command({"INTERLINGUA_ADMIN_KEY_FILE": str(key_file)}, [])
    assert len(ours) == len(set(ours))
    assert set(ours) ^ set(embedded_flags()) == {"--allow-gpu-metrics=true", "--allow-gpu-metrics=false"}
    assert ours[0] == "tritonserver"


def test_the_defaults_are_those_of_the_embedded_server() -> None:
    defaults = ServerSettings(model_repository=Path("/models"))
    assert {"http": defaults.http_port, "grpc": defaults.grpc_port, "metrics": defaults.metrics_port} == PORTS
    assert defaults.stop_timeout_s == 10  # launch.py's INTERLINGUA_STOP_TIMEOUT_S


def test_a_given_flag_takes_the_place_of_ours() -> None:
    line = launch().command({}, ["--log-verbose=1", "--grpc-address=::"])
    flags = [flag for flag in line if flag.startswith(("--log-verbose", "--grpc-address"))]
    assert flags == ["--log-verbose=1", "--grpc-address=::"]


def test_http_is_the_containers_own() -> None:
    """It is asked there, and nobody beyond may ask."""
    assert "--http-address=127.0.0.1" in launch().command({}, [])


@pytest.mark.parametrize("flag", ["--http-address=0.0.0.0", "--http-address=::", "--allow-http=false"])
def test_http_that_is_open_or_off_is_refused(tmp_path: Path, flag: str) -> None:
    done = start(published(tmp_path), flag)
    assert done.returncode == 4
    assert flag.partition("=")[0] in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_a_key_file_every_start_has_a_key_of_its_own() -> None:
    def restricted() -> str:
        return next(flag for flag in launch().command({}, []) if flag.startswith("--http-restricted-api"))

    assert restricted() != restricted()


@pytest.mark.parametrize(
    ("source", "arguments"),
    [
        pytest.param("compose", compose()["services"]["triton-gpu"]["command"], id="compose"),
        pytest.param("kubernetes", container()["args"], id="kubernetes"),
    ],
)
def test_lint_has_nothing_against_the_flags(tmp_path: Path, source: str, arguments: list[str]) -> None:
    """Our own linter, which knows what is open to whom. What stays are notes: the ports are for a private network."""
    (tmp_path / source).mkdir()
    line = LaunchLine.parse(" ".join(launch().command({}, arguments)))
    found = lint(Repository.read(tmp_path, LintSettings(line)), select=["LCH"])
    assert {finding.code for finding in found} == {"LCH006", "LCH007"}
    assert {finding.severity for finding in found} == {"note"}


def start(models: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """launch.py itself, where no tritonserver is on the path."""
    variables = {"PATH": "/nonexistent", "INTERLINGUA_MODELS": str(models), **environment}
    line = [sys.executable, str(DEPLOY / "launch.py"), *arguments]
    return subprocess.run(line, env=variables, capture_output=True, text=True, check=False)


def published(folder: Path) -> Path:
    (folder / "models" / "embedder" / "1").mkdir(parents=True)
    (folder / "models" / "embedder" / "config.pbtxt").write_text("")
    return folder / "models"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        pytest.param({"INTERLINGUA_STOP_TIMEOUT_S": "ten"}, "INTERLINGUA_STOP_TIMEOUT_S is 'ten'", id="number"),
        pytest.param({"INTERLINGUA_ADMIN_KEY_FILE": "/nonexistent"}, "cannot read the admin key", id="no key file"),
        pytest.param({"INTERLINGUA_ADMIN_KEY_FILE": "/dev/null"}, "a key is 16 or more", id="empty key"),
        pytest.param({"INTERLINGUA_MODELS": "/nonexistent"}, "mount a model repository", id="no models"),
        pytest.param({}, "No such file or directory", id="no tritonserver"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, environment: dict[str, str], message: str) -> None:
    done = start(published(tmp_path), **environment)
    assert done.returncode == 4
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_empty_repository_is_refused(tmp_path: Path) -> None:
    """Triton would start without a model, and say that it is ready."""
    assert "holds no published model" in start(tmp_path).stderr


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    models = published(tmp_path)
    (models / "embedder" / "config.pbtxt").chmod(0)
    assert f"cannot read {models / 'embedder' / 'config.pbtxt'}" in start(models).stderr
