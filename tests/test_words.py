"""Help texts and docstrings are sentences: with a verb or their subject, never a genitive without a noun."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from interlingua.base.paths import PROJECT_ROOT
from interlingua_cli import VERBS, cli
from interlingua_cli.adapt import STEPS
from interlingua_cli.export import VERBS as EXPORT_VERBS
from interlingua_cli.verb_group import VerbWithVerbs

RIDDLES = ("As", "Of", "That", "Those")  # beginnings that leave the noun to be guessed


def commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(cli)
    for verb in VERBS:
        command = cli.get_command(context, verb)
        assert command is not None
        yield verb, command
        if isinstance(command, VerbWithVerbs):
            yield from ((f"{verb} {name}", command.verb(name)) for name in EXPORT_VERBS)
        elif isinstance(command, click.Group):
            names = STEPS if verb == "adapt" else command.list_commands(context)
            yield from ((f"{verb} {name}", command.get_command(context, name)) for name in names)


def test_help_texts_are_sentences() -> None:
    wrong = []
    for name, command in commands():
        for option in command.params:
            text = inspect.cleandoc(getattr(option, "help", None) or "") if isinstance(option, click.Option) else ""
            sentence = re.sub(r"\s*\[default: .*\]$", "", text, flags=re.DOTALL)
            riddle = sentence.split(" ")[0] in (*RIDDLES, "For") or len(sentence.split()) < 3
            if text and (riddle or not text.endswith((".", "]", ")"))):
                wrong.append(f"{name} {option.opts[0]}: {text}")
    assert not wrong, "\n".join(wrong)


def test_docstrings_begin_with_a_verb_or_their_subject() -> None:
    wrong = []
    for file in PROJECT_ROOT.glob("[!t]*/interlingua*/**/*.py"):  # but for tests
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and (
                text := ast.get_docstring(node)
            ):
                first = text.split("\n")[0]
                if first.split()[0] in RIDDLES or first.rstrip(".").isalpha():
                    wrong.append(f"{Path(file).relative_to(PROJECT_ROOT)}:{node.lineno}: {first}")
    assert not wrong, "\n".join(wrong)
