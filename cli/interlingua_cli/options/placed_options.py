"""`--server` and `--index`: by flag, environment, config file or default, and said which where something is wrong.

flag, INTERLINGUA_SERVER, interlingua.toml --PlacedOption--> value
                                                \\-> ctx.meta --sources--> "--server is 127.0.0.1:1, by ..."
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from interlingua_cli.options.common import FOLDER
from interlingua_cli.options.config_file import ConfigFile
from interlingua_client.triton.server_address import DEFAULT_SERVER

DEFAULT_INDEX = Path("var/index")

_SOURCES = "interlingua: where values came from"
_CONFIG = "interlingua: --config"
_Command = TypeVar("_Command", bound=Callable[..., Any])


class PlacedOption(click.Option):
    """An option that the environment and the config file may set, too."""

    def consume_value(self, ctx: click.Context, opts: Any) -> tuple[Any, ParameterSource]:
        value, source = super().consume_value(ctx, opts)
        flag = self.opts[0]
        if source is ParameterSource.ENVIRONMENT:
            self._note(ctx, value, str(self.envvar))
        elif source is ParameterSource.DEFAULT and not ctx.resilient_parsing:
            file = ConfigFile.found(ctx.meta.get(_CONFIG))
            said = None if file is None else getattr(file, flag.removeprefix("--"))
            if file is not None and said is not None:
                self._note(ctx, said, str(file.path))
                return ((said,) if self.multiple else said), ParameterSource.DEFAULT_MAP
        return value, source

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        try:
            return super().type_cast_value(ctx, value)
        except click.BadParameter as error:
            said = ctx.meta.get(_SOURCES, {}).get(self.opts[0])
            if said and str(self.envvar) not in said:  # click names the variable
                raise click.BadParameter(f"{error.message} ({said})", ctx, self) from None
            raise

    def _note(self, ctx: click.Context, value: Any, where: str) -> None:
        flag = self.opts[0]
        ctx.meta.setdefault(_SOURCES, {})[flag] = f"{flag} is {value}, as {where} says"


def sources(ctx: click.Context) -> list[str]:
    """What was taken from elsewhere than the command line, in sentences."""
    return list(ctx.meta.get(_SOURCES, {}).values())


def server_option(command: _Command) -> _Command:
    """`--server` of a command that asks one that runs."""
    return click.option(
        "--server",
        cls=PlacedOption,
        envvar="INTERLINGUA_SERVER",
        default=DEFAULT_SERVER,
        show_default=True,
        show_envvar=True,
        help="Where the server is: host:port, or grpcs://host:port for TLS.",
    )(command)


def index_option(help_: str) -> Callable[[_Command], _Command]:
    """`--index` of a command that works on one, as the parameter `directory`."""
    return click.option(
        "--index",
        "directory",
        cls=PlacedOption,
        envvar="INTERLINGUA_INDEX",
        type=FOLDER,
        default=DEFAULT_INDEX,
        show_default=True,
        show_envvar=True,
        help=help_,
    )


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    expose_value=False,
    is_eager=True,
    callback=lambda ctx, _, value: ctx.meta.__setitem__(_CONFIG, value),
    help="File that says where server and index are.  [default: interlingua.toml, where there is one]",
)
