"""Where commands print their tables.

a terminal --its own width--> Console;  a pipe or a file --a fixed width--> Console
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, RenderableType

PIPED_WIDTH = 120


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """A reader that went away (`| head`) is no result of ours: rich would exit with 1, which here means one."""
        raise BrokenPipeError


def console(piped_width: int = PIPED_WIDTH) -> Console:
    """For standard output, without rich's own colouring of numbers and paths.

    Args:
        piped_width: characters of a line where nobody says how wide a line is.
    """
    made = _Console(highlight=False)
    return made if made.is_terminal else _Console(highlight=False, width=piped_width)


def print_parts(parts: Iterable[RenderableType], piped_width: int = PIPED_WIDTH, *, markup: bool = True) -> None:
    """Tables and lines, one after the other; `markup` as rich means it, in brackets within a text."""
    out = console(piped_width)
    for part in parts:
        out.print(part, markup=markup)
