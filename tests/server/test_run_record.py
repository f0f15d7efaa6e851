"""The record of a running server: who may read it, and that a dead server's does not count."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from interlingua_server.command_line import conceal_argument
from interlingua_server.run_record import Announcement, RunRecord, running

ANNOUNCE = """
import sys, time
from interlingua_server.run_record import Announcement, RunRecord
kept = Announcement(RunRecord(1, sys.argv[1], "127.0.0.1:7001", "k"))
print("there", flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERLINGUA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_record_is_found_by_its_repository_and_read_by_its_owner_alone(tmp_path: Path, cache: Path) -> None:
    record = RunRecord(os.getpid(), str(tmp_path / "models"), "127.0.0.1:8001", "secret")
    announcement = Announcement(record)
    assert running(tmp_path / "models") == [record]
    assert running(tmp_path / "other") == []
    (file,) = (cache / "run").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    announcement.withdraw()
    assert running(tmp_path / "models") == []


def test_a_killed_server_is_not_found(tmp_path: Path, cache: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ANNOUNCE, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    assert [record.address for record in running(tmp_path)] == ["127.0.0.1:7001"]
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert running(tmp_path) == []
    assert list((cache / "run").iterdir()) == []  # cleared away


def test_a_secret_goes_out_of_a_child_s_arguments() -> None:
    code = "import time; print('there', flush=True); time.sleep(60)"
    command = [sys.executable, "-c", code, "--key=topsecret", "--last"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        assert conceal_argument(process.pid, "topsecret")
        arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
        assert arguments[-3:] == [b"--key=xxxxxxxxx", b"--last", b""]
        assert not conceal_argument(process.pid, "topsecret")  # it is there no more
    finally:
        process.kill()
        process.wait()


def test_no_process_no_harm() -> None:
    assert not conceal_argument(2**22 + 1, "topsecret")
