"""Options that the evaluation's commands share, so that each is named, read and explained alike."""

from __future__ import annotations

from pathlib import Path

import click

from interlingua.base.paths import DEFAULT_MODEL_REPOSITORY
from interlingua_evaluation.data_folders import CACHE

_FOLDER = click.Path(path_type=Path, file_okay=False)

model_repository = click.option(
    "--model-repository",
    type=_FOLDER,
    default=DEFAULT_MODEL_REPOSITORY,
    help="Where the models are published.  [default: model_repository]",
)
server = click.option("--server", help="host:port of a running server on it.  [default: one is started if needed]")
rerank_through = click.option(
    "--rerank-through",
    type=click.Choice(["auto", "server", "in-process"]),
    default="auto",
    show_default=True,
    help="server asks the service for every pair; in-process encodes every text once and checks a sample.",
)
reranker_checkpoint = click.option(
    "--reranker-checkpoint", metavar="FOLDER", help="The checkpoint of the published reranker, for in-process."
)
gnome = click.option(
    "--gnome",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of an unpacked gnome-user-docs.  [default: fetched by apt-get into the cache]",
)
ignore_identical_ids = click.option(
    "--ignore-identical-ids",
    is_flag=True,
    help="A query does not find the document that has its own id (ArguAna, Quora). MTEB's tasks say so themselves.",
)
cache = click.option(
    "--cache", type=_FOLDER, default=CACHE, help="Folder for what is computed once.  [default: var/evaluation]"
)
