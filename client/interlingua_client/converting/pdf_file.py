"""PDF to text, page by page, by pypdf."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from interlingua.base.counted import counted
from interlingua.base.extras import load
from interlingua_client.converting.converted import Converted, UnreadableFileError

_BROKEN_WORD = re.compile(r"(?<=[a-zß-öø-ÿ])-\n(?=[a-zß-öø-ÿ])")
_NO_TITLE = re.compile(
    r"(microsoft (word|powerpoint|excel) - )?(untitled|unbenannt|document\d*|.*\.\w{2,4})", re.IGNORECASE
)


def pdf_file(path: Path) -> Converted:
    """The pages' text; words that are divided at the end of a line are put together.

    Raises:
        UnreadableFileError: it is damaged, encrypted, or of pictures alone.
    """
    pypdf = load("convert", "pypdf", "reading PDF")
    try:
        reader = pypdf.PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableFileError("it is encrypted, and opens with a password alone: save it without one")
        pages = [page.extract_text() for page in reader.pages]
        title, date, language = _said(reader)
    except UnreadableFileError:
        raise
    except pypdf.errors.DependencyError as error:
        raise UnreadableFileError(f"it is encrypted ({error}): save it without encryption") from error
    except Exception as error:  # pypdf meets what is damaged with errors of any kind
        raise UnreadableFileError(f"it is damaged: {type(error).__name__}: {error}") from error
    text = _BROKEN_WORD.sub("", "\n\n".join(pages))
    if not text.strip():
        raise UnreadableFileError(
            f"it has no text in {counted(len(pages), 'page')}, as a scan has none: recognise it first (ocrmypdf, say)"
        )
    empty = sum(not page.strip() for page in pages)
    metadata = {"date": date, "pages": len(pages), "pages_without_text": empty or None}
    return Converted(title or path.stem, text, language, metadata)


def _said(reader: Any) -> tuple[str, str, str]:
    """The title, the date of the last change and the language that it says, "" each where it does not."""
    info = reader.metadata
    title = " ".join(f"{info.title}".split()) if info is not None and info.title else ""
    try:
        changed = (info.modification_date or info.creation_date) if info is not None else None
    except ValueError:
        changed = None
    language = reader.trailer["/Root"].get("/Lang", "")
    said = f"{language}" if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]+)*", f"{language}") else ""
    return "" if _NO_TITLE.fullmatch(title) else title, changed.isoformat() if changed else "", said
