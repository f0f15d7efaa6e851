"""Every rule finds its trap, and does not find it in the mended twin."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from interlingua_exporter.lint import RULES, Finding, LaunchLine, LintSettings, Repository, lint
from interlingua_server.embedded import EmbeddedServer, ServerSettings
from interlingua_server.environment import Runtime
from tests.exporter.lint.lint_cases import CASES
from tests.exporter.lint.lint_repositories import (
    GOOD,
    Files,
    ensemble,
    onnx_model,
    python_model,
    served,
    service,
    tensorrt,
    write,
)

BACKEND_RULES = {"BKD001", "BKD002"}
PERMISSION_RULES = {"REP003"}  # who runs the tests may be root, who reads everything


def linted(root: Path, options: Any = None) -> list[Finding]:
    chosen = dict(options or {})
    launch = chosen.pop("launch", None)
    settings = LintSettings(LaunchLine.parse(launch) if launch is not None else None, **chosen)
    return lint(Repository.read(root, settings))


def codes(root: Path, options: Any = None) -> set[str]:
    return {finding.code for finding in linted(root, options)}


def test_every_rule_has_a_case() -> None:
    assert set(CASES) | BACKEND_RULES | PERMISSION_RULES == set(RULES)


@pytest.mark.parametrize("code", CASES)
def test_a_rule_finds_its_trap_and_not_the_mended_twin(tmp_path: Path, code: str) -> None:
    case = CASES[code]
    found = [finding for finding in linted(write(tmp_path / "trap", case.trap), case.options) if finding.code == code]
    assert found
    for finding in found:
        assert finding.severity == RULES[code].severity
        assert finding.what
        assert finding.mend
    mended = case.options if case.mended_options is None else case.mended_options
    assert code not in codes(write(tmp_path / "mended", case.mended), mended)


CLEAN: dict[str, Files] = {
    "python": GOOD,
    "onnx": onnx_model(),
    "tensorrt": tensorrt(),
    "ensemble": ensemble(),
    "services": served(service(), service("embed_document")),
}


@pytest.mark.parametrize("name", CLEAN)
def test_a_good_repository_has_no_finding(tmp_path: Path, name: str) -> None:
    assert linted(write(tmp_path / "models", CLEAN[name])) == []


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path / "models", GOOD)
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).name != "model.py")  # noqa: ARG005 - as for a plain user
    assert {(finding.code, finding.file) for finding in linted(root)} == {("REP003", "m/1/model.py")}


def test_backends_are_looked_up_in_the_named_folder(tmp_path: Path) -> None:
    root = write(tmp_path / "models", GOOD)
    backends = tmp_path / "back ends"
    launch = {"launch": f"tritonserver {CLOSED} --backend-directory={shlex.quote(str(backends))}"}
    assert not codes(root, launch) & BACKEND_RULES  # the folder is on another machine
    (backends / "other").mkdir(parents=True)
    assert codes(root, launch) & BACKEND_RULES == {"BKD001"}
    library = tmp_path / "libtriton_python.so"
    library.touch()
    (backends / "python").mkdir()
    (backends / "python" / library.name).symlink_to(library)
    assert codes(root, launch) & BACKEND_RULES == {"BKD002"}
    (backends / "python" / library.name).unlink()
    library.rename(backends / "python" / library.name)
    assert not codes(root, launch) & BACKEND_RULES


CLOSED = "--http-address=127.0.0.1 --grpc-address=127.0.0.1 --metrics-address=127.0.0.1"


def test_our_own_server_is_started_without_a_finding(tmp_path: Path) -> None:
    runtime = Runtime(**{name: tmp_path / name for name in Runtime.__annotations__})
    command = EmbeddedServer(ServerSettings(model_repository=tmp_path))._command(runtime, tmp_path / "backends")
    assert linted(write(tmp_path / "models", GOOD), {"launch": shlex.join(command)}) == []


def test_the_stall_depends_on_three_fields(tmp_path: Path) -> None:
    """tis/core scheduler_utils.cc: prefetching stays on only where all three are unset and there are no priorities."""
    policies = {
        "default_timeout_microseconds: 9": True,
        "allow_timeout_override: true": True,
        "max_queue_size: 9": True,
        "timeout_action: DELAY": False,
        "": False,
    }
    for number, (text, stalls) in enumerate(policies.items()):
        files = python_model(f"dynamic_batching {{ default_queue_policy {{ {text} }} }}")
        assert ("QUE002" in codes(write(tmp_path / str(number), files))) is stalls, text


def test_findings_come_in_order_and_say_where(tmp_path: Path) -> None:
    files = {**python_model("dynamic_batching { priority_levels: 2 max_queue_delay_microseconds: 9 }"), "x": "ignored"}
    found = [(one.severity, one.code, one.file, one.field) for one in linted(write(tmp_path / "models", files))]
    assert found == [
        ("error", "BAT007", "m/config.pbtxt", "dynamic_batching.default_priority_level"),
        ("warning", "QUE001", "m/config.pbtxt", "dynamic_batching.priority_levels"),
        ("note", "BAT003", "m/config.pbtxt", "dynamic_batching.max_queue_delay_microseconds"),
    ]


def test_sides_of_another_reranker_than_the_pair_services_are_found(tmp_path: Path) -> None:
    trap = served(service("rerank"), service("encode_query_tokens"), service("encode_document_tokens", digest="d2"))
    found = [finding for finding in linted(write(tmp_path / "models", trap)) if finding.code == "BLS006"]
    assert [(finding.model, finding.field) for finding in found] == [("encode_document_tokens", "parameters.1/digest")]


def test_a_late_interaction_service_wants_token_vectors_of_its_network(tmp_path: Path) -> None:
    trap = served(service("rerank", interaction="{}"))
    (found,) = [finding for finding in linted(write(tmp_path / "models", trap)) if finding.code == "BLS004"]
    assert "it needs token_vectors" in found.what
