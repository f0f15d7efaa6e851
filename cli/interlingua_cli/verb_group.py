"""Verbs as modules: a group imports one when it is asked for, and a verb may have verbs of its own.

`interlingua export verify` --LazyGroup--> interlingua_cli.export --VerbWithVerbs--> interlingua_cli.exporting.verify
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import click

from interlingua.base.errors import InterlinguaError
from interlingua_cli.options.placed_options import sources

Sections = Mapping[str, Mapping[str, str]]


def _imported(module: str) -> click.Command:
    command: click.Command = importlib.import_module(module).command
    return command


class LazyGroup(click.Group):
    """A group whose verbs stand in sections, each with what it does.

    Args:
        sections: heading -> verb -> what it does.
        prefix: of the verbs' modules.
    """

    def __init__(self, *arguments: Any, sections: Sections, prefix: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._sections = sections
        self._prefix = prefix

    def list_commands(self, _: click.Context) -> list[str]:
        return [verb for verbs in self._sections.values() for verb in verbs]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _imported(self._prefix + cmd_name) if cmd_name in self.list_commands(ctx) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        verb = args[0]
        if verb not in self.list_commands(ctx) and not verb.startswith("-") and not ctx.resilient_parsing:
            near = get_close_matches(verb.lower(), self.list_commands(ctx))
            meant = f" Did you mean {' or '.join(f'`{ctx.command_path} {name}`' for name in near)}?" if near else ""
            ctx.fail(f"There is no verb {verb!r}.{meant}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except InterlinguaError as error:
            if ctx.parent is None:
                for said in sources(ctx):
                    error.add_note(said)
            raise

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, verbs in self._sections.items():
            with formatter.section(heading):
                formatter.write_dl(list(verbs.items()))


class VerbWithVerbs(click.Command):
    """A verb that does its usual work, unless its first argument is one of its own verbs.

    What was a flag before (`--verify`) goes on working, with a word about the verb that it is now.

    Args:
        verbs: verb -> what it does.
        prefix: of their modules.
    """

    def __init__(self, *arguments: Any, verbs: Mapping[str, str], prefix: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._verbs = verbs
        self._prefix = prefix

    def verb(self, name: str) -> click.Command:
        """One of the verbs, imported now."""
        return _imported(self._prefix + name)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        verb, *rest = self._without_flags(args) or [""]
        if verb in self._verbs:
            return self.verb(verb).make_context(f"{info_name} {verb}", rest, parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs of its own"):
            formatter.write_dl([(f"{self.name} {verb}", does) for verb, does in self._verbs.items()])
        super().format_options(ctx, formatter)

    def _without_flags(self, arguments: list[str]) -> list[str]:
        for place, argument in enumerate(() if arguments[:1] and arguments[0] in self._verbs else arguments):
            flag, _, value = argument.partition("=")
            verb = flag.removeprefix("--")
            if flag.startswith("--") and verb in self._verbs:
                click.echo(f"note: {flag} is `interlingua {self.name} {verb}` now", err=True)
                return [verb, *arguments[:place], *([value] if value else []), *arguments[place + 1 :]]
        return arguments
