"""Markdown to a title and text; front matter becomes the title, the language and metadata (YAML).

--- title: ..., lang: de, tags: [...] ---  # Heading  text  --> Converted
"""

from __future__ import annotations

import re

from interlingua.base.extras import load
from interlingua.base.json_row import LANGUAGE_NAMES
from interlingua_client.converting.converted import Converted, UnreadableFileError, plain_value

_HEADING = re.compile(r"#[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*")
_RULE = "---"
_LANGUAGES = (*LANGUAGE_NAMES, "locale")


def markdown_file(text: str, *, is_plain: bool = False) -> Converted:
    """A file of Markdown or plain text: its title is the front matter's, else its first heading of the first level.

    Headings that are underlined become such with #, which is what passages are cut at.

    Args:
        is_plain: it is no Markdown, and has no front matter.

    Raises:
        UnreadableFileError: the front matter is none.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    said, text = ({}, text) if is_plain else _front_matter(text)
    lines = _with_marks(text.split("\n"))
    title = said.pop("title", None) or ""
    titles = [row for row, heading in enumerate(lines) if heading[1]]
    if titles and (not title or lines[titles[0]][0] == title):
        title = lines[titles[0]][0]
        del lines[titles[0]]
    said |= {name: "no" for name in _LANGUAGES if said.get(name) is False}  # Norwegian, which YAML takes for a refusal
    language = next((f"{said.pop(name)}" for name in _LANGUAGES if isinstance(said.get(name), str)), "")
    kept = [f"# {line}" if is_title else line for line, is_title in lines]
    return Converted(f"{title}", "\n".join(kept), language, said)


def _front_matter(text: str) -> tuple[dict[str, object], str]:
    """What stands between a first line of three dashes and the next such line, where it is YAML's fields; the rest."""
    yaml = load("convert", "frontmatter", "reading Markdown").YAMLHandler()
    first, *lines = (line.rstrip() for line in text.split("\n"))
    if first != _RULE or _RULE not in lines:
        return {}, text
    end = lines.index(_RULE)
    try:
        found = yaml.load("\n".join(lines[:end])) or {}
        said = {str(name): plain_value(value) for name, value in found.items()} if isinstance(found, dict) else None
    except RecursionError:
        raise UnreadableFileError("its front matter cannot be read: it is nested too deeply, or holds itself") from None
    except Exception as error:  # of YAML's many kinds
        reason = " ".join(f"{error}".split())
        raise UnreadableFileError(f"its front matter cannot be read: {reason:.200}") from error
    return ({}, text) if said is None else (said, "\n".join(text.split("\n")[end + 2 :]))


def _with_marks(lines: list[str]) -> list[tuple[str, bool]]:
    """Lines, and whether each is a heading of the first level (then without its mark); code is left as it is."""
    made: list[tuple[str, bool]] = []
    fence = ""
    for line in lines:
        opens = _FENCE.match(line)
        if opens and opens[1].startswith(fence):
            fence = "" if fence else opens[1]
        heading = None if fence or opens else _HEADING.fullmatch(line)
        under = None if fence or opens or not made else _SETEXT.fullmatch(line)
        if heading:
            made.append((heading[1], True))
        elif under and _is_paragraph(made):
            first = under[1][0] == "="
            made[-1] = (made[-1][0].strip(), True) if first else (f"## {made[-1][0].strip()}", False)
        else:
            made.append((line, False))
    return made


def _is_paragraph(made: list[tuple[str, bool]]) -> bool:
    """Whether the last line is a paragraph of one line, which a line of = or - makes a heading."""
    line, is_title = made[-1]
    if is_title or not line.strip() or line.lstrip()[0] in "#>-*+|`~" or line.startswith("    "):
        return False
    return len(made) < 2 or not made[-2][0].strip() or made[-2][1] or made[-2][0].startswith("#")
