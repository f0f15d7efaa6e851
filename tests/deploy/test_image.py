"""The Dockerfile by rules of our own, and the container's Python packages against what the backend imports."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path

import pytest

from interlingua.base.paths import PROJECT_ROOT
from tests.deploy.deploy_files import DEPLOY, OPEN, READY, dockerfile, instructions

BACKEND = PROJECT_ROOT / "server" / "interlingua_server" / "backends" / "text" / "model.py"
SERVED = PROJECT_ROOT / "interlingua" / "interlingua" / "served"
CONTAINER_PYTHON = (3, 10)
LOCK = DEPLOY / "requirements-container.lock"


def pins(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s\\]+)", text, re.MULTILINE))


def test_the_base_is_one_release_and_can_be_pinned_by_digest() -> None:
    (base,) = instructions("FROM")
    assert base == "nvcr.io/nvidia/tritonserver:24.10-py3${BASE_DIGEST}"
    assert instructions("ARG") == ['BASE_DIGEST=""']
    (labels,) = instructions("LABEL")
    assert 'base.name="nvcr.io/nvidia/tritonserver:24.10-py3"' in labels


def test_the_server_runs_as_a_plain_user_who_owns_nothing() -> None:
    """Last word on users; 1000 is the base image's own user, to whom /opt/tritonserver belongs."""
    (user,) = instructions("USER")
    uid, gid = map(int, user.split(":"))
    assert uid == gid
    assert uid not in (0, 1000)
    assert any(f"--uid {uid} " in command for command in instructions("RUN"))
    after = [entry.name for entry in dockerfile()][[entry.name for entry in dockerfile()].index("USER") :]
    assert not {"RUN", "COPY", "ADD"} & set(after)
    assert not any("--chown" in source for source in instructions("COPY"))


@pytest.mark.parametrize("name", ["ENTRYPOINT", "CMD"])
def test_signals_reach_the_server(name: str) -> None:
    """Exec form: no shell of Docker's between."""
    (line,) = instructions(name)
    assert isinstance(json.loads(line), list)


def test_the_entry_point_is_what_was_copied() -> None:
    (line,) = instructions("ENTRYPOINT")
    assert json.loads(line)[-2:] == ["python3", "/opt/interlingua/launch.py"]
    assert "deploy/launch.py /opt/interlingua/" in instructions("COPY")


def test_the_health_check_asks_a_question_and_http_is_not_published() -> None:
    (line,) = instructions("HEALTHCHECK")
    assert json.loads(line.split("CMD", 1)[1]) == READY
    assert instructions("EXPOSE") == [" ".join(map(str, OPEN.values()))]


def test_what_is_copied_exists_and_reaches_the_build() -> None:
    ignore = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    let_through = {line[1:] for line in ignore if line.startswith("!")}
    sources = {source.rsplit(None, 1)[0] for source in instructions("COPY")}
    assert sources == let_through
    for source in sources:
        assert (PROJECT_ROOT / source).exists(), source
    assert "*" in ignore


def test_there_is_no_secret_in_the_image() -> None:
    names = " ".join(instructions("ENV") + instructions("ARG"))
    assert not re.search(r"KEY|TOKEN|SECRET|PASSWORD", names)


def test_packages_are_installed_by_hash_and_nothing_else() -> None:
    (install,) = [command for command in instructions("RUN") if "pip install" in command]
    for option in ("--require-hashes", "--no-deps", "--only-binary=:all:", "--no-cache-dir"):
        assert option in install
    assert f"requirement /opt/interlingua/{LOCK.name}" in install
    assert f"!= {CONTAINER_PYTHON}" in install


def test_every_package_has_a_hash_for_both_architectures() -> None:
    text = LOCK.read_text()
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", text)) == 2 * len(pins(text)) > 0


def test_both_servers_run_the_same_versions() -> None:
    ours, embedded = (
        pins(LOCK.read_text()),
        pins((PROJECT_ROOT / "server" / "interlingua_server" / "requirements.lock").read_text()),
    )
    assert ours == {name: embedded[name] for name in ours}


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=CONTAINER_PYTHON)
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_the_lock_is_what_the_backend_imports() -> None:
    """triton_python_backend_utils comes with Triton."""
    files = (
        BACKEND,
        *SERVED.glob("*.py"),
        *SERVED.glob("text/*.py"),
        *SERVED.glob("late_interaction/*.py"),
        *SERVED.glob("watch/*.py"),
    )
    modules = {name for path in files for name in imported(path)}
    assert {name for name in modules if name.startswith("interlingua.")} <= {
        ".".join(("interlingua", "served", *path.relative_to(SERVED).with_suffix("").parts)) for path in files[1:]
    }
    names = {name.partition(".")[0] for name in modules}
    given = {"interlingua", "triton_python_backend_utils"}
    assert names - set(sys.stdlib_module_names) - given == set(pins(LOCK.read_text()))


def test_launch_needs_the_standard_library_and_what_lies_beside_the_backends() -> None:
    names = imported(DEPLOY / "launch.py")
    ours = {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}
    assert {".".join(name.split(".")[:2]) for name in ours} == {"interlingua.served"}
    (folder,) = re.findall(r"PYTHONPATH=(\S+)", " ".join(instructions("ENV")))
    assert f"interlingua/interlingua/served {folder}/interlingua/served" in instructions("COPY")
