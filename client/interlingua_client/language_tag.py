"""Language tags in one spelling, whatever a user writes (BCP 47; RFC 5646, sections 2.2.1 and 4.5; IANA's registry).

eng, en_US.UTF-8, English --> en, en-US, en      deu-Latn, iw, cmn, nb --> de, he, zh, no      sr@latin --> sr-Latn
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UNDETERMINED = "und"

_SHAPE = re.compile(r"([A-Za-z]{2,8}|[xXiI](?=-))(-[A-Za-z0-9]{1,8})*")
_LOCALE = re.compile(r"([A-Za-z_-]+)(?:\.[\w-]+)?(?:@(\w+))?")  # of POSIX: language_REGION.encoding@modifier
_MODIFIERS = {"latin": "Latn", "cyrillic": "Cyrl", "devanagari": "Deva"}
_LONGEST = 35
_LONGEST_CODE = 3  # of a language; shorter names (E, Wa) are taken for slips


@lru_cache(maxsize=4096)
def normalize_tag(raw: str) -> str:
    """The one tag of a language: shortest code, none that is deprecated, the macrolanguage for its main variety.

    A script that goes without saying is left out: IANA's Suppress-Script and, where no region is named, the Unicode
    CLDR's likely one. English names are read too. What is shaped like a tag and not registered is kept in lower case
    (`is_registered` tells).

    Raises:
        ValueError: neither shaped like a language tag nor a language's name.
    """
    import langcodes

    tag = _of_locale(raw.strip()).replace("_", "-")
    shaped = len(tag) <= _LONGEST and _SHAPE.fullmatch(tag)
    try:
        standard = langcodes.standardize_tag(tag, macro=True) if shaped else ""
    except ValueError:  # no language's code is so long
        standard = ""
    if standard and langcodes.tag_is_valid(standard):
        return _shortest(standard)
    name = " ".join(raw.casefold().split())
    if len(name) > _LONGEST_CODE and (code := _codes_by_name().get(name)):
        return normalize_tag(code)
    if not shaped:
        raise ValueError(f"{raw!r} is not a language tag such as en, pt-BR or zh-Hant")
    return standard or tag.lower()


@lru_cache(maxsize=4096)
def is_registered(tag: str) -> bool:
    """Whether IANA's registry has every part of a tag."""
    import langcodes

    return bool(langcodes.tag_is_valid(tag))


@lru_cache(maxsize=4096)
def base_language(tag: str) -> str:
    """`pt` of `pt-BR`; the macrolanguage that a language is a part of: `zh` of `yue-HK`, `ar` of `arz`, `no` of `nn`.

    Parts of a macrolanguage with codes of two letters (hr, sr; id, ms) are languages of their own, but Norwegian's.
    """
    primary = tag if tag.startswith("x-") else _canonical(tag).split("-", 1)[0]
    return _macrolanguages().get(primary, primary) if len(primary) > 2 or primary == "nn" else primary


def confusable(tag: str) -> str:
    """One code for languages that a detector takes for one another: of hr, bs and sr; of id and ms."""
    base = base_language(tag)
    return _macrolanguages().get(base, base)


def closest(tag: str, known: Iterable[str]) -> str | None:
    """The known tag that stands for `tag`: itself, its base language, or a sister variant; else None.

    One of the same script goes first; of several variants the first in `known`: order them by preference.
    """
    known = list(known)
    if tag in known:
        return tag
    base = base_language(tag)
    near = [other for other in known if base_language(other) == base]
    near.sort(key=lambda other: (_script(other) != _script(tag), _canonical(other) != base))
    return next(iter(near), None)


def detected_as(tag: str, known: Iterable[str]) -> str | None:
    """The known tag that a detector's `tag` stands for: the closest, or one that it is confused with; else None."""
    known = list(known)
    alike = (other for other in known if confusable(other) == confusable(tag))
    return closest(tag, known) or next(alike, None)


def covered(tag: str, known: Iterable[str]) -> list[str]:
    """The known tags that `tag` speaks of: itself, its variants (RFC 4647, section 3.3.1) and its parts.

    A script that a known tag does not name is its likely one: `zh-Hant` covers `zh-TW`.
    """
    return [
        other
        for other in known
        if base_language(other) == tag or any(f"{one}-".startswith(f"{tag}-") for one in _spellings(_canonical(other)))
    ]


def _spellings(tag: str) -> tuple[str, str]:
    """A tag, and the same with its script."""
    language, *rest = tag.split("-")
    script = _script(tag)
    return tag, tag if script is None or script in rest else "-".join([language, script, *rest])


def _canonical(tag: str) -> str:
    """The one tag also of what an index has that was made before there was one."""
    try:
        return normalize_tag(tag)
    except ValueError:
        return tag


def _of_locale(raw: str) -> str:
    """`sr-Latn` of `sr_RS.UTF-8@latin`, as far as it is a POSIX locale with something after the region."""
    parts = _LOCALE.fullmatch(raw)
    if not parts or not parts[2]:
        return parts[1] if parts else raw
    language, *rest = parts[1].replace("_", "-").split("-")
    modifier = _MODIFIERS.get(parts[2].lower())
    return "-".join([language, modifier, *rest] if modifier else [language, *rest, parts[2]])


def _shortest(standard: str) -> str:
    import langcodes

    parts = langcodes.Language.get(standard, normalize=False).to_dict()
    if parts.get("language") == "nb":  # the registry's Bokmål; most texts in it say `no`, and so does the detector
        parts["language"] = "no"
    if "script" in parts and "territory" not in parts:
        likely = langcodes.Language.make(language=parts["language"]).maximize().script
        if parts["script"] == likely or (parts["script"], likely) == ("Hang", "Kore"):
            del parts["script"]
    return str(langcodes.Language.make(**parts))


@lru_cache(maxsize=4096)
def _script(tag: str) -> str | None:
    import langcodes

    return langcodes.Language.get(_canonical(tag)).maximize().script if is_registered(_canonical(tag)) else None


@lru_cache(maxsize=1)
def _macrolanguages() -> Mapping[str, str]:
    from langcodes.data_dicts import MACROLANGUAGES

    return MACROLANGUAGES


@lru_cache(maxsize=1)
def _codes_by_name() -> Mapping[str, str]:
    """Codes by the English names of IANA's registry, without what it puts in brackets; `Greek` is the modern one."""
    from langcodes.registry_parser import parse_registry

    found: dict[str, str] = {}
    for entry in parse_registry():  # type: ignore[no-untyped-call]
        if entry["Type"] == "language":
            for description in entry["Description"]:
                name = re.sub(r"\s*\(.*?\)", "", description).casefold()
                found.setdefault(name, entry["Subtag"])
                if name.startswith("modern "):
                    found.setdefault(name.removeprefix("modern "), entry["Subtag"])
    return found
