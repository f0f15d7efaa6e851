"""A server's temporary folder: whose stay, whose are removed, and what is said where there is no room."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from interlingua.base.errors import ServerError
from interlingua_server.backend_folder import compose_backends
from interlingua_server.embedded import EmbeddedServer, ServerSettings
from interlingua_server.environment import Runtime
from interlingua_server.scratch import Scratch, sweep_scratch

MAKE = """
import time
from interlingua_server.scratch import Scratch
kept = Scratch()
print(kept.path, flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_a_killed_servers_folder_is_removed_and_a_living_ones_stays(temporary: Path) -> None:
    (temporary / "interlingua-server-of-before").mkdir()  # without a lease: nobody can tell whose it is
    own = Scratch()
    process = subprocess.Popen([sys.executable, "-c", MAKE], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    other = Path(process.stdout.readline().strip())
    try:
        (other / "backends").mkdir()
        (other / "backends" / "model.py").touch()
        assert other.parent == temporary
        assert sweep_scratch() == 0
    finally:
        process.kill()
        process.communicate()
    assert sweep_scratch() == 1
    assert {path.name for path in temporary.iterdir()} == {own.path.name, "interlingua-server-of-before"}
    own.remove()
    assert not own.path.exists()
    assert sweep_scratch() == 0


def test_a_start_sweeps_whatever_comes_of_it(temporary: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", MAKE], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    left = Path(process.stdout.readline().strip())
    process.kill()
    process.communicate()
    assert left.is_dir()
    with pytest.raises(ServerError, match="is not a folder"), EmbeddedServer(ServerSettings(model_repository=left)):
        pass
    assert list(temporary.iterdir()) == []


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """The kernel refuses what goes beyond, as it does where a disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("large", ["backend", "stub"])
def test_no_room_for_the_backends_is_a_line_with_the_folder(temporary: Path, large: str) -> None:
    sizes = dict.fromkeys(("backend", "stub"), 10) | {large: 2_000_000}
    (temporary / "python").mkdir()
    (temporary / "python" / "libtriton_python.so").write_bytes(bytes(sizes["backend"]))
    (temporary / "stub").write_bytes(bytes(sizes["stub"]))
    places = dict.fromkeys(Runtime.__annotations__, temporary)
    runtime = Runtime(**places | {"python_backend": temporary / "python", "stub": temporary / "stub"})
    folder = temporary / "here" / "backends"
    with files_up_to(1_000_000), pytest.raises(ServerError) as refused:
        compose_backends(runtime, folder)
    said = str(refused.value)
    assert said.startswith(f"cannot copy Triton's backends into {folder} (")
    assert "File too large): make room there, or name another folder in TMPDIR" in said
    assert "\n" not in said
    assert not folder.exists()
    compose_backends(runtime, folder)
    assert (folder / "python" / "libtriton_python.so").stat().st_size == sizes["backend"]
