"""The docs' tables of options, from the records: `python -m interlingua_cli.options.option_tables` writes them anew.

docs/PAGE.md with <!-- options: NAME --> ... <!-- end of options --> --> the same with what the record says in between
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from interlingua.base.errors import InputError
from interlingua.base.options import Option, options
from interlingua.base.paths import PROJECT_ROOT, checkout
from interlingua.base.whole_file import whole
from interlingua_cli.options.click_options import flag
from interlingua_cli.options.loadtest_options import RUN_FLAGS
from interlingua_cli.plan import TRAFFIC_FLAGS
from interlingua_cli.search import SEARCH_FLAGS
from interlingua_client.search.search_options import SearchOptions
from interlingua_loadtest.capacity.plan.traffic_file import KEYS, SHARES
from interlingua_loadtest.traffic.run_settings import RunSettings, SearchPlan

DOCS = PROJECT_ROOT / "docs"
_BEGIN, _END = "<!-- options: ", "<!-- end of options -->"
_TABLE = re.compile(rf"{_BEGIN}(\w+) -->\n.*?{_END}", re.DOTALL)


def _search() -> Iterator[str]:
    yield from _head("option", "in Python, in the log", "meaning", "without it")
    for entry in options(SearchOptions):
        yield _row(_typed(entry, SEARCH_FLAGS), f"`{entry.name}`", entry.help, entry.shown_default)


def _loadtest() -> Iterator[str]:
    yield from _head("option", "Locust's", "meaning", "without it")
    for entry in (*options(RunSettings), *options(SearchPlan)):
        theirs = "" if entry in options(SearchPlan) else f"`--{entry.name.replace('_', '-')}`"
        yield _row(_typed(entry, RUN_FLAGS), theirs, entry.help, entry.shown_default)


def _traffic() -> Iterator[str]:
    yield from _head("key", "option", "meaning", "without it")
    for section, keys in KEYS.items():
        for key, entry in keys.items():
            typed = TRAFFIC_FLAGS[section].get(key) or flag(entry)
            yield _row(f"`[{section}] {key}`", f"`{typed}`", entry.help, entry.shown_default)
    for section, entry in SHARES.items():
        yield _row(f"`[{section}]`", _typed(entry, TRAFFIC_FLAGS["traffic"]), entry.help, entry.shown_default)


TABLES: Mapping[str, Callable[[], Iterator[str]]] = {"search": _search, "loadtest": _loadtest, "traffic": _traffic}


def page(text: str) -> str:
    """A page with its tables made anew."""

    def table(found: re.Match[str]) -> str:
        rows = "\n".join(TABLES[found[1]]())
        return f"{_BEGIN}{found[1]} -->\n\n{rows}\n\n{_END}"

    return _TABLE.sub(table, text)


def pages() -> list[Path]:
    """The pages that have tables."""
    return [path for path in sorted(DOCS.glob("*.md")) if _BEGIN in path.read_text(encoding="utf-8")]


def _head(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield "|" + "---|" * len(titles)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _typed(entry: Option, rename: Mapping[str, str]) -> str:
    name = flag(entry, rename)
    if entry.kind is bool:
        return f"`{name}`, `{name.replace('--', '--no-', 1)}`"
    return f"`{name} {entry.metavar}`" if entry.metavar else f"`{name}`"


if __name__ == "__main__":
    try:
        checkout("a table of docs/")
    except InputError as error:
        sys.exit(f"error: {error}")
    for path in pages():
        made = page(path.read_text(encoding="utf-8"))
        with whole(path) as partial:
            partial.write_text(made, encoding="utf-8")
