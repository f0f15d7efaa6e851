"""What `interlingua serve` refuses before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from interlingua_cli.serve import command


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--grpc-port", "99999"], "99999 is not in the range 1<=x<=65535"),
        (["--http-port", "0"], "0 is not in the range"),
        (["--metrics-port", "-8002"], "-8002 is not in the range"),
        (["--grpc-port", "8000"], "must be three different ports"),
        (["--http-port", "9000", "--metrics-port", "9000"], "must be three different ports"),
        (["--start-timeout", "-1"], "-1.0 is not in the range"),
        (["--start-timeout", "0"], "0.0 is not in the range"),
        (["--start-timeout", "nan"], "not a finite number"),
        (["--stop-timeout", "-0.5"], "-0.5 is not in the range"),
        (["--stop-timeout", "1e300"], "1e+300 is not in the range"),
        (["--log-verbose", "-1"], "-1 is not in the range"),
    ],
)
def test_a_number_that_cannot_be(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(command, ["--model-repository", str(tmp_path), *arguments])
    assert done.exit_code == 2
    assert said in done.output
    assert "starting" not in done.output
