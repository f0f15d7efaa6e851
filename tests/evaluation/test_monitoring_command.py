"""`interlingua monitor` as a process: what it prints, and with which status it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.evaluation.monitoring_logs import SETTING, traffic, write
from tests.support.command_line import interlingua

USUAL = {"de": 120, "fr": 100}


def monitor(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return interlingua("monitor", *arguments)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("logs")
    other = SETTING._replace(embedder="another")
    return {
        "baseline": write(folder / "baseline.log", traffic(1, USUAL)),
        "same": write(folder / "same.log", traffic(2, USUAL)),
        "worse": write(folder / "worse.log", traffic(3, USUAL, shift={"fr": -0.06})),
        "other": write(folder / "other.log", traffic(4, USUAL), setting=other),
    }


def test_no_change_is_0(logs: dict[str, Path]) -> None:
    done = monitor(logs["same"], "--baseline", logs["baseline"])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "no alert"
    assert "220 searches" in done.stdout


def test_an_alert_is_1(logs: dict[str, Path]) -> None:
    done = monitor(logs["worse"], "--baseline", logs["baseline"])
    assert (done.returncode, done.stderr) == (1, "")
    assert "ALERT dense-score, queries in fr: median 0.8" in done.stdout
    assert "queries in de" not in done.stdout


def test_json_has_the_same_facts(logs: dict[str, Path]) -> None:
    done = monitor(logs["worse"], "--baseline", logs["baseline"], "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert {alert["language"] for alert in report["alerts"]} == {"fr"}
    assert [profile["language"] for profile in report["languages"]] == ["all", "de", "fr"]
    assert [profile["language"] for profile in report["baseline_languages"]] == ["all", "de", "fr"]
    assert report["log"]["searches"] == 220
    assert report["log"]["settings"] == [{**SETTING._asdict(), "searches": 220}]
    low = report["baseline_languages"][1]["rates"]["low_confidence"]
    assert (low["number"], low["of"]) == (6, 120)  # the 5th percentile of 120 is above six of them
    test = next(test for test in report["drift"]["tests"] if (test["kind"], test["language"]) == ("dense-score", "fr"))
    assert test["q"] < 0.05
    assert test["effect"] > report["limits"]["ks"] == 0.15


def test_without_a_baseline(logs: dict[str, Path]) -> None:
    done = monitor(logs["worse"])
    assert done.returncode == 0
    assert "no alert (neither --baseline nor --max-rate)" in done.stdout
    assert monitor(logs["worse"], "--low-score", "0.79", "--max-rate", "low-confidence=0.2").returncode == 1


def test_several_logs_are_one(logs: dict[str, Path]) -> None:
    done = monitor(logs["same"], logs["worse"], "--json")
    assert json.loads(done.stdout)["log"]["searches"] == 440


def test_another_embedder_is_said(logs: dict[str, Path]) -> None:
    done = monitor(logs["other"], "--baseline", logs["baseline"])
    assert done.returncode == 0
    assert "SCORES DO NOT COMPARE" in done.stdout


def test_bad_lines_are_said_and_tolerated(logs: dict[str, Path], tmp_path: Path) -> None:
    content = logs["same"].read_bytes()
    (tmp_path / "a.log").write_bytes(b"hello\n" + content + content[:50])
    done = monitor(tmp_path / "a.log")
    assert done.returncode == 0
    flat = " ".join(done.stdout.split())
    assert "2 of 222 lines could not be read" in flat
    assert "line 1: not JSON" in flat
    assert "line 222: cut off" in flat


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "Missing argument"),
        (["missing.log"], 2, "does not exist"),
        (["LOG", "--since", "yesterday"], 2, "'yesterday' is not a time such as"),
        (["LOG", "--since", "2026-01-02", "--until", "2026-01-02"], 2, "not before --until"),
        (["LOG", "--alert-on", "weather"], 2, "'weather' is not one of"),
        (["LOG", "--alert-on", "dense-score"], 2, "needs --baseline"),
        (["LOG", "--max-rate", "empty"], 2, "not a valid float"),
        (["LOG", "--max-rate", "weather=1"], 2, "does not start with one of"),
        (["LOG", "--max-rate", "empty=nan"], 2, "not a finite number"),
        (["LOG", "--max-rate", "low-confidence=0.1"], 2, "needs --low-score or --baseline"),
        (["LOG", "--until", "2001-01-01"], 3, "none of 220 searches is of the time asked for"),
        (["EMPTY"], 3, "no search was logged"),
        (["LOG", "--baseline", "EMPTY"], 3, "no search was logged"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes(logs: dict[str, Path], tmp_path: Path, arguments: list[str], status: int, message: str) -> None:
    (tmp_path / "empty.log").touch()
    places = {"LOG": str(logs["same"]), "EMPTY": str(tmp_path / "empty.log")}
    done = monitor(*(places.get(argument, argument) for argument in arguments))
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.returncode == status


def test_only_comparing_needs_scipy(logs: dict[str, Path]) -> None:
    def without_scipy(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        program = "import sys; sys.modules['scipy'] = None; from interlingua_cli import main; main()"
        command = [sys.executable, "-c", program, "monitor", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert without_scipy(logs["same"]).returncode == 0
    done = without_scipy(logs["same"], "--baseline", logs["baseline"])
    assert done.returncode == 3
    assert "[evaluate]'" in done.stderr


def test_the_client_does_not_load_scipy() -> None:
    loaded = "[name in sys.modules for name in ('scipy', 'interlingua_evaluation')]"
    program = f"import sys, interlingua_client.search.retriever; print(*{loaded})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
