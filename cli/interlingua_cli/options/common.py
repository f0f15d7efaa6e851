"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from interlingua.base.paths import DEFAULT_MODEL_REPOSITORY
from interlingua_cli.options.number_range import NumberRange

_Command = TypeVar("_Command", bound=Callable[..., Any])

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)

tls_option = click.option(
    "--tls-ca", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="PEM file of the authorities to trust; turns TLS on."
)  # fmt: skip
goodput_option = click.option(
    "--goodput", type=NumberRange(0, 1), default=0.99, show_default=True,
    help="Least share of requests with an answer."
)  # fmt: skip


def repository_option(what: str) -> Callable[[_Command], _Command]:
    """`--model-repository`; `what` says what the command does with it."""
    help_ = f"{what}  [default: model_repository]"
    return click.option("--model-repository", type=FOLDER, default=DEFAULT_MODEL_REPOSITORY, help=help_)


def requests_option(default: int) -> Callable[[_Command], _Command]:
    """`--requests` of a simulated run."""
    help_ = "Requests of a simulated run."
    return click.option("--requests", type=click.IntRange(100), default=default, show_default=True, help=help_)
