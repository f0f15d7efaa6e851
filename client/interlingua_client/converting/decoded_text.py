"""Bytes of a text file to text: by its byte order mark, by what the user says, else UTF-8."""

from __future__ import annotations

import codecs

from interlingua_client.converting.converted import UnreadableFileError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(head: bytes, said: str | None) -> str:
    """The codec for a file that begins with `head`."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), said or "utf-8")


def decoded(content: bytes, said: str | None) -> str:
    """The text. Raises UnreadableFileError: it is in another encoding."""
    encoding = encoding_of(content[:4], said)
    try:
        return content.decode(encoding)
    except UnicodeError as error:
        place = f" at byte {error.start + 1}" if isinstance(error, UnicodeDecodeError) else ""
        raise UnreadableFileError(
            f"not {encoding}{place}: name its encoding with --encoding, as in --encoding cp1252"
        ) from None
