"""`interlingua convert`: files as people have them to the JSON lines that `interlingua index` reads."""

from __future__ import annotations

import codecs
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from interlingua.base.counted import counted
from interlingua.base.errors import InputError
from interlingua_cli.options.number_range import NumberRange

if TYPE_CHECKING:
    from interlingua_client.converting.conversion import Conversion

_SHOWN = 10
_MEGABYTE = 1_000_000
_FIELDS = ("id", "title", "text", "language")


def _columns(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> Mapping[str, list[str]]:
    columns: dict[str, list[str]] = {}
    for said in value:
        field, name = said.partition("=")[::2]
        if field not in _FIELDS or not name:
            raise click.BadParameter(f"{said!r} is not as in text=ANSWER: a field ({', '.join(_FIELDS)}) and a column")
        columns.setdefault(field, []).append(name)
    return columns


def _language(_: click.Context, __: click.Parameter, value: str | None) -> str:
    from interlingua_client.language_tag import normalize_tag

    try:
        return normalize_tag(value) if value else ""
    except ValueError as error:
        raise click.BadParameter(f"{error}") from None


def _encoding(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    try:
        is_known = codecs.lookup(value or "utf-8")._is_text_encoding  # as bytes.decode asks; rot13 is none of text
    except (LookupError, ValueError):
        is_known = False
    if not is_known:
        raise click.BadParameter(f"{value!r} is no encoding that Python knows, such as cp1252 or shift_jis")
    return value


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default=Path("corpus.jsonl"),
    show_default=True,
    help="The file of JSON lines that is written, or - for standard output.",
)
@click.option(
    "--language",
    callback=_language,
    metavar="TAG",
    help="The language of documents that neither say theirs nor lie in a folder of one.  [default: detected]",
)
@click.option(
    "--encoding", callback=_encoding, help="The encoding of text files that do not declare theirs.  [default: utf-8]"
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    callback=_columns,
    metavar="FIELD=COLUMN",
    help="A column of CSV files that is the id, title, text or language; those of one field are joined.",
)
@click.option(
    "--max-mb",
    type=NumberRange(min=0, min_open=True),
    default=64.0,
    show_default=True,
    help="A file that is larger is bad; CSV files may have any size.",
)
@click.option("--skip-bad", is_flag=True, help="Leave bad files out and count them, rather than write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def command(
    source: Path,
    out: Path,
    language: str,
    encoding: str | None,
    columns: Mapping[str, list[str]],
    max_mb: float,
    skip_bad: bool,
    as_json: bool,
) -> None:
    """Turn Markdown, HTML, CSV, PDF and DOCX, and help desks' articles saved as JSON, into a corpus.

    SOURCE is a file, or a folder of them. Each line: id, language, title, text with Markdown's headings, and whatever
    else the file says.
    """
    from interlingua.display.progress import progress
    from interlingua_client.converting.conversion import Conversion, FileReading
    from interlingua_client.converting.source_files import find_files
    from interlingua_client.search.query_language import LanguageDetector

    if as_json and f"{out}" == "-":
        raise click.UsageError("--json and --out - cannot both have standard output")
    found = find_files(source)
    at_most = round(max_mb * _MEGABYTE)
    reading = FileReading(language=language, encoding=encoding, columns=columns, at_most_bytes=at_most)
    conversion = Conversion(found, reading, LanguageDetector().tag_of)
    with _written(out) as file, progress("converting", unit="files", total=len(found.files)) as bar:
        for fields in conversion.lines(bar.advance):
            file.write(json.dumps(fields, ensure_ascii=False) + "\n")
        if conversion.bad_files and not skip_bad:
            raise InputError(_explained(source, conversion))
        if not conversion.languages:
            raise InputError(f"{source} has no document: {_left_out(conversion)}")
    facts = _facts(conversion) | {"files": len(found.files), "out": f"{out}"}
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else _summary(conversion, out), err=not as_json)


@contextmanager
def _written(out: Path) -> Iterator[IO[str]]:
    from interlingua.base.whole_file import whole

    if f"{out}" == "-":
        with tempfile.TemporaryFile() as kept, io.TextIOWrapper(kept, encoding="utf-8") as file:
            yield file  # a run may be refused at its end
            file.flush()
            kept.seek(0)
            shutil.copyfileobj(kept, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        return
    try:
        with whole(out) as partial, partial.open("w", encoding="utf-8") as file:
            yield file
            file.flush()
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror or error}") from error


def _facts(conversion: Conversion) -> dict[str, object]:
    return {
        "documents": conversion.languages.total(),
        "languages": dict(conversion.languages.most_common()),
        "detected_languages": dict(conversion.detected),
        "bad_files": [bad._asdict() for bad in conversion.bad_files],
        "passed_over": dict(conversion.passed_over),
        "drafts": conversion.drafts,
        "repeated": conversion.repeated,
    }


def _summary(conversion: Conversion, out: Path) -> str:
    languages = ", ".join(f"{tag or 'unknown'} {count}" for tag, count in conversion.languages.most_common())
    lines = [f"{counted(conversion.languages.total(), 'document')} in {out}", f"languages: {languages}"]
    if conversion.detected:
        detected = ", ".join(f"{tag} {count}" for tag, count in conversion.detected.most_common())
        lines.append(f"documents whose language is not said, and was detected: {detected}")
    if left_out := _left_out(conversion):
        lines.append(left_out)
    if conversion.bad_files:
        lines += [f"{counted(len(conversion.bad_files), 'bad file')} left out:", *_shown(conversion)]
    return "\n".join(lines)


def _left_out(conversion: Conversion) -> str:
    said = [f"{suffix} {count}" for suffix, count in conversion.passed_over.most_common(_SHOWN)]
    parts = [f"files of other kinds passed over: {', '.join(said)}"] if said else []
    if conversion.drafts:
        parts.append(f"{counted(conversion.drafts, 'draft')} left out")
    if conversion.repeated:
        parts.append(f"{counted(conversion.repeated, 'document')} left out that came again")
    return "; ".join(parts)


def _explained(source: Path, conversion: Conversion) -> str:
    head = f"{source} has {counted(len(conversion.bad_files), 'bad file')} (--skip-bad leaves them out):"
    return "\n".join([head, *_shown(conversion)])


def _shown(conversion: Conversion) -> list[str]:
    lines = [f"  {bad.place}: {bad.reason}" for bad in conversion.bad_files[:_SHOWN]]
    more = len(conversion.bad_files) - len(lines)
    return [*lines, f"  ... and {more} more"] if more else lines
