"""What an installed wheel runs, outside of a checkout: in a folder with modules of the user's own."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from interlingua.base.paths import PROJECT_ROOT
from tests.support.installed_wheel import InstalledWheel

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


@pytest.fixture
def run(installed_wheel: InstalledWheel, tmp_path: Path) -> Callable[..., str]:
    for name in ("client.py", "server.py", "evaluation.py"):
        (tmp_path / name).write_text("raise SystemExit('the wrong module')")

    def run_python(*arguments: str, status: int = 0) -> str:
        done = installed_wheel.run(*arguments, folder=tmp_path)
        assert done.returncode == status, done.stderr
        return done.stderr if status else done.stdout

    return run_python


def test_it_brings_every_file_that_is_needed_at_run_time(
    run: Callable[..., str], installed_wheel: InstalledWheel, tmp_path: Path
) -> None:
    package, models, *files = map(Path, run("-c", FILES).split())
    assert package == installed_wheel.site / "interlingua" / "__init__.py"
    assert models == tmp_path / "data" / "interlingua" / "model_repository"
    assert all(file.is_relative_to(installed_wheel.site) and file.is_file() for file in files)


def test_its_commands_start(run: Callable[..., str]) -> None:
    assert "e5-small-reranker" in run("-m", "interlingua", "models")
    assert "Usage: " in run("-m", "interlingua", "export", "e5-small-reranker", "--help")


@pytest.mark.parametrize("module", ["interlingua_exporter.lint.rule_table", "interlingua_cli.options.option_tables"])
def test_what_needs_a_checkout_says_so(run: Callable[..., str], tmp_path: Path, module: str) -> None:
    said = run("-m", module, status=1)
    assert said.startswith("error: ")
    assert "is made in a checkout of the project" in said
    assert not (tmp_path / "data").exists()


def test_every_package_is_built_and_checked() -> None:
    """The lists of pyproject.toml name the same packages."""
    tool = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    packages = {path.parent.name for path in PROJECT_ROOT.glob("*/interlingua*/__init__.py")}
    assert {Path(path).name for path in tool["hatch"]["build"]["targets"]["wheel"]["packages"]} == packages
    assert set(tool["importlinter"]["root_packages"]) == set(tool["mypy"]["packages"]) == packages
    assert set(tool["hatch"]["build"]["dev-mode-dirs"]) == set(tool["mypy"]["mypy_path"]) - {"stubs"}
