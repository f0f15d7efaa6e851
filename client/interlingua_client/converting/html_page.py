"""HTML to a title and text with Markdown's headings, by Beautiful Soup and markdownify.

bytes (in the encoding that they declare) --main content--> h1, Markdown --> Converted
"""

from __future__ import annotations

import re
import warnings
from typing import Any

from interlingua.base.extras import load
from interlingua_client.converting.converted import Converted
from interlingua_client.storable_text import storable

_USED_FOR = "reading HTML"
_NEVER = "script, style, noscript, template, svg, iframe, nav, object, canvas, [hidden], [aria-hidden=true]"
_ROUND = (  # what goes around the content, where no element says what the content is
    "header, footer, aside, form, [role=navigation], [role=banner], [role=contentinfo], [role=search], "
    "[role=complementary]"
)
_MAIN = ("main", "[role=main]", "article", "#main-content", "#content")
_DATES = ("article:modified_time", "article:published_time", "dcterms.modified", "last-modified", "date")
_UNMARKED = ["a", "b", "strong", "em", "i", "u", "s", "del", "code", "kbd", "samp", "sup", "sub"]
_KEYS = ("name", "property", "http-equiv")
_PARSER = "lxml"


def html_page(content: bytes, encoding: str | None) -> Converted:
    """A page: its title is the first `h1` of the main content, else the `title`; metadata are its url, date and tags.

    Args:
        encoding: of a page that neither declares one nor begins with a byte order mark.
    """
    soup = _parsed(content, encoding)
    root = soup.find("html")
    head = {_attribute(meta, *_KEYS).lower(): _attribute(meta, "content") for meta in soup.find_all("meta")}
    language = _first(_attribute(root, "lang", "xml:lang"), head.get("content-language", "")).split(",")[0].strip()
    canonical = soup.find("link", rel="canonical")
    metadata = {
        "url": _first(_attribute(canonical, "href"), head.get("og:url", "")),
        "date": next((head[name] for name in _DATES if head.get(name)), ""),
        "tags": [tag.strip() for tag in head.get("keywords", "").split(",") if tag.strip()],
    }
    named = soup.title.get_text(" ", strip=True) if soup.title is not None else ""
    title, text = _titled(_main(soup), named)
    return Converted(title, text, language, metadata)


def html_text(fragment: str) -> str:
    """The Markdown of a piece of HTML, an article's body say."""
    return _markdown(_without(_parsed(fragment, None), _NEVER))


def titled_text(fragment: str) -> tuple[str, str]:
    """The first `h1` of a piece of HTML ("" where there is none), and the Markdown of the rest."""
    return _titled(_parsed(fragment, None), "")


def _parsed(content: bytes | str, encoding: str | None) -> Any:
    load("convert", "lxml", _USED_FOR)
    bs4 = load("convert", "bs4", _USED_FOR)
    if isinstance(content, str):
        content, encoding = storable(content), None
    elif encoding and _declares(content):
        encoding = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of text that looks like an address, or HTML that is XML, too
        return bs4.BeautifulSoup(content, _PARSER, from_encoding=encoding)


def _declares(content: bytes) -> bool:
    """Whether a page says its encoding, by a byte order mark or in its first lines."""
    detector = load("convert", "bs4.dammit", _USED_FOR).EncodingDetector
    rest, marked = detector.strip_byte_order_mark(content)
    return bool(marked or detector.find_declared_encoding(rest, is_html=True))


def _attribute(element: Any, *names: str) -> str:
    """The first of the attributes that says something, "" where none does or there is no element."""
    said = [element.get(name) for name in names] if element is not None else []
    return _first(*(one.strip() for one in said if isinstance(one, str)))


def _first(*texts: str) -> str:
    return next(filter(None, texts), "")


def _main(soup: Any) -> Any:
    for selector in _MAIN:
        found = soup.select(selector)
        if len(found) == 1 and found[0].get_text(strip=True):
            return found[0]
    return _without(soup.body or soup, _ROUND)


def _without(element: Any, selector: str) -> Any:
    for unwanted in element.select(selector):
        unwanted.decompose()
    return element


def _titled(element: Any, otherwise: str) -> tuple[str, str]:
    _without(element, _NEVER)
    heading = element.find("h1")
    said = heading.get_text(" ", strip=True) if heading is not None else ""
    if said:
        heading.decompose()
    return " ".join((said or otherwise).split()), _markdown(element)


def _markdown(element: Any) -> str:
    for image in element.find_all("img"):
        image.replace_with(image.get("alt", ""))
    converter = load("convert", "markdownify", _USED_FOR).MarkdownConverter(
        heading_style="ATX",
        bullets="-",
        strip=_UNMARKED,
        escape_asterisks=False,
        escape_underscores=False,
        escape_misc=False,
    )
    made: str = converter.convert_soup(element)
    return re.sub(r"\u00a0", " ", made)
