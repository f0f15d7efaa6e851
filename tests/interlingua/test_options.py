"""Records of options: what is wrong with values, and that the docs say what the fields say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click
import pytest
from click.testing import CliRunner

from interlingua.base.options import faults, option, options
from interlingua_cli.options.click_options import chosen, click_options
from interlingua_cli.options.number_range import NumberRange
from interlingua_cli.options.option_tables import TABLES, page, pages


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Of every kind."""

    count: int = option(3, "How many.", low=1)
    share: float = option(0.0, "Part of them.", above=0, below=1)
    speed: float | None = option(None, "How fast.", low=0, high=9, unset="as it comes")
    order: Literal["up", "down"] = option("up", "Which way.")
    names: Sequence[str] = option((), "Whose.")
    mix: Mapping[str, float] = option({}, "Of what.", metavar="NAME=SHARE")
    hours_s: float | None = option(None, "Until when.", milliseconds=True)
    is_kept: bool = option(True, "Whether it stays.")
    source: str = "elsewhere"


def test_all_that_is_wrong_is_said_at_once_under_the_name_that_is_known() -> None:
    wrong = Choice(count=2.5, share=1.0, speed=math.nan, order="left", names="de", is_kept=1)  # type: ignore[arg-type]
    assert faults(wrong, lambda name: f"--{name}") == [
        "--count is 2.5, it must be a whole number from 1 on",
        "--share is 1.0, it must be a number above 0 and below 1",
        "--speed is nan, it must be a number from 0 to 9",
        "--order is 'left', it must be one of up, down",
        "--names is 'de', it must be a list, each a text",
        "--is_kept is 1, it must be true or false",
    ]
    assert faults(Choice()) == []  # a default is right, even out of the bounds of what may be given
    assert faults(Choice(count=4, share=0.5, speed=9, order="down", names=["de"], is_kept=False)) == []


@pytest.mark.parametrize(
    ("arguments", "made"),
    [
        ([], Choice()),
        (
            ["--count", "2", "--order", "down", "--names", "a", "--names", "b"],
            Choice(count=2, order="down", names=("a", "b")),
        ),
        (["--no-is-kept", "--mix", "de=3", "--mix", "sw=1"], Choice(is_kept=False, mix={"de": 3, "sw": 1})),
    ],
)
def test_a_command_makes_the_record(arguments: list[str], made: Choice) -> None:
    found: list[Choice] = []

    @click.command()
    @click_options(Choice)
    def command(**given: Any) -> None:
        found.append(chosen(Choice, given))

    done = CliRunner().invoke(command, arguments)
    assert (done.output, found) == ("", [made])
    assert "--share" in CliRunner().invoke(command, ["--share", "1"]).output
    text = CliRunner().invoke(command, ["--help"]).output
    assert "How fast.  [default: as it comes]" in " ".join(text.split("\n")).replace("   ", "")
    assert all(entry.help.rstrip(".") in text for entry in options(Choice))


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_the_docs_tables_are_up_to_date(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert page(text) == text, "make them anew: python -m interlingua_cli.options.option_tables"


def test_every_table_stands_on_a_page() -> None:
    there = "".join(path.read_text(encoding="utf-8") for path in pages())
    assert all(f"<!-- options: {name} -->" in there for name in TABLES)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "x"])
def test_a_range_takes_finite_numbers_alone(text: str) -> None:
    command = click.Command("c", params=[click.Option(["--share"], type=NumberRange(0))], callback=lambda share: share)
    answer = CliRunner().invoke(command, ["--share", text])
    assert (answer.exit_code, "Invalid value for '--share'" in answer.output) == (2, True)
    assert CliRunner().invoke(command, ["--share", "0.5"], standalone_mode=False).return_value == 0.5


def test_no_command_has_a_range_that_nan_passes() -> None:
    sources = Path(__file__).parents[2].joinpath("cli").rglob("*.py")
    assert {
        file.name for file in sources if "FloatRange(" in file.read_text().replace("(click.FloatRange)", "")
    } == set()
