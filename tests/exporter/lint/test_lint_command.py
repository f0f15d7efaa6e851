"""`interlingua lint` as a user runs it: exit codes, choices, JSON, and the document of its rules."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from interlingua.base.paths import PROJECT_ROOT
from interlingua_cli.lint import command
from interlingua_exporter.lint import RULES
from interlingua_exporter.lint.rule_table import DOCUMENT, document
from tests.exporter.lint.lint_repositories import GOOD, python_model, write

WARNED = python_model("dynamic_batching { default_queue_policy { max_queue_size: 9 } }")
BROKEN = {**WARNED, "n/config.pbtxt": "input [ {", "n/1/model.py": ""}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    return write(tmp_path / "broken", BROKEN)


def test_exit_codes(tmp_path: Path, broken: Path) -> None:
    warned = write(tmp_path / "warned", WARNED)
    clean = write(tmp_path / "clean", GOOD)
    assert run(broken).exit_code == 1
    assert run(broken, "--ignore", "CFG001,REP").exit_code == 0
    assert run(warned).exit_code == 0
    assert run(warned, "--strict").exit_code == 1
    assert run(clean, "--strict").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["/nowhere/at-all"], "not a model repository"),
        (["--select", "XYZ"], "there is no rule XYZ"),
        (["--ignore", "QUE009"], "there is no rule QUE009"),
        (["--explain", "QUE"], "there is no rule QUE"),
        (["--shm-size", "lots"], "not a size"),
        (["--launch", "tritonserver 'open"], "--launch"),
        (["--no-such-flag"], "No such option"),
    ],
)
def test_wrong_use_exits_with_2(arguments: list[str], part: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert part in result.output
    assert "Traceback" not in result.output


def test_json(broken: Path) -> None:
    result = run(broken, "--json")
    facts = json.loads(result.stdout)
    assert result.exit_code == 1
    assert facts["models"] == ["m", "n"]
    assert facts["counts"] == {"error": 1, "warning": 1, "note": 0}
    first, second = facts["findings"]
    assert (first["code"], first["severity"], first["file"]) == ("CFG001", "error", "n/config.pbtxt")
    assert second == {
        "code": "QUE002",
        "severity": "warning",
        "model": "m",
        "file": "m/config.pbtxt",
        "field": "dynamic_batching.default_queue_policy",
        "what": "max_queue_size set",
        "why": RULES["QUE002"].why,
        "mend": RULES["QUE002"].mend,
    }
    assert facts["skipped"] == []


def test_choices_take_codes_and_their_beginnings(broken: Path) -> None:
    def chosen(*arguments: str) -> set[str]:
        return {finding["code"] for finding in json.loads(run(broken, "--json", *arguments).stdout)["findings"]}

    assert chosen("--select", "que") == {"QUE002"}
    assert chosen("--select", "QUE002", "--select", "CFG") == {"QUE002", "CFG001"}
    assert chosen("--select", "QUE,CFG", "--ignore", "CFG001") == {"QUE002"}


def test_text_names_place_reason_and_mend(broken: Path) -> None:
    lines = run(broken).stdout.splitlines()
    start = lines.index("warning QUE002 m/config.pbtxt: dynamic_batching.default_queue_policy")
    assert lines[start + 1] == "    max_queue_size set"
    assert lines[start + 2] == f"    why:  {RULES['QUE002'].why}"
    assert lines[start + 3] == f"    mend: {RULES['QUE002'].mend}"
    assert lines[-1] == f"{broken}: 2 models, 1 error, 1 warning, 0 notes"


def test_a_name_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    root = write(tmp_path / "models", python_model(name="a\x1b[31m\nb"))
    output = run(root).stdout
    assert "\x1b" not in output
    assert "error REP004 a\\x1b[31m\\nb" in output


def test_explain() -> None:
    output = run("--explain", "trt006").stdout
    assert output.startswith("TRT006 (warning): ")
    assert RULES["TRT006"].why in output
    assert RULES["TRT006"].mend in output


def test_shared_memory_as_docker_writes_it(tmp_path: Path) -> None:
    """A Python model is told of 64 MiB, however that is written, and not of more."""
    root = write(tmp_path / "models", GOOD)
    for size, told in (
        ("64m", True),
        ("64MB", True),
        ("65536k", True),
        ("67108864", True),
        ("65m", False),
        ("1g", False),
    ):
        assert ("MEM002" in run(root, "--shm-size", size).stdout) is told, size


def test_the_committed_configurations(tmp_path: Path) -> None:
    """What `interlingua export` commits has no finding but the weights that are not committed."""
    files = {
        f"{path.parent.name}/config.pbtxt": path.read_text("utf-8")
        for path in (PROJECT_ROOT / "model_repository").glob("*/config.pbtxt")
    }
    assert files
    facts = json.loads(run(write(tmp_path / "models", files), "--json", "--ignore", "VER001,WRM001").stdout)
    assert {(finding["severity"], finding["code"]) for finding in facts["findings"]} <= {("note", "MEM004")}


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text("utf-8") == document()
    assert all(f"| {code} |" in document() for code in RULES)


def test_the_exit_code_reaches_the_shell(broken: Path) -> None:
    program = "from interlingua_cli.lint import command; command()"
    done = subprocess.run([sys.executable, "-c", program, str(broken)], capture_output=True, check=False, text=True)
    assert done.returncode == 1
    assert done.stderr == ""
