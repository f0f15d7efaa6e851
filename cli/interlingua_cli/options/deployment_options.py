"""What `publish`, `promote`, `rollback` and `prune` are all asked: which models, which servers, which indexes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlingua.base.extras import require
from interlingua_cli.options.common import FOLDER, repository_option
from interlingua_cli.options.placed_options import DEFAULT_INDEX, PlacedOption

if TYPE_CHECKING:
    from interlingua.served.kinds import Role
    from interlingua_releases.deployment import Deployment

_OPTIONS = (
    click.option(
        "--role",
        type=click.Choice(["embedder", "reranker"]),
        default="embedder",
        show_default=True,
        help="What the versions are of.",
    ),
    repository_option("What `interlingua export` published."),
    click.option(
        "--server",
        "servers",
        multiple=True,
        help="A server, host:port of gRPC; repeat.  [default: those that `interlingua serve` runs on it]",
    ),
    click.option("--admin-key", envvar="INTERLINGUA_ADMIN_KEY", help="Opens the model control of --server."),
)
_INDEX_OPTIONS = (
    click.option(
        "--index",
        "indexes",
        cls=PlacedOption,
        envvar="INTERLINGUA_INDEX",
        type=FOLDER,
        multiple=True,
        default=(DEFAULT_INDEX,),
        help="Index directory that changes with it; may be repeated.  [default: var/index]",
    ),
    click.option("--no-index", is_flag=True, help="There is no index here that changes with it."),
)
Command = Callable[..., Any]


def on_deployment(command: Command) -> Command:
    """Asks for a repository and the servers on it; the command gets them as its first argument."""

    @wraps(command)
    def run(*, role: Role, model_repository: Path, servers: tuple[str, ...], admin_key: str | None, **rest: Any) -> Any:
        return command(_deployment(role, model_repository, servers, admin_key), **rest)

    for option in reversed(_OPTIONS):
        run = option(run)
    return run


def with_indexes(command: Command) -> Command:
    """Asks for the index directories that change together with an embedder; a reranker has none. Gives them second."""

    @wraps(command)
    def run(deployment: Deployment, *, indexes: tuple[Path, ...], no_index: bool, **rest: Any) -> Any:
        return command(deployment, () if no_index or deployment.role == "reranker" else indexes, **rest)

    for option in reversed(_INDEX_OPTIONS):
        run = option(run)
    return run


def _deployment(role: Role, model_repository: Path, servers: tuple[str, ...], admin_key: str | None) -> Deployment:
    require("export")
    from interlingua.repository.model_repository import ModelRepository
    from interlingua_releases.deployment import Deployment
    from interlingua_server.model_control import ModelControl, servers_of

    if servers and not admin_key:
        raise click.UsageError("--server needs --admin-key or INTERLINGUA_ADMIN_KEY: the key that the server has")
    named = tuple(ModelControl(address, admin_key or "") for address in servers)
    return Deployment(ModelRepository(model_repository), role, named or servers_of(model_repository))


def say(step: str) -> None:
    """Tells one step in a line, apart from the result."""
    click.echo(f"{step} ...", err=True)
