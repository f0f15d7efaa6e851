"""XML of others, read without entities, DTDs and the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from interlingua.base.errors import InputError


def root_of(file: Path, kind: str, **options: bool) -> Any:
    """The root element. Raises InputError: it is no such XML.

    Args:
        kind: what it should be, for the message.
        options: further ones of lxml's parser.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, **options)
    try:
        return etree.parse(file, parser).getroot()
    except etree.XMLSyntaxError as error:
        raise InputError(f"{file}: not readable as {kind}: {error}") from error


def flat_text(element: Any) -> str:
    """All its text on one line."""
    return " ".join("".join(element.itertext()).split())
