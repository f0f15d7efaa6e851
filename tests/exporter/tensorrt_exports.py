"""What the tests of TensorRT's exports share: the command as a user runs it, and the linter on what it wrote."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from interlingua_cli.export import command
from interlingua_exporter.lint import LintSettings, Repository, lint

PLAN = ("--kind", "gpu", "--provider", "tensorrt-plan", "--buckets", "16,48")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def facts(result: Result) -> Any:
    assert result.exception is None, result.exception
    return json.loads(result.stdout)


def complaints(root: Path) -> list[str]:
    """Errors and warnings, and notes about TensorRT, but for the one that a plan is a plan."""
    found = lint(Repository.read(root, LintSettings(gpu=True)))
    return [
        f"{one.code} {one.what}"
        for one in found
        if one.code != "TRT008" and (one.severity != "note" or one.code[:3] in ("TRT", "PRF", "WRM", "PRC"))
    ]


def command_of(script: str) -> list[str]:
    """The arguments of trtexec in the script, as the shell would split them."""
    lines = script.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith('"$trtexec" \\'))
    taken = []
    for line in lines[start:]:
        taken.append(line.removesuffix("\\"))
        if not line.endswith("\\"):
            break
    return shlex.split(" ".join(taken))[1:]
