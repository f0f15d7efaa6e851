"""What an installed wheel runs, outside of a checkout: in a folder with modules of the user's own."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from interlingua.base.paths import PROJECT_ROOT

FILES = """
import interlingua, interlingua.base.paths as paths
from interlingua_evaluation.data_folders import HELPDESK12
from interlingua_exporter.models import catalog
from interlingua_loadtest.generator.processes import LOCUSTFILE
from interlingua_server.environment import BACKENDS, LOCK_FILE, SERVED, TORCH_LOCK_FILE

artefact = paths.packaged(catalog.find("e5-small-reranker").source.artefact)
files = [HELPDESK12 / "corpus.jsonl", artefact / catalog.DELTA_FILE, LOCUSTFILE, LOCK_FILE, TORCH_LOCK_FILE]
files += [BACKENDS / "text" / "model.py", SERVED / "networks" / "graph.py"]
print(interlingua.__file__, paths.DEFAULT_MODEL_REPOSITORY, *files, sep="\\n")
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked as an installer does."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*command, str(folder), str(PROJECT_ROOT)], check=True, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def run(site: Path, tmp_path: Path) -> Callable[..., str]:
    for name in ("client.py", "server.py", "evaluation.py"):
        (tmp_path / name).write_text("raise SystemExit('the wrong module')")
    variables = os.environ | {"PYTHONPATH": str(site), "XDG_DATA_HOME": str(tmp_path / "data")}

    def run_python(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run_python


def test_it_brings_every_file_that_is_needed_at_run_time(run: Callable[..., str], site: Path, tmp_path: Path) -> None:
    package, models, *files = map(Path, run("-c", FILES).split())
    assert package == site / "interlingua" / "__init__.py"
    assert models == tmp_path / "data" / "interlingua" / "model_repository"
    assert all(file.is_relative_to(site) and file.is_file() for file in files)


def test_its_commands_start(run: Callable[..., str]) -> None:
    assert "e5-small-reranker" in run("-m", "interlingua", "models")
    assert "Usage: " in run("-m", "interlingua", "export", "e5-small-reranker", "--help")


def test_every_package_is_built_and_checked() -> None:
    """The lists of pyproject.toml name the same packages."""
    tool = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    packages = {path.parent.name for path in PROJECT_ROOT.glob("*/interlingua*/__init__.py")}
    assert {Path(path).name for path in tool["hatch"]["build"]["targets"]["wheel"]["packages"]} == packages
    assert set(tool["importlinter"]["root_packages"]) == set(tool["mypy"]["packages"]) == packages
    assert set(tool["hatch"]["build"]["dev-mode-dirs"]) == set(tool["mypy"]["mypy_path"]) - {"stubs"}
