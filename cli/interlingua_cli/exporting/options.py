"""What `export` and its verbs are all asked: which model, which of its settings are others, where it is published."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlingua_cli.options.common import repository_option

if TYPE_CHECKING:
    from interlingua_exporter.weights.checkpoint_folder import Overrides

Command = Callable[..., Any]

weights_option = click.option(
    "--weights",
    type=click.Choice(["real", "dummy"]),
    default="real",
    show_default=True,
    help="dummy makes random ones in a catalogue entry's true shape: for speed and memory, without the download.",
)
published_option = repository_option("The folder that Triton loads models from.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
limits_option = click.option("--ignore-limits", is_flag=True, help="Try although memory or disk seem too small.")

_OVERRIDES = (
    click.option(
        "--pooling", type=click.Choice(["mean", "cls", "last"]), help="Pool like this, not as the folder says."
    ),
    click.option(
        "--head",
        type=click.Choice(["classifier", "class-difference", "yes-no", "yes", "late-interaction"]),
        help="What makes the score of a reranker; late-interaction takes an embedder's head for token vectors.",
    ),
    click.option(
        "--score-token", "score_tokens", multiple=True, help="A token whose logit makes the score; the good one first."
    ),
    click.option("--dimension", type=click.IntRange(1), help="Cut vectors to this; one of the entry's `dimensions`."),
    click.option("--task", help="Take the prompts of this one of the entry's tasks."),
    click.option("--query-prompt", help="Put this before queries, not what the folder says."),
    click.option("--document-prompt", help="Put this before documents, not what the folder says."),
    click.option("--max-tokens", type=click.IntRange(8), help="Cut texts to fewer tokens than the model can read."),
    click.option("--trust-remote-code", is_flag=True, help="Run the model's own Python code, here and in the server."),
    click.option("--revision", help="Take this commit from the Hub; a model with code of its own needs one."),
)


def source_options(command: Command) -> Command:
    """MODEL, what is to be other than its files say (`overrides_of` reads that), and a catalogue of one's own."""
    catalogue = click.option(
        "--catalog",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="A file with entries of your own, as for `interlingua models`.",
    )
    for option in (catalogue, *reversed(_OVERRIDES), click.argument("model", required=False)):
        command = option(command)
    return command


def overrides_of(options: dict[str, Any]) -> Overrides:
    """What was asked of the model; takes it out of the options."""
    from interlingua_exporter.weights.checkpoint_folder import Overrides

    texts = ("query_prompt", "document_prompt", "max_tokens", "task", "trust_remote_code", "revision")
    names = ("pooling", "head", "score_tokens", "dimension", *texts)
    return Overrides(**{name: options.pop(name) for name in names})


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0))
