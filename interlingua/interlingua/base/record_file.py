"""A record as a JSON file: written whole or not at all, read again by `build`.

record --write_record--> {"format": ..., its fields} --read_record--> an equal record, or an InputError that says what
                                                                      makes the file anew
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from interlingua.base.errors import InputError
from interlingua.base.plain import build, plain
from interlingua.base.whole_file import whole

T = TypeVar("T")


def write_record(file: Path, record: object, *, made_format: int | None = None, decimals: int | None = None) -> None:
    """Write a record, in a folder that is made where it is missing.

    Args:
        made_format: of the file, as `read_record` asks for it.
        decimals: that floats keep; None for all their digits.

    Raises:
        InputError: the file cannot be written.
    """
    content = ({} if made_format is None else {"format": made_format}) | plain(record, decimals)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole(file) as partial:
            text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1)
            partial.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror or error}") from error


def read_record(kind: type[T], file: Path, *, what: str, remedy: str, made_format: int | None = None) -> T:
    """Read what `write_record` wrote.

    Args:
        what: the file should be, and
        remedy: what makes it anew, for messages.

    Raises:
        InputError: the file is missing, damaged or of another format.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{file} is not there or cannot be read ({error.strerror or error}): {remedy}") from error
    except ValueError as error:
        raise InputError(f"{file} is not a readable {what} ({error}): {remedy}") from error
    try:
        if made_format is not None and isinstance(content, dict):
            found = content.pop("format", None)
            if found != made_format:
                raise InputError(f"it has format {found}, not {made_format}")
        return build(kind, content)
    except InputError as error:
        raise InputError(f"{file} is not a {what} ({error}): {remedy}") from error
