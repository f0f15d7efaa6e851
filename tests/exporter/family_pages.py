"""A page of docs/models taken apart: its commands, its catalogue entries, its tables.

docs/models/e5.md --read_page--> Page: `interlingua ...` lines as arguments, [[model]] blocks, rows by heading
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "models"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`interlingua\s([^`]+)`")
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
_PROGRAM = "interlingua "


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a page says.

    Attributes:
        commands: of every line that a user types, the arguments after `interlingua`.
        mentioned: the same of commands inside a sentence.
        entries: the TOML of catalogue entries of one's own, all blocks of the page together.
        links: to other files, as written.
    """

    path: Path
    text: str
    commands: tuple[tuple[str, ...], ...]
    mentioned: tuple[tuple[str, ...], ...]
    entries: str
    links: tuple[str, ...]

    def verb(self, name: str) -> list[tuple[str, ...]]:
        return [arguments for arguments in self.commands if arguments[0] == name]

    def table(self, heading: str) -> list[dict[str, str]]:
        """The rows of the table whose first column has that heading, cells without backticks."""
        lines = self.text.splitlines()
        start = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |"))
        names = _cells(lines[start])
        rows = []
        for line in lines[start + 2 :]:
            if not line.startswith("|"):
                break
            rows.append(dict(zip(names, _cells(line), strict=True)))
        return rows


def read_page(path: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    blocks = _FENCE.findall(text)
    prose = _FENCE.sub("", text)
    return Page(
        path=path,
        text=text,
        commands=tuple(arguments for kind, block in blocks if kind == "" for arguments in _commands(block)),
        mentioned=tuple(tuple(shlex.split(found)) for found in _INLINE.findall(prose)),
        entries="\n".join(block for kind, block in blocks if kind == "toml"),
        links=tuple(_LINK.findall(prose)),
    )


def option(arguments: tuple[str, ...], name: str, default: str = "") -> str:
    """The value after an option."""
    return arguments[arguments.index(name) + 1] if name in arguments else default


def _commands(block: str) -> list[tuple[str, ...]]:
    lines = block.replace("\\\n", " ").splitlines()
    return [_arguments(line) for line in lines if line.startswith(_PROGRAM)]


def _arguments(line: str) -> tuple[str, ...]:
    """As bash reads the line: comments and a final & apart, and $'...' with its \\n."""
    ansi = re.sub(r"\$'([^']*)'", lambda found: "'" + found[1].replace(r"\n", "\n") + "'", line)
    words = shlex.split(ansi, comments=True)[1:]
    return tuple(words[:-1] if words[-1] == "&" else words)


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("`", "") for cell in line.strip().strip("|").split("|")]
