"""Scripts of letters, by the first word of the letters' names in Unicode: LATIN, HANGUL, CJK, TIFINAGH.

A tokenizer's known scripts --exporter--> ServiceSpec.scripts --client, a query--> the scripts that it cannot read
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

from interlingua.served.text.normal_form import normal_form

if TYPE_CHECKING:
    from collections.abc import Collection

_NEARLY_ALL = 0.8  # of a query's letters
_WORD = re.compile("[A-Z]*")


def script_of(letter: str) -> str:
    """The script of a letter, "" of what is none, or has no name."""
    if not unicodedata.category(letter).startswith("L"):
        return ""
    return _WORD.match(unicodedata.name(letter, ""))[0]  # type: ignore[index]


def unknown_scripts(text: str, known: Collection[str]) -> tuple[str, ...]:
    """The scripts of nearly all letters of the text, the most frequent first, where none of them is known; else ().

    Args:
        known: scripts; none where it is not said which are known.
    """
    scripts = Counter(script for character in normal_form(text) if (script := script_of(character)))
    unknown = Counter({script: count for script, count in scripts.items() if script not in known})
    if not known or unknown.total() < _NEARLY_ALL * max(scripts.total(), 1):
        return ()
    return tuple(script for script, _ in unknown.most_common())
