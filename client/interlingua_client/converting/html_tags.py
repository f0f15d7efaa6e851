"""Tags of HTML in what should be plain text."""

from __future__ import annotations

import re

_TAG = re.compile(
    r"</?(?:a|abbr|b|blockquote|br|code|div|em|font|h[1-6]|i|img|li|ol|p|pre|script|span|strong|style|table|tbody|td"
    r"|th|tr|u|ul)(?:\s[^<>]*)?/?>|&(?:nbsp|amp|lt|gt|quot);",
    re.IGNORECASE,
)


def is_html(text: str) -> bool:
    """Whether a text has two tags or entities of HTML; one may be what it is about."""
    first = _TAG.search(text)
    return first is not None and _TAG.search(text, first.end()) is not None
