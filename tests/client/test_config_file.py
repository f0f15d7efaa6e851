"""Where the server and the index are: flag over environment over file over default, and errors say which it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from interlingua.base.errors import InputError
from interlingua_cli import cli
from interlingua_cli.options.placed_options import index_option, server_option, sources


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of its own, and an environment that says nothing."""
    for name in ("INTERLINGUA_SERVER", "INTERLINGUA_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def taken(*arguments: str) -> tuple[str, Path, list[str]]:
    """The server and the index that a command gets, and what is said of them."""
    got: list[Any] = []

    @click.command()
    @index_option("The index that is looked at.")
    @server_option
    @click.pass_context
    def command(ctx: click.Context, server: str, directory: Path) -> None:
        got.extend((server, directory, sources(ctx)))

    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return got[0], got[1], got[2]


def test_a_flag_goes_before_the_environment_before_the_file_before_the_default(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert taken() == ("127.0.0.1:8001", Path("var/index"), [])
    (place / "interlingua.toml").write_text('server = "file:1"\nindex = "mine"\n')
    server, index, said = taken()
    assert (server, index) == ("file:1", Path("mine"))
    assert sorted(said) == ["--index is mine, as interlingua.toml says", "--server is file:1, as interlingua.toml says"]
    monkeypatch.setenv("INTERLINGUA_SERVER", "environment:1")
    server, index, said = taken()
    assert (server, index) == ("environment:1", Path("mine"))
    assert "--server is environment:1, as INTERLINGUA_SERVER says" in said
    assert taken("--server", "flag:1", "--index", "x") == ("flag:1", Path("x"), [])


def test_a_file_that_is_named_is_read_and_its_index_lies_beside_it(place: Path) -> None:
    (place / "there").mkdir()
    (place / "there" / "my.toml").write_text('index = "mine"\n')
    done = CliRunner().invoke(cli, ["--config", "there/my.toml", "search", "x"])
    assert isinstance(done.exception, InputError)
    assert "there is no index in there/mine" in str(done.exception)
    assert done.exception.__notes__ == ["--index is there/mine, as there/my.toml says"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('sever = "x:1"', r"interlingua.toml: `sever` is no key of it \(it may have index and server\)"),
        ("server = 8001\nindex = ''", "`index` is '', it must be a text; `server` is 8001, it must be a text"),
        ("server = ", "interlingua.toml is no TOML: "),
        (b"index = '\xff'", "interlingua.toml is no TOML: "),
    ],
    ids=["unknown key", "other kinds", "no TOML", "no UTF-8"],
)
def test_a_wrong_file_is_refused_with_all_its_faults(place: Path, text: str | bytes, message: str) -> None:
    (place / "interlingua.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=message):
        taken()


def test_what_is_said_wrong_in_the_file_is_said_with_the_file(place: Path) -> None:
    (place / "interlingua.toml").write_text('index = "interlingua.toml"\n')
    done = CliRunner().invoke(cli, ["search", "x"])
    assert done.exit_code == 2
    assert "is a file. (--index is interlingua.toml, as interlingua.toml says)" in done.output


def test_help_does_not_read_the_file(place: Path) -> None:
    (place / "interlingua.toml").write_text("sever = 1\n")
    assert CliRunner().invoke(cli, ["search", "--help"]).exit_code == 0
    assert CliRunner().invoke(cli, ["models", "--help"]).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["serch"], "There is no verb 'serch'. Did you mean `interlingua search`"),
        (["Index"], "Did you mean `interlingua index`"),
        (["adapt", "minn"], "There is no verb 'minn'. Did you mean `interlingua adapt mine`"),
        (["search", "x", "--langage", "de"], "--language"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(arguments: list[str], meant: str) -> None:
    done = CliRunner().invoke(cli, arguments, prog_name="interlingua")
    assert done.exit_code == 2
    assert meant in done.output


def test_what_is_like_no_verb_is_not_guessed_at() -> None:
    done = CliRunner().invoke(cli, ["xyzzy"], prog_name="interlingua")
    assert "There is no verb 'xyzzy'." in done.output
    assert "Did you mean" not in done.output
