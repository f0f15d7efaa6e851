"""What `publish`, `promote`, `rollback` and `prune` are all asked: which models, which servers, which indexes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlingua.base.extras import require
from interlingua.base.paths import DEFAULT_MODEL_REPOSITORY

if TYPE_CHECKING:
    from interlingua_releases.deployment import Deployment

_DEFAULT_INDEX = Path("var/index")

Command = Callable[..., Any]


def deployment_options(command: Command) -> Command:
    """The options that `deployment_of` reads."""
    for option in reversed(
        (
            click.option("--role", type=click.Choice(["embedder", "reranker"]), default="embedder", show_default=True),
            click.option(
                "--model-repository",
                type=click.Path(path_type=Path, file_okay=False),
                default=DEFAULT_MODEL_REPOSITORY,
                help="What `interlingua export` published.  [default: model_repository]",
            ),
            click.option(
                "--server",
                "servers",
                multiple=True,
                help="A server, host:port of gRPC; repeat.  [default: those that `interlingua serve` runs on it]",
            ),
            click.option("--admin-key", envvar="INTERLINGUA_ADMIN_KEY", help="Opens the model control of --server."),
        )
    ):
        command = option(command)
    return command


def index_options(command: Command) -> Command:
    """The options that `index_roots` reads."""
    command = click.option("--no-index", is_flag=True, help="There is no index here that changes with it.")(command)
    return click.option(
        "--index",
        "indexes",
        type=click.Path(path_type=Path, file_okay=False),
        multiple=True,
        default=(_DEFAULT_INDEX,),
        help="Index directory that changes with it; may be repeated.  [default: var/index]",
    )(command)


def deployment_of(role: str, model_repository: Path, servers: tuple[str, ...], admin_key: str | None) -> Deployment:
    """The repository and the servers on it."""
    require("export")
    from interlingua.repository.model_repository import ModelRepository
    from interlingua_releases.deployment import Deployment
    from interlingua_server.model_control import ModelControl, servers_of

    if servers and not admin_key:
        raise click.UsageError("--server needs --admin-key or INTERLINGUA_ADMIN_KEY: the key that the server has")
    named = tuple(ModelControl(address, admin_key or "") for address in servers)
    return Deployment(
        ModelRepository(model_repository),
        "reranker" if role == "reranker" else "embedder",
        named or servers_of(model_repository),
    )


def index_roots(role: str, indexes: tuple[Path, ...], *, no_index: bool) -> tuple[Path, ...]:
    """The index directories that change together with an embedder; a reranker has none."""
    return () if no_index or role == "reranker" else indexes


def say(step: str) -> None:
    """One line a step, apart from the result."""
    click.echo(f"{step} ...", err=True)
