"""Rules that records keep, read off the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from interlingua.base.paths import PROJECT_ROOT

_MANY = 6


def _by_place(path: Path) -> Iterator[str]:
    """The dataclasses of a file that have many fields and take them by their place."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            made = [ast.unparse(decorator) for decorator in node.decorator_list]
            by_place = any(text.startswith("dataclass") and "kw_only=True" not in text for text in made)
            if by_place and len(list(takewhile(_is_no_mark, filter(_is_field, node.body)))) >= _MANY:
                yield f"{path.relative_to(PROJECT_ROOT)}: {node.name}"


def _is_field(entry: ast.stmt) -> bool:
    return isinstance(entry, ast.AnnAssign) and "ClassVar" not in ast.unparse(entry.annotation)


def _is_no_mark(entry: ast.stmt) -> bool:
    return not (isinstance(entry, ast.AnnAssign) and ast.unparse(entry.annotation) == "KW_ONLY")


def test_records_of_many_fields_are_made_by_name() -> None:
    """Two neighbouring numbers cannot change places unseen."""
    assert [found for path in PROJECT_ROOT.glob("*/interlingua*/**/*.py") for found in _by_place(path)] == []
