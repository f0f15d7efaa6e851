"""Word's DOCX to a title and text with Markdown's headings: mammoth makes HTML of it, which is read as such."""

from __future__ import annotations

import zipfile
from pathlib import Path

from interlingua.base.extras import load
from interlingua_client.converting.converted import Converted, UnreadableFileError
from interlingua_client.converting.html_page import titled_text

_USED_FOR = "reading DOCX"
_COMPOUND_FILE = bytes.fromhex("d0cf11e0a1b11ae1")  # Word's older format, and what encrypted documents are wrapped in
_CORE = "docProps/core.xml"
_MANY_TIMES = 200  # more than text is ever compressed
_NAMES = {"title": "{*}title", "language": "{*}language", "date": "{*}modified"}


def docx_file(path: Path) -> Converted:
    """A document of Word's: its title is that of its properties, else its first heading of the first level.

    Raises:
        UnreadableFileError: it is damaged, encrypted, or in Word's older format.
    """
    mammoth = load("convert", "mammoth", _USED_FOR)
    load("convert", "lxml", _USED_FOR)
    try:
        with path.open("rb") as file:
            if file.read(len(_COMPOUND_FILE)) == _COMPOUND_FILE:
                raise UnreadableFileError("encrypted, or in Word's older format: save it as DOCX without a password")
        _require_sizes(path)
        with path.open("rb") as file:
            made = mammoth.convert_to_html(
                file,
                convert_image=mammoth.images.img_element(lambda _: {}),
                style_map="p[style-name='Title'] => h1:fresh",
            )
        said = _properties(path)
    except UnreadableFileError:
        raise
    except Exception as error:  # mammoth meets what is damaged with errors of any kind
        raise UnreadableFileError(f"it is damaged: {type(error).__name__}: {error}") from error
    heading, text = titled_text(made.value)
    title = said["title"]
    if heading and title and heading != title:
        text = f"# {heading}\n\n{text}"
    return Converted(title or heading or path.stem, text, said["language"], {"date": said["date"]})


def _require_sizes(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > _MANY_TIMES * path.stat().st_size:
        raise UnreadableFileError(f"it unpacks to {size / 1e6:,.0f} MB, more than a document does")


def _properties(path: Path) -> dict[str, str]:
    """What docProps/core.xml says (ECMA-376, part 2, section 11), "" where it does not."""
    etree = load("convert", "lxml.etree", _USED_FOR)
    with zipfile.ZipFile(path) as archive:
        if _CORE not in archive.namelist():
            return dict.fromkeys(_NAMES, "")
        root = etree.fromstring(archive.read(_CORE), etree.XMLParser(resolve_entities=False, no_network=True))
    return {name: (root.findtext(tag) or "").strip() for name, tag in _NAMES.items()}
