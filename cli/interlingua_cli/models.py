"""`interlingua models`: the models that are known by name, and one of them explained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlingua_cli.options.common import repository_option

if TYPE_CHECKING:
    from interlingua_exporter.models.catalog import Entry


_catalogue = click.option(
    "--catalog",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Entries of your own; they replace ours of the same id.  [default: $INTERLINGUA_CATALOG, or catalog.toml in "
    "the configuration folder]",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")


@click.group(invoke_without_command=True)
@click.option("--role", type=click.Choice(["embedder", "reranker"]))
@click.option("--licence", default="", help="Part of the licence's name: mit, apache, cc-by-nc.")
@click.option("--language", default="", help="A language, as de; models whose languages are only counted are left out.")
@click.option(
    "--max-memory", metavar="SIZE", help="Memory of one instance in the smallest format it may run in: 8GB, 500MB."
)
@click.option("--no-remote-code", is_flag=True, help="Only models that run without code of their own.")
@click.option(
    "--run-here", is_flag=True, help="Only those run here: with their own weights, or a tiny one of the class."
)
@_catalogue
@_json
@click.pass_context
def command(
    context: click.Context,
    role: Any,
    licence: str,
    language: str,
    max_memory: str | None,
    no_remote_code: bool,
    run_here: bool,
    catalog: Path | None,
    as_json: bool,
) -> None:
    """List the models that can be exported by name, or explain one: `interlingua models show MODEL`."""
    context.obj = catalog
    if context.invoked_subcommand is not None:
        return
    from interlingua.display.terminal import print_parts
    from interlingua_exporter.models.catalog import entries
    from interlingua_exporter.models.models_table import Filter, facts, parse_size, table, wanted

    size = None if max_memory is None else parse_size(max_memory)
    chosen = wanted(
        entries(catalog),
        Filter(
            role=role,
            licence=licence,
            language=language,
            max_memory=size,
            no_remote_code=no_remote_code,
            run_here=run_here,
        ),
    )
    if as_json:
        click.echo(json.dumps([facts(entry) for entry in chosen], ensure_ascii=False))
    elif chosen:
        print_parts([table(chosen)])
    else:
        click.echo("no model has all of that; `interlingua models` lists them all")


@command.command()
@click.argument("model")
@repository_option("The repository whose disk is looked at.")
@_catalogue
@_json
@click.pass_context
def show(context: click.Context, model: str, model_repository: Path, catalog: Path | None, as_json: bool) -> None:
    """Explain MODEL: what it is, its prompts and limits, what it needs on this machine, what to type."""
    from interlingua.display.terminal import print_parts
    from interlingua_exporter.models.model_page import page
    from interlingua_exporter.models.models_table import facts
    from interlingua_exporter.models.this_machine import Machine

    entry = _named(model, catalog or context.obj)
    if as_json:
        click.echo(json.dumps(facts(entry), ensure_ascii=False))
    else:
        print_parts(page(entry, Machine.here(), model_repository))


def _named(model: str, catalog: Path | None) -> Entry:
    from interlingua.base.errors import InputError
    from interlingua_exporter.models.catalog import entries, suggestion

    known = entries(catalog)
    found = next((entry for entry in known if model in entry.names), None)
    if found is None:
        raise InputError(f"{model!r} is not in the catalogue. {suggestion(model, known)}")
    return found
