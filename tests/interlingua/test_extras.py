"""What is missing is named with a command that works: in a checkout, and where a wheel was installed."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest

from interlingua.base import extras
from interlingua.base.errors import InputError
from interlingua.base.paths import PROJECT_ROOT

BASE_ONLY = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in {missing!r} else found(name, package)
sys.meta_path.insert(0, Missing())
sys.argv[0] = "interlingua"
from interlingua_cli import main
main()
"""


class _Wheel:
    version = "1.2.3"

    def __init__(self, origin: str | None) -> None:
        self._origin = origin

    def read_text(self, _name: str) -> str | None:
        return self._origin


def test_the_packages_are_those_of_the_metadata_under_the_names_they_are_imported_by() -> None:
    assert {"Stemmer", "bm25s", "ir_measures", "scipy", "torch"} <= set(extras.packages_of("evaluate"))
    assert {"hdrh", "locust", "psutil", "pyarrow"} <= set(extras.packages_of("loadtest"))
    assert extras.packages_of("no-such-extra") == ()


def test_only_what_is_named_counts() -> None:
    extras.require("export", "json")
    with pytest.raises(InputError, match=r"^drawing needs no_such_package, nor_this: pip install "):
        extras.require("export", "no_such_package", "json", "nor_this", used_for="drawing")


def test_an_import_that_fails_is_told_with_the_smallest_extra_that_brings_it() -> None:
    told = extras.missing_package(ModuleNotFoundError("No module named 'onnx.helper'", name="onnx.helper"))
    assert told is not None
    assert "this needs onnx: pip install " in str(told)
    assert "[export]'" in str(told)
    assert extras.missing_package(ModuleNotFoundError("No module named 'nobodys'", name="nobodys")) is None


def test_a_checkout_is_installed_again_from_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(PROJECT_ROOT)
    assert extras.install_command("export") == "pip install -e '.[export]'"
    monkeypatch.chdir(tmp_path)
    assert extras.install_command("export") == f"pip install -e '{PROJECT_ROOT}[export]'"


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        ("file:///there/my%20wheel.whl", "pip install '/there/my wheel.whl[export]'"),
        (None, "pip install 'interlingua-1.2.3-py3-none-any.whl[export]'"),
    ],
    ids=["of a file", "of unknown origin"],
)
def test_a_wheel_is_installed_again_from_its_file(
    origin: str | None, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(extras, "PROJECT_ROOT", tmp_path)
    written = None if origin is None else json.dumps({"url": origin, "archive_info": {}})
    monkeypatch.setattr(importlib.metadata, "distribution", lambda _: _Wheel(written))
    assert extras.install_command("export") == command


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "verify"],
        ["demo"],
        ["promote"],
        ["calibrate"],
        ["evaluate", "helpdesk12"],
        ["adapt", "merge", "a", "b", "--name", "c"],
        ["compare", "docs", "docs"],
    ],
    ids=" ".join,
)
def test_a_base_install_ends_in_one_line(arguments: list[str]) -> None:
    names = {name for extra in ("adapt", "loadtest") for name in extras.packages_of(extra)}
    code = BASE_ONLY.format(missing=names)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, cwd=PROJECT_ROOT
    )
    assert done.returncode == InputError.exit_code
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: this needs ")
    assert "pip install -e '.[" in line
