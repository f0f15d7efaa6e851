"""Language tags in one spelling: `pt_BR`, `PT-br` and `pt-BR` are the same language (BCP 47, RFC 5646)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

UNDETERMINED = "und"

_SHAPE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def normalize_tag(raw: str) -> str:
    """The tag with RFC 5646's customary case: language lower, Script title, REGION upper.

    Raises:
        ValueError: not shaped like a language tag.
    """
    tag = raw.strip().replace("_", "-")
    if len(tag) > 35 or not _SHAPE.fullmatch(tag):
        raise ValueError(f"{raw!r} is not a language tag such as en, pt-BR or zh-Hant")
    language, *rest = tag.split("-")
    return "-".join([language.lower(), *_cased(rest)])


def base_language(tag: str) -> str:
    """`pt` of `pt-BR`."""
    return tag.split("-", 1)[0]


def closest(tag: str, known: Iterable[str]) -> str | None:
    """The known tag that stands for `tag`: itself, its base language, or a sister variant; else None.

    Of several variants the first in `known` is taken: order them by preference.
    """
    known = list(known)
    if tag in known:
        return tag
    base = base_language(tag)
    if base in known:
        return base
    return next((other for other in known if base_language(other) == base), None)


def _cased(subtags: list[str]) -> list[str]:
    cased, extension = [], False
    for subtag in subtags:
        extension = extension or len(subtag) == 1
        cased.append(subtag.lower() if extension else _cased_subtag(subtag))
    return cased


def _cased_subtag(subtag: str) -> str:
    if len(subtag) == 4 and subtag.isalpha():
        return subtag.title()
    if len(subtag) == 2 and subtag.isalpha():
        return subtag.upper()
    return subtag.lower()
